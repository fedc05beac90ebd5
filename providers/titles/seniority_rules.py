"""Rules that read seniority from a folded job title. The first that matches decides."""

from providers.titles.positions import ASSISTANT, C_LEVEL, CHAIR, HEAD_OF_COMPANY, OWNER, TRAINEE
from providers.titles.rule import rule

SENIORITY_RULES = (
    rule("IC", 0.96, ASSISTANT),
    rule("Entry", 0.97, TRAINEE, but_not_before=r"program\w*|recruit\w*|relations|coordinator|manager|affairs"),
    rule("Entry", 0.97, r"entry level | junior | jr", but_not_before="high|college|partner"),
    rule(
        "Entry",
        0.92,
        "graduate | student",
        but_not_before=r"recruit\w*|program\w*|school|admission\w*|affairs|success|serv\w*",
    ),
    rule("Founder", 0.97, OWNER),
    rule("Founder", 0.55, "^(?:senior |equity |general )?partner$"),
    rule("Director", 0.6, "chief of staff"),
    rule("Senior IC", 0.7, "chief (?:engineer|architect|scientist|designer|accountant|economist)"),
    rule("VP", 0.98, r"[seag]?vp | vice president\w* | vicepresident\w* | vizeprasident\w*"),
    rule("C-Suite", 0.98, rf"{C_LEVEL} | chief(?: \w+){{1,4}} officer | chief executive | p ?d ?g"),
    rule("C-Suite", 0.98, HEAD_OF_COMPANY),
    rule("C-Suite", 0.92, CHAIR),
    rule(
        "Manager",
        0.92,
        "(?:team|gruppen|projekt|filial|schicht|markt|bau|kuchen)leit(?:er(?:in)?|ung) | chef d equipe",
    ),
    rule(
        "Senior IC",
        0.92,
        r"(?:lead|principal|staff)(?: \w+)* (?:engineer|developer|scientist|analyst|architect|designer)",
    ),
    rule(
        "Director",
        0.97,
        r"director(?:a|s)? | dir | direct(?:eur|rice) | direktor(?:in)? | direttore | direttrice | head",
    ),
    rule(
        "Director",
        0.97,
        r"""
        (?:abteilungs|bereichs|haupt|werks?|vertriebs|personal|einkaufs|entwicklungs|betriebs)?leit(?:er(?:in)?|ung)
        prokurist(?:in)?
        """,
    ),
    rule(
        "Director",
        0.6,
        r"general manager | \w+leit(?:er(?:in)?|ung) | diretora? | dyrektor | dsi | drh | daf | leitend\w+",
    ),
    rule(
        "Manager",
        0.96,
        r"""
        (?:engineering|it|operations|marketing|hr|finance|department|branch|store|plant|team|regional|country) managers?
        (?:production|warehouse|quality|security|procurement|purchasing|support|success|service) managers?
        team ?lead(?:er)? | supervisor | superintendent | foreman | jef[ea] de | meister(?:in)?
        """,
    ),
    # "Account manager" and "product manager" say manager, though many lead nobody.
    rule(
        "Manager",
        0.92,
        r"""
        managers? | managerin | mgr | gerente | responsabl\w+ | responsabile | encargad[oa] | gestionnaire
        chef(?:in)? de | kierownik
        """,
    ),
    rule(
        "Senior IC",
        0.97,
        r"""
        senior | sr | principal | distinguished | fellow | founding \w+ | expert\w* | confirmee? | oberarzt
        lead | staff (?!nurse|assistant|member)\w+
        """,
    ),
    rule(
        "IC",
        0.96,
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
