"""Seniority and department read from a job title, in English, German, French, Spanish and their neighbours.

Titles are folded to plain ASCII first, so rules are written without accents. Within a table the first rule
that matches decides: the order says which word weighs more ("VP Sales" is a VP, a "Sales Engineer" sells).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from anyascii import anyascii


class Label(NamedTuple):
    """What a title says, and how sure the wording makes us (0-1)."""

    label: str
    confidence: float


class _Rule(NamedTuple):
    label: str
    confidence: float
    pattern: re.Pattern[str]


def _rule(label: str, confidence: float, words: str, *, but_not_before: str = "") -> _Rule:
    """A rule for any of `words`, one pattern each, apart by " | " or a line break."""
    alternatives = [word.strip() for line in words.splitlines() for word in line.split(" | ") if word.strip()]
    unless = rf"(?! (?:{but_not_before}))" if but_not_before else ""
    return _Rule(label, confidence, re.compile(rf"\b(?:{'|'.join(alternatives)})\b{unless}"))


_LONGEST = 200
_GENDER_MARK = re.compile(r"\(\s?[mwfdxh](?:\s?[/|]\s?[mwfdx])+\s?\)|(?<=\w)[:*_/](?:in|innen)\b")
_SEPARATORS = re.compile(r"[^a-z0-9&+]+")
_C_LEVEL = "ceo|cfo|coo|cto|cio|cmo|cro|cso|ciso|cpo|chro|cdo|cco|cao|clo|cbo|cxo|cpto"
_BOSS = (
    rf"(?:{_C_LEVEL}|president|board|managing directors?|founders?|chief \w+(?: \w+)? officer|direction|pdg|"
    r"gesch(?:a|ae)ftsf(?:u|ue)hr\w*|gesch(?:a|ae)ftsleitung|vorstands?)"
)
# "Assistant to the CEO" and "Manager, Office of the CTO" name somebody else's seniority.
_SOMEBODY_ELSE = re.compile(
    rf"\b(?:office|bureau|buro) (?:of|du|de la|der|des) (?:the )?{_BOSS}\b"
    rf"|\b(?:to|for|an|zur|du|de la|der|des|del) (?:the |our )?{_BOSS}\b"
)

_ASSISTANT = r"""
    (?:executive|personal|management|administrative|office|team|board) assist[ae]n(?:t|tin|te|z)
    assist[ae]n(?:t|tin|te|z|ten)(?: (?:to|der|des|de|du|zur|an)\b.*)?$ | asistente(?: (?:de|del)\b.*)?$
    \w+assist(?:ent|entin|enz) | secretar(?:y|ia|io) | secretaire | \w*sekretar(?:in)? | receptionist
    rezeptionist(?:in)? | (?:ea|pa) to
    """
_OWNER = r"""
    (?:co )?founder | cofounder | (?:co )?fondat(?:eur|rice) | (?:mit)?gr(?:u|ue)nder(?:in)?
    (?:co )?fundador(?:a)? | fondatore | founding partner | managing partner | inhaber(?:in)? | proprietor
    proprietaire | propietari[oa]
    (?<!product )(?<!process )(?<!service )(?<!data )(?<!risk )(?<!control )(?<!system )(?:co )?owner
    """
_HEAD_OF_COMPANY = r"""
    gesch(?:a|ae)ftsf(?:u|ue)hr\w* | gesch(?:a|ae)ftsleit\w* | vorstand
    vorstands(?:vorsitz|mitglied|sprech)\w* | president directeur general | direct(?:eur|rice) generale?
    director(?:a)? general | gerente general | gerante? | administrat(?:eur|rice) deleguee?
    amministrat(?:ore|rice) delegat[oa] | consejer[oa] delegad[oa] | algemeen directeur
    verkstallande direktor | administrerende direktor | toimitusjohtaja | prezes(?: zarzadu)?
    managing director
    """
_CHAIR = (
    r"(?<!vice )president(?:e|a|in)? | prasident(?:in)? | chair(?:man|woman|person)?(?: of the board)? | board member"
)
_TRAINEE = r"""
    (?:intern|trainee|apprentice|praktikant|stagiaire|stagista)(?:in|s)? | (?:working |werk)student(?:in)?
    auszubildende\w* | azubi\w* | volontar(?:in)? | alternante? | apprentie? | practicante | becari[oa]
    internship
    """

_SENIORITY = (
    _rule("IC", 0.85, _ASSISTANT),
    _rule("Entry", 0.9, _TRAINEE, but_not_before=r"program\w*|recruit\w*|relations|coordinator|manager|affairs"),
    _rule("Entry", 0.9, r"entry level | junior | jr", but_not_before="high|college|partner"),
    _rule(
        "Entry",
        0.8,
        "graduate | student",
        but_not_before=r"recruit\w*|program\w*|school|admission\w*|affairs|success|serv\w*",
    ),
    _rule("Founder", 0.9, _OWNER),
    _rule("Founder", 0.55, "^(?:senior |equity |general )?partner$"),
    _rule("Director", 0.6, "chief of staff"),
    _rule("Senior IC", 0.7, "chief (?:engineer|architect|scientist|designer|accountant|economist)"),
    _rule("VP", 0.92, r"[seag]?vp | vice president\w* | vicepresident\w* | vizeprasident\w*"),
    _rule("C-Suite", 0.93, rf"{_C_LEVEL} | chief(?: \w+){{1,4}} officer | chief executive | p ?d ?g"),
    _rule("C-Suite", 0.93, _HEAD_OF_COMPANY),
    _rule("C-Suite", 0.8, _CHAIR),
    _rule(
        "Manager",
        0.75,
        "(?:team|gruppen|projekt|filial|schicht|markt|bau|kuchen)leit(?:er(?:in)?|ung) | chef d equipe",
    ),
    _rule(
        "Senior IC",
        0.75,
        r"(?:lead|principal|staff)(?: \w+)* (?:engineer|developer|scientist|analyst|architect|designer)",
    ),
    _rule(
        "Director",
        0.9,
        r"director(?:a|s)? | dir | direct(?:eur|rice) | direktor(?:in)? | direttore | direttrice | head",
    ),
    _rule(
        "Director",
        0.9,
        r"""
        (?:abteilungs|bereichs|haupt|werks?|vertriebs|personal|einkaufs|entwicklungs|betriebs)?leit(?:er(?:in)?|ung)
        prokurist(?:in)?
        """,
    ),
    _rule(
        "Director",
        0.6,
        r"general manager | \w+leit(?:er(?:in)?|ung) | diretora? | dyrektor | dsi | drh | daf | leitend\w+",
    ),
    _rule(
        "Manager",
        0.85,
        r"""
        (?:engineering|it|operations|marketing|hr|finance|department|branch|store|plant|team|regional|country) managers?
        (?:production|warehouse|quality|security|procurement|purchasing|support|success|service) managers?
        team ?lead(?:er)? | supervisor | superintendent | foreman | jef[ea] de | meister(?:in)?
        """,
    ),
    # "Account manager" and "product manager" say manager, though many lead nobody.
    _rule(
        "Manager",
        0.75,
        r"""
        managers? | managerin | mgr | gerente | responsabl\w+ | responsabile | encargad[oa] | gestionnaire
        chef(?:in)? de | kierownik
        """,
    ),
    _rule(
        "Senior IC",
        0.88,
        r"""
        senior | sr | principal | distinguished | fellow | founding \w+ | expert\w* | confirmee? | oberarzt
        lead | staff (?!nurse|assistant|member)\w+
        """,
    ),
    _rule(
        "IC",
        0.85,
        r"""
        \w*engineer | \w*developers? | \w*analyst(?:in|e)? | analista | accountant | bookkeeper
        recruiter(?:in)? | representative | rep | [sb]dr | ae | specialist(?:in)? | \w*consultant(?:in|e)?
        \w*designer(?:in)? | clerk | administrator(?:in)? | technician | nurse | teacher | lawyer | attorney
        counsel | buyer | scientist | researcher | \w*writer | editor | agent | advis[eo]r | associate
        coordinator | planner | controller(?:in)? | generalist | programmer | architecte? | auditor(?:in)?
        officer | executive | product owner | scrum master | assistant | trainer(?:in)? | partner
        tester(?:in)? | operator | \w*sachbearbeit\w* | \w*entwickler(?:in)? | \w*ingenieur(?:in|e)?
        \w*berater(?:in)? | \w*verkaufer(?:in)? | \w*buchhalter(?:in)? | \w*mitarbeiter(?:in)?
        referent(?:in)? | \w*einkaufer(?:in)? | administrat(?:or|rice) | developp(?:eur|euse) | comptable
        achet(?:eur|euse) | technicien(?:ne)? | chargee? d\w* | commercial(?:e)? | ingenier[oa]
        desarrollador(?:a)? | contable | comprador(?:a)? | vendedor(?:a)? | tecnic[oa] | programador(?:a)?
        sviluppat(?:ore|rice) | consulente | impiegat[oa] | ontwikkelaar | medewerker | adviseur
        """,
    ),
)

_DEPARTMENT = (
    _rule("Administration", 0.9, _ASSISTANT),
    _rule("Executive", 0.93, "ceo | chief executive(?: officer)? | p ?d ?g"),
    _rule(
        "IT & Security",
        0.92,
        r"""
        c?iso | cio | (?:information|cyber|it|network|cloud|data|application|product) ?security | cyber\w*
        infosec | chief (?:information|security)(?: \w+)? officer | rssi | dsi
        """,
    ),
    _rule(
        "HR",
        0.92,
        r"""
        hr | hrbp | chro | human (?:resources?|capital) | people | talent\w* | recruit\w* | recrut\w*
        payroll | \w*personal(?:leit|referent|wesen|abteilung|entwickl|manage|sachbearbeit|chef)\w* | d?rh
        rrhh | (?:leit\w+|referent\w*) (?:der )?personal | ressources humaines | recursos humanos
        risorse umane | learning (?:&|and) development
        """,
    ),
    _rule(
        "Procurement",
        0.92,
        r"""
        procurement | purchas\w* | buyer | sourcing | \w*einkauf\w* | achats? | achet(?:eur|euse) | compras
        comprador(?:a)? | acquisti | inkoop\w* | category manage\w+
        """,
    ),
    _rule(
        "Customer Success",
        0.9,
        r"""
        (?:customer|client)s? (?:success|support|service|care|experience|happiness|onboarding) | csm
        kunden(?:service|betreu|dienst|support|erfolg)\w* | service client\w* | atencion al cliente
        support (?:agent|specialist)
        """,
    ),
    _rule(
        "Finance",
        0.92,
        r"""
        cfo | financ\w* | finanz\w* | account(?:ant|ants|ing) | accounts (?:payable|receivable)
        controll(?:er|ing)\w* | treasur\w* | \w*buchhalt\w* | comptab\w* | contab\w* | tax | steuer\w*
        audit\w* | bookkeep\w* | daf | billing | investor relations
        """,
    ),
    _rule(
        "Data",
        0.9,
        r"""
        data(?! protection) | \w*daten(?!schutz)\w* | cdo | analytics | business intelligence | bi
        machine learning | ml | ai | business analyst\w* | statistic\w* | donnees | datos
        """,
    ),
    _rule(
        "Marketing",
        0.92,
        r"""
        \w*marketing\w* | cmo | growth | brand\w* | content | seo | sem | communications?
        \w*kommunikation\w* | pr | public relations | social media | demand gen\w* | mercadeo
        mercadotecnia | copywriter | events? | press\w*
        """,
    ),
    _rule(
        "Sales",
        0.92,
        r"""
        (?:pre)?sales | account (?:executive|manager|director|management)
        (?:key|strategic|global|named) accounts? | business development | [sb]dr | ae | cro
        chief (?:revenue|commercial) officer | revenue | \w*vertrieb\w* | \w*verkauf\w* | ventes? | ventas
        comercial\w* | commerciale? | vendedor(?:a)? | vendite | verkoop\w* | partnerships? | alliances?
        channel | aussendienst | innendienst | new business
        """,
    ),
    _rule(
        "IT & Security",
        0.88,
        r"""
        it | ict | edv | information (?:technology|systems) | sys ?admin\w* | \w*systems? ?administrat\w*
        security | network (?:engineer|administrator|manager|architect) | help ?desk | service desk
        informati\w+ | sistemas
        """,
    ),
    _rule(
        "Engineering",
        0.88,
        r"""
        \w*engineer\w* | \w*develop(?:er|ers|ment)\w* | software\w* | cto | cpto | devops | sre
        r ?(?:&|and) ?d | research\w* | architecte? | qa | quality assurance | tester(?:in)? | technolog\w*
        technical | tech | \w*entwickl\w* | \w*ingenieu?r\w* | ingenier\w* | developp\w* | desarroll\w*
        programmer | programador(?:a)? | techni(?:k|que|sch\w*) | (?:front|back) ?end | full ?stack
        platform | sviluppat\w* | scientist | forschung\w* | scrum master
        """,
    ),
    # Product has no label of its own; it sits with those who build it.
    _rule("Engineering", 0.7, r"products? | produkt\w* | produit | producto | cpo | ux | ui | design\w*"),
    _rule(
        "Operations",
        0.9,
        r"""
        coo | operations? | ops | logisti\w* | supply chain | production | manufacturing | plant | warehouse
        \w*betrieb\w* | produktion\w* | operaciones | facilit\w* | lager\w* | quality | werks?leit\w*
        chief of staff | disponent\w*
        """,
    ),
    _rule("Executive", 0.9, _OWNER),
    _rule("Executive", 0.9, _HEAD_OF_COMPANY),
    _rule("Executive", 0.9, _CHAIR),
    _rule("Executive", 0.6, "^(?:senior |equity |general )?partner$ | cxo | executive director | general manager"),
    _rule("Administration", 0.8, r"admin | administrati(?:on|ve|f|vo) | verwaltung\w* | clerk | office manager(?:in)?"),
    _rule("Other", 0.75, _TRAINEE),
    _rule(
        "Other",
        0.75,
        r"""
        legal | lawyer | attorney | counsel | jurist\w* | avocate? | abogad[oa] | compliance
        data protection | datenschutz\w* | doctor | physician | nurse | teacher | professor\w* | lecturer
        journalist\w* | editor
        """,
    ),
    _rule("Other", 0.5, r"\w*consultant\w* | \w*berater(?:in)? | project manager\w* | projektleit\w* | chef de projet"),
)  # fmt: skip


def _folded(title: str) -> str:
    text = _GENDER_MARK.sub("", anyascii(title[:_LONGEST]).casefold())
    return _SEPARATORS.sub(" ", text).strip()


def _first(rules: tuple[_Rule, ...], text: str) -> Label | None:
    for rule in rules:
        if rule.pattern.search(text):
            return Label(rule.label, rule.confidence)
    return None


@lru_cache(maxsize=4096)
def seniority(title: str) -> Label | None:
    """How senior the holder of `title` is; None where the title does not say."""
    return _first(_SENIORITY, _SOMEBODY_ELSE.sub(" ", _folded(title)).strip())


@lru_cache(maxsize=4096)
def department(title: str) -> Label | None:
    """Which part of a company the holder of `title` works in; None where the title does not say."""
    return _first(_DEPARTMENT, _SOMEBODY_ELSE.sub(" ", _folded(title)).strip())
