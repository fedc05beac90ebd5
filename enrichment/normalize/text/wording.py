"""Job titles, departments, seniority and plain text: shouting undone, acronyms kept."""

import re
from functools import lru_cache
from typing import Any

from enrichment.normalize.text.casing import composed, lowered
from enrichment.normalize.text.text import refuse_markup, tidy, words

_ACRONYMS = """
CEO CFO COO CTO CIO CMO CRO CPO CISO CHRO CDO CSO CCO CLO CAO CKO CXO VP SVP EVP AVP RVP GVP IT HR PR QA QC UX UI R&D
EMEA APAC DACH LATAM ANZ MENA NA US USA UK EU UAE GCC NYC SDR BDR ADR AE AM CSM CRM ERP SAP B2B B2C B2G SEO SEM PPC
PMO PMP MD GM PA BI AI ML NLP IC II III IV SRE API AWS GCP SaaS PaaS IaaS IoT M&A P&L CPA CFA MBA PhD OEM KAM FP&A HRBP
HSE EHS ESG CSR SOC DBA RN DDS DevOps DevSecOps SecOps RevOps iOS .NET PHP SQL CAD GIS TV PLC
"""
_BY_UPPER = {word.upper(): word for word in _ACRONYMS.split()}
_SMALL_WORDS = (
    "of and the for in to at on an or de la le du des da do y e und der die das von f\u00fcr im et en zur zum mit"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_START = re.compile("(^|[-/(&'\u2019.\"])(\\w)")
_AFTER_APOSTROPHE = re.compile("(['\u2019])S\\b")
_JOINED = re.compile("([-/,()&+])")
_SHORT_SHOUT = 4
_DEPARTMENT_WORD = re.compile(r" (?:department|dept|team|division|function|abteilung)$|^(?:department of|abteilung) ")
_AROUND = ".,;:()"

_SENIORITY_LINES = """
C-Suite|c suite|c level|clevel|cxo|csuite|executive|chief|exec|c suite executive
Founder|owner|co founder|cofounder|founder owner|owner partner
VP|vice president|vp level
Director|dir|director level
Manager|mgr|manager level|middle management|mid management
Senior IC|sr|senior|senior level|senior individual contributor
IC|individual contributor|staff|non manager|non management|mid level|professional
Entry|entry level|junior|jr|intern|trainee
"""
_DEPARTMENT_LINES = """
Engineering|engineering and technical|software engineering|r and d|research and development|product development
IT & Security|it|information technology|it and security|it security|security
HR|human resources|people|people and culture|people operations|talent
Sales|business development|biz dev|bd|sales and business development
Marketing|marketing and communications|communications
Customer Success|customer support|customer service|support|customer experience
Finance|accounting|finance and accounting
Operations|ops
Procurement|purchasing|sourcing
Data|data science|analytics|data and analytics
Executive|c suite|management|leadership|general management
Administration|admin|administrative
Legal
Product|product management
Design
"""


def _synonyms(lines: str) -> dict[str, str]:
    table: dict[str, str] = {}
    for line in lines.strip().split("\n"):
        label, *others = line.split("|")
        table.update({words(name): label for name in (label, *others)})
    return table


_SENIORITY = _synonyms(_SENIORITY_LINES)
_DEPARTMENTS = _synonyms(_DEPARTMENT_LINES)


def canonical_text(raw: Any, longest: int = 500) -> str | None:
    """One line of plain text; None when empty. Raises Refused."""
    text = tidy(raw, longest)
    if text is not None:
        refuse_markup(text)
    return text


def canonical_description(raw: Any) -> str | None:
    """Text with its paragraphs; None when empty. Raises Refused."""
    return tidy(raw, lines=True)


def canonical_title(raw: Any) -> str | None:
    """A job title with its own words, cased where it had one case; None when empty. Raises Refused."""
    text = canonical_text(raw, 300)
    return None if text is None else cased_words(text)


def canonical_seniority(raw: Any) -> str | None:
    """`C-Suite`, `VP`, `Director` and so on where the level is a known one; None when empty. Raises Refused."""
    text = canonical_text(raw, 100)
    return None if text is None else _SENIORITY.get(words(text)) or cased_words(text)


def canonical_department(raw: Any) -> str | None:
    """`HR`, `Engineering` and so on where the department is a known one; None when empty. Raises Refused."""
    text = canonical_text(raw, 200)
    if text is None:
        return None
    folded = words(text)
    return _DEPARTMENTS.get(folded) or _DEPARTMENTS.get(_DEPARTMENT_WORD.sub("", folded)) or cased_words(text)


@lru_cache(16384)
def cased_words(text: str) -> str:
    """A text with the usual capitals, if it has only one case; acronyms such as CEO and EMEA in theirs."""
    if not (text.isupper() or text.islower()) or _may_be_an_acronym(text):
        return text
    cased = (_word(word, first=index == 0) for index, word in enumerate(text.split(" ")))
    return composed(" ".join(cased))


def _may_be_an_acronym(text: str) -> bool:
    return text.isupper() and " " not in text and len(text) <= _SHORT_SHOUT


def _word(word: str, *, first: bool) -> str:
    if word.upper() in _BY_UPPER or word.strip(_AROUND).upper() in _BY_UPPER:
        return _as_acronym(word)
    if not first and word.lower() in _SMALL:
        return word.lower()
    parts = (_as_acronym(part) if part.upper() in _BY_UPPER else lowered(part) for part in _JOINED.split(word))
    joined = "".join(parts)
    return _AFTER_APOSTROPHE.sub(r"\1s", _START.sub(_capital, joined))


def _as_acronym(word: str) -> str:
    upper = word.upper()
    if upper in _BY_UPPER:
        return _BY_UPPER[upper]
    bare = word.strip(_AROUND)
    return word.replace(bare, _BY_UPPER[bare.upper()])


def _capital(match: re.Match[str]) -> str:
    return match[1] + match[2].upper()
