"""Whether a record's name can be that of a company, where something else has told the company already."""

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import words
from providers.directory.reference import Company
from providers.matching.name_index import acronyms, label_of, variants


def name_agrees(name: str, company: Company) -> bool:
    """Whether a record's name could be meant for this company: no proof, but no contradiction either."""
    core = core_name(name)
    if not core:
        return True
    label = label_of(company.domain)
    joined = core.replace(" ", "")
    if len(joined) >= 3 and (joined in label or label in joined or fuzz.ratio(joined, label) >= 75):
        return True
    if len(joined) > 1 and OSA.distance(joined, label, score_cutoff=1) <= 1:
        return True
    others = [variant for name in (*company.names, *company.aliases) for variant in variants(name)]
    return any(_resembles(core, core_name(other)) or joined in acronyms(other, least=2) for other in others)


def goes_by(name: str, company: Company) -> bool:
    """Whether a record's name is one of this company's, or what its domain says."""
    core = core_name(name)
    if not core:
        return False
    joined = core.replace(" ", "")
    if joined in (label_of(company.domain), words(company.domain).replace(" ", "")):
        return True
    names = [variant for known in (*company.names, *company.aliases) for variant in variants(known)]
    return any(core == core_name(known) for known in names)


def _resembles(core: str, other: str) -> bool:
    return fuzz.token_set_ratio(core, other) >= 75
