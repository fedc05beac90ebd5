"""Rules that read the department from a folded job title. The first that matches decides."""

from providers.titles.positions import ASSISTANT, CHAIR, HEAD_OF_COMPANY, OWNER, TRAINEE
from providers.titles.rule import rule

_BETWEEN = "(?: (?:of|for|and|the|global|group|corporate|regional|strategic|indirect))*"


def _director_of(words: str) -> str:
    """The pattern of a director's title that names one of these, before or after."""
    return rf"directors?{_BETWEEN} (?:{words}) | (?:{words}){_BETWEEN} directors?"


DEPARTMENT_RULES = (
    rule("Administration", 0.97, ASSISTANT),
    rule("Executive", 0.97, "ceo | chief executive(?: officer)? | p ?d ?g"),
    rule(
        "IT & Security",
        0.97,
        r"""
        c?iso | cio | (?:information|cyber|it|network|cloud|data|application|product) ?security | cyber\w*
        infosec | chief (?:information|security)(?: \w+)? officer | rssi | dsi
        """,
    ),
    # Companies count the directors of IT and of purchasing to engineering, to operations or to a department of their
    # own: in records with known answers the words of the title are mostly not the department. Too little to be written.
    rule("IT & Security", 0.2, _director_of(r"it|ict|information (?:technology|systems)")),
    rule("Procurement", 0.2, _director_of("procurement|purchasing|sourcing")),
    rule(
        "HR",
        0.97,
        r"""
        hr | hrbp | chro | human (?:resources?|capital) | people | talent\w* | recruit\w* | recrut\w*
        payroll | \w*personal(?:leit|referent|wesen|abteilung|entwickl|manage|sachbearbeit|chef)\w* | d?rh
        rrhh | (?:leit\w+|referent\w*) (?:der )?personal | ressources humaines | recursos humanos
        risorse umane | learning (?:&|and) development
        """,
    ),
    rule(
        "Procurement",
        0.97,
        r"""
        procurement | purchas\w* | buyer | sourcing | \w*einkauf\w* | achats? | achet(?:eur|euse) | compras
        comprador(?:a)? | acquisti | inkoop\w* | category manage\w+
        """,
    ),
    rule(
        "Customer Success",
        0.97,
        r"""
        (?:customer|client)s? (?:success|support|service|care|experience|happiness|onboarding) | csm
        kunden(?:service|betreu|dienst|support|erfolg)\w* | service client\w* | atencion al cliente
        support (?:agent|specialist)
        """,
    ),
    rule(
        "Finance",
        0.97,
        r"""
        cfo | financ\w* | finanz\w* | account(?:ant|ants|ing) | accounts (?:payable|receivable)
        controll(?:er|ing)\w* | treasur\w* | \w*buchhalt\w* | comptab\w* | contab\w* | tax | steuer\w*
        audit\w* | bookkeep\w* | daf | billing | investor relations
        """,
    ),
    # Half of the companies count them to engineering: too little to be written.
    rule("Data", 0.55, r"data scien\w+"),
    rule(
        "Data",
        0.97,
        r"""
        data(?! protection) | \w*daten(?!schutz)\w* | cdo | analytics | business intelligence | bi
        machine learning | ml | ai | business analyst\w* | statistic\w* | donnees | datos
        """,
    ),
    rule(
        "Marketing",
        0.97,
        r"""
        \w*marketing\w* | cmo | growth | brand\w* | content | seo | sem | communications?
        \w*kommunikation\w* | pr | public relations | social media | demand gen\w* | mercadeo
        mercadotecnia | copywriter | events? | press\w*
        """,
    ),
    rule(
        "Sales",
        0.97,
        r"""
        (?:pre)?sales | account (?:executive|manager|director|management)
        (?:key|strategic|global|named) accounts? | business development | [sb]dr | ae | cro
        chief (?:revenue|commercial) officer | revenue | \w*vertrieb\w* | \w*verkauf\w* | ventes? | ventas
        comercial\w* | commerciale? | vendedor(?:a)? | vendite | verkoop\w* | partnerships? | alliances?
        channel | aussendienst | innendienst | new business
        """,
    ),
    rule(
        "IT & Security",
        0.97,
        r"""
        it | ict | edv | information (?:technology|systems) | sys ?admin\w* | \w*systems? ?administrat\w*
        security | network (?:engineer|administrator|manager|architect) | help ?desk | service desk
        informati\w+ | sistemas
        """,
    ),
    rule(
        "Engineering",
        0.97,
        r"""
        \w*engineer\w* | \w*develop(?:er|ers|ment)\w* | software\w* | cto | cpto | devops | sre
        r ?(?:&|and) ?d | research\w* | architecte? | qa | quality assurance | tester(?:in)? | technolog\w*
        technical | tech | \w*entwickl\w* | \w*ingenieu?r\w* | ingenier\w* | developp\w* | desarroll\w*
        programmer | programador(?:a)? | techni(?:k|que|sch\w*) | (?:front|back) ?end | full ?stack
        platform | sviluppat\w* | scientist | forschung\w* | scrum master
        """,
    ),
    # Product has no label of its own; it sits with those who build it.
    rule("Engineering", 0.7, r"products? | produkt\w* | produit | producto | cpo | ux | ui | design\w*"),
    rule(
        "Operations",
        0.97,
        r"""
        coo | operations? | ops | logisti\w* | supply chain | production | manufacturing | plant | warehouse
        \w*betrieb\w* | produktion\w* | operaciones | facilit\w* | lager\w* | quality | werks?leit\w*
        chief of staff | disponent\w*
        """,
    ),
    rule("Executive", 0.97, OWNER),
    rule("Executive", 0.97, HEAD_OF_COMPANY),
    rule("Executive", 0.97, CHAIR),
    rule("Executive", 0.6, "^(?:senior |equity |general )?partner$ | cxo | executive director | general manager"),
    rule("Administration", 0.8, r"admin | administrati(?:on|ve|f|vo) | verwaltung\w* | clerk | office manager(?:in)?"),
    rule("Other", 0.75, TRAINEE),
    rule(
        "Other",
        0.75,
        r"""
        legal | lawyer | attorney | counsel | jurist\w* | avocate? | abogad[oa] | compliance
        data protection | datenschutz\w* | doctor | physician | nurse | teacher | professor\w* | lecturer
        journalist\w* | editor
        """,
    ),
    rule("Other", 0.5, r"\w*consultant\w* | \w*berater(?:in)? | project manager\w* | projektleit\w* | chef de projet"),
)  # fmt: skip
