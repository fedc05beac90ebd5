"""The names of companies as an index: found by full name, core, loose core, acronym or with a slip of the pen."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from importlib import resources

from rapidfuzz import process
from rapidfuzz.distance import OSA

from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import fold, words
from providers.directory.reference import Company

_LEGAL_SYNONYMS = {
    "limited": "ltd",
    "corporation": "corp",
    "company": "co",
    "incorporated": "inc",
    "aktiengesellschaft": "ag",
}
# Words that a CRM adds or drops without meaning another company.
_LOOSE_WORDS = """
    the and of for group groupe gruppe holding holdings international global worldwide company companies co corp
    public services solutions technologies technology systems germany deutschland europe usa uk america
"""
_LOOSE = frozenset(_LOOSE_WORDS.split())
_SMALL = "and of the for fur und de la le les des du der die das y et e di a an in"
_SMALL_WORDS = frozenset(_SMALL.split())
_GENERIC = "ai ag as bz cc co fm eu gg im io is la ly me nu sc sh so st tk to tv vc ws"
_GENERIC_SUFFIXES = frozenset(_GENERIC.split())
_RUN_OF_INITIALS = re.compile(r"\b(?:[a-z] )+[a-z]\b")
_ABBREVIATION = re.compile(r"(.{6,}?)\s*\(([A-Z]{3,8})\)(.*)")
_DIGITS = re.compile(r"\d+")
_SHARES = re.compile(r"(?i)\s+(?:(?:un)?sponsored\s+(?:adr|gdr)|class\s+[a-d]|adr|gdr)(?=\s+[\w.]+$)")
_SHORT_WORD = 5  # letters: another letter makes another word of a shorter one
_OPENS_SEVERAL = 3  # companies whose names begin with one word: the word alone means none of them
_TELLING_LETTERS = 4  # of the only word of a name
_LONG_NAME, _LONG_WORD = 12, 8  # letters


@cache
def _common_words() -> frozenset[str]:
    """Short words of the dictionary that many a company has taken for its name."""
    return frozenset(resources.files("providers").joinpath("data", "common_words.txt").read_text("utf-8").split())


def without_share_class(name: str) -> str:
    """The name without the class of a share that stands before a legal form: `Airbnb, Inc. Class A Ltd`."""
    return _SHARES.sub("", name)


@lru_cache(16384)
def full_key(name: str) -> str:
    """The name's words with its legal form, the ways to write a form made one (`S. A.`, `SA`)."""
    text = _RUN_OF_INITIALS.sub(lambda run: run[0].replace(" ", ""), words(name))
    return " ".join(_LEGAL_SYNONYMS.get(word, word) for word in text.split())


@lru_cache(16384)
def loose_key(name: str) -> str:
    """The core without words that CRMs add or drop; empty when too little is left to tell companies apart."""
    kept = [word for word in core_name(name).split() if word not in _LOOSE]
    return " ".join(kept) if len("".join(kept)) > 2 else ""


def variants(name: str) -> tuple[str, ...]:
    """A name, and the abbreviation and the long form of "Long Form (LF)"."""
    found = _ABBREVIATION.fullmatch(name)
    return (name, f"{found[1]}{found[3]}", found[2]) if found else (name,)


def acronyms(name: str, least: int = 3) -> set[str]:
    """The acronyms that people make of a name, of `least` letters or more.

    With and without its article, its small words and its legal form; hyphenated words count as one or as several.
    """
    as_words = words(name).split()
    legal_form = len(as_words) - len(core_name(name).split()) - (as_words[:1] == ["the"])
    found: set[str] = set()
    for split in (fold(name).split(), as_words):
        initials = [(word, _letter(word)) for word in split]
        kept = [pair for pair in initials if pair[1]]
        for start in (0, 1) if kept and kept[0][0] == "the" else (0,):
            for end in range(max(start + least, len(kept) - legal_form), len(kept) + 1):
                part = kept[start:end]
                found.add("".join(letter for _, letter in part))
                found.add("".join(letter for word, letter in part if word not in _SMALL_WORDS))
    return {letters for letters in found if len(letters) >= least}


def _letter(word: str) -> str:
    return word[0] if word[0].isalnum() else next(filter(str.isalnum, word), "")


def label_of(domain: str) -> str:
    """The first label of a domain, without dashes: what it says of a name."""
    return domain.partition(".")[0].replace("-", "")


def country_of_suffix(domain: str) -> str | None:
    """The ISO 3166-1 code of the country that a domain is meant for, where its suffix says so."""
    suffix = domain.rpartition(".")[2]
    if len(suffix) != 2 or suffix in _GENERIC_SUFFIXES:
        return None
    return "GB" if suffix == "uk" else suffix.upper()


def is_slip_of_form(written: str, known: str) -> bool:
    """Whether two spellings of a name differ in its legal form alone: `Basf SSe` and `Basf SE`."""
    core = core_name(known)
    return words(known) != core and words(written).startswith(f"{core} ")


