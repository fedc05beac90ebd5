"""The legal forms that end (or begin) a company's name, as folded words."""

import re

from cleanco.termdata import terms_by_country, terms_by_type

from enrichment.normalize.text.text import fold
from enrichment.normalize.word_list import read_lines, read_words

# Short words of the library's list that end ordinary names more often than they are a legal form there.
_AMBIGUOUS = frozenset((word,) for word in read_words("names", "ambiguous_legal_forms.txt"))
PREFIXES = read_words("names", "legal_form_prefixes.txt")
# Written without a space before or after the name.
EAST_ASIAN = re.compile(
    "\u682a\u5f0f\u4f1a\u793e|\u6709\u9650\u4f1a\u793e|\u5408\u540c\u4f1a\u793e|\u80a1\u4efd\u6709\u9650\u516c\u53f8"
    "|\u80a1\u4efd\u6709\u9650\u516c\u53f8|\u6709\u9650\u8d23\u4efb\u516c\u53f8|\u6709\u9650\u516c\u53f8|\u96c6\u56e2"
    "|\uc8fc\uc2dd\ud68c\uc0ac|\\(\uc8fc\\)|\u3231|\u321c"
)


def _as_words(term: str) -> tuple[str, ...]:
    joined = re.sub(r"(?<=\w)[./'](?=\w|$)", "", fold(term).replace("&", " "))
    return tuple(re.sub(r"[\W_]+", " ", joined).split())


def _forms() -> frozenset[tuple[str, ...]]:
    listed = (*terms_by_type.values(), *terms_by_country.values())
    known = {_as_words(term) for terms in listed for term in terms}
    more = {tuple(line.split()) for line in read_lines("names", "legal_forms.txt")}
    return frozenset((known - _AMBIGUOUS - {()}) | more)


FORMS = _forms()
LONGEST = max(map(len, FORMS))