def slip_score(written: str, known: str, edits: int) -> float:
    """How likely `written` is a slip of the pen for `known` rather than another name (0-1).

    People swap, double and drop letters; another letter is as often another company, above all the first.
    """
    if edits > 1:
        return 0.72
    at = next((i for i, (a, b) in enumerate(zip(written, known, strict=False)) if a != b), len(known))
    if len(written) == len(known):
        swapped = written[at : at + 2] == known[at : at + 2][::-1] and known[at + 1 :] != written[at + 1 :]
        score = 0.88 if swapped else 0.72
    elif len(written) < len(known):
        score = 0.84
    else:
        score = 0.88 if at and written[at] == written[at - 1] else 0.76
    return score - 0.1 if at == 0 else score


def _is_other_word(written: str, known: str) -> bool:
    """Whether two names of several words differ in a letter of one short word: `Bar Apotheke`, `Bad Apotheke`."""
    pairs = list(zip(written.split(), known.split(), strict=False))
    different = [(a, b) for a, b in pairs if a != b]
    if len(pairs) < 2 or len(different) != 1 or len(written.split()) != len(known.split()):
        return False
    a, b = different[0]
    return len(a) == len(b) < _SHORT_WORD and sorted(a) != sorted(b)


Index = dict[str, dict[int, int]]


def _telling_words(core: str) -> list[str]:
    return [word for word in core.split() if word not in _LOOSE and word not in _SMALL_WORDS]


class Names:
    """Which companies go by a name. Companies are numbers; rank 0 is today's name, 1 a former name or brand."""

    def __init__(self, companies: Sequence[Company]) -> None:
        self.full: Index = {}
        self.core: Index = {}
        self.loose: Index = {}
        self.labels: Index = {}
        self.openings: dict[str, set[int]] = {}  # by the first word of a name
        self.spelled: Index = {}  # full names and cores as they are written
        self._companies = companies
        for number, company in enumerate(companies):
            _note(self.labels, label_of(company.domain), number, 0)
        for name, number, rank in self._named():
            self._add(name, number, rank)
        self._spellings = sorted(self.spelled, key=len)
        self._lengths = [len(spelling) for spelling in self._spellings]

    def _named(self) -> Iterator[tuple[str, int, int]]:
        for number, company in enumerate(self._companies):
            for rank, group in enumerate((company.names, company.aliases)):
                for name in group:
                    for index, variant in enumerate(variants(name)):
                        yield variant, number, max(rank, min(index, 1))

    def _add(self, name: str, number: int, rank: int) -> None:
        core = core_name(name)
        if len(core) < 2:
            return
        _note(self.full, full_key(name), number, rank)
        _note(self.core, core, number, rank)
        _note(self.loose, loose_key(name), number, rank)
        _note(self.spelled, words(name), number, rank)
        _note(self.spelled, core, number, rank)
        self.openings.setdefault(core.partition(" ")[0], set()).add(number)

    def sharing(self, core: str) -> set[int]:
        """The companies that a bare name may mean: those of this core; where it opens several names, those as well."""
        companies = set(self.core.get(core, ()))
        opened = set(companies)
        for index in range(bisect_left(self._cores, f"{core} "), bisect_left(self._cores, f"{core}!")):
            opened.update(self.core[self._cores[index]])
        return opened if len(opened) >= _OPENS_SEVERAL else companies

    @cached_property
    def _cores(self) -> list[str]:
        return sorted(self.core)

    def is_telling(self, core: str) -> bool:
        """Whether a name is so much its own that it tells the company without anything else."""
        telling = _telling_words(core)
        if len(telling) != 1:
            return bool(telling)
        least = _TELLING_LETTERS - (" " in core)
        return len(telling[0]) >= least and telling[0] not in _common_words()

    def is_long(self, core: str, *, legal: bool) -> bool:
        """Whether a name is too long and rare for two companies to bear it by chance; `legal`: with its legal form."""
        telling = _telling_words(core)
        rare = [word for word in telling if len(self.openings.get(word, ())) <= 1 and word not in _common_words()]
        if len(telling) == 1:
            return legal and bool(rare) and len(rare[0]) >= _LONG_WORD
        return bool(rare) and len("".join(telling)) >= _LONG_NAME

    @cached_property
    def initials(self) -> Index:
        """By acronym. Made when first needed: few records hold one."""
        index: Index = {}
        for name, number, rank in self._named():
            for letters in acronyms(name):
                _note(index, letters, number, rank)
        return index

    def misspelt(self, spelling: str, max_edits: int) -> list[tuple[str, float]]:
        """Known spellings at most `max_edits` edits away (a swap of neighbours is one), with their `slip_score`."""
        first = bisect_left(self._lengths, len(spelling) - max_edits)
        last = bisect_left(self._lengths, len(spelling) + max_edits + 1)
        near = process.extract(
            spelling, self._spellings[first:last], scorer=OSA.distance, score_cutoff=max_edits, limit=20
        )
        numbers = _DIGITS.findall(spelling)  # "Studio 1" is no slip for "Studio 2"
        return [
            (found, slip_score(spelling, found, int(edits)))
            for found, edits, _ in near
            if edits and _DIGITS.findall(found) == numbers and not _is_other_word(spelling, found)
        ]


def _note(index: Index, key: str, number: int, rank: int) -> None:
    if key:
        ranks = index.setdefault(key, {})
        ranks[number] = min(rank, ranks.get(number, rank))
