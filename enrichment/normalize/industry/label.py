"""What a label means that the vocabulary does not list: by its words, never by its letters.

`Speciality chemicals manufacturer`, `Banking sector` and `Provider of cloud hosting` are the listed `Specialty
Chemicals`, `banking` and `hosting`; two labels of which nothing is known are the same when their words are.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from enrichment.normalize.industry.tree import NONE, Industries, tree
from enrichment.normalize.text.text import words
from enrichment.normalize.word_list import read_pairs, read_words

# Words that say that it is an industry, or who is in it, but not which.
_GENERIC = read_words("industry", "generic_words.txt")
# `Manufacture of furniture` is about furniture; `retail of furniture` about retail.
_DOING = re.compile(
    r"^(?:manufactur(?:e|ing|ers?)|production|provision|provid(?:ers?|ing)|producers?|makers?|making|operat(?:ors?|ion)"
    r"|develop(?:ers?|ment)|suppl(?:y|iers?)|vendors?|sale|activities|herstellung|erbringung|anbieter|fabrication"
    r"|fabricacion|produccion|hersteller|fabricants?|fournisseurs?) (?:of|von|de|d|des|du|di|der) "
)
_PREPOSITION = re.compile(r" (?:for|of|in|to|from|with|by|on|via|fur|von|pour|para|per|aus|im) ")
_CODE = re.compile(
    r"^(?:(?:naics|sic|nace|gics|isic|uk sic)[ -]*(?:code)?[ :#-]*)?[A-Z]?\d[\d.-]*\s*[-:.)\u2013|]*\s+(?=\D)", re.I
)
_EXCEPT = re.compile(
    r"\s*\([^()]*\b(?:except|excluding|excl|not)\b[^()]*\)"
    r"|[\s,]+(?:except|excluding|excl\.|other than|without|not including|ausser|sauf|hors|excepto)\s.*",
    re.I,
)
_APART = re.compile(r"\s*(?:[,;/|+&\u2022\u00b7>]|\b(?:and|und|et|y|e|en|or|oder)\b)\s*")
# Who ends so deals in what the words before name, and does not make it.
_DEALING_LINE = "wholesale wholesaler wholesalers stores store dealer dealers retail retailer retailers rental"
_DEALING = frozenset(_DEALING_LINE.split())
_FILLER_LINE = "and of the for in to und der die das de la le et y e di del des du von en a an"
_FILLERS = frozenset(_FILLER_LINE.split())
_SAY_LITTLE = _GENERIC | _FILLERS
# Other spellings, and other words for the same.
_SYNONYMS = read_pairs("industry", "synonyms.txt")
# Words that another one would look like without its ending.
_WHOLE = read_words("industry", "whole_words.txt")
_ENDINGS = (
    *("ications", "ication", "ations", "ation", "icals", "ical", "ities", "ity", "ments", "ment", "ings", "ing"),
    *("ancies", "ancy", "ants", "ries", "ers", "er", "ors", "or", "ists", "ist", "ives", "ive", "ies", "ics", "ic"),
    *("als", "al", "ed", "es", "e", "y", "s"),
)
_SHORTEST_STEM = 4
_ROUNDS = 2  # `educational` and `education` meet in the second
_LONGEST_LABEL = 12  # words: a longer text is a description


def stem(word: str) -> str:
    """What the forms of a folded word share: `bank`, `banks`, `banking` and `banker`."""
    word = _SYNONYMS.get(word, word)
    if word in _WHOLE:
        return word
    for _ in range(_ROUNDS):
        ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _SHORTEST_STEM), "")
        word = word.removesuffix(ending)
    return word


def _stems(folded: str) -> str:
    return " ".join(stem(word) for word in folded.split() if word not in _FILLERS)


@lru_cache(1)
def _by_stems() -> dict[str, Industries]:
    found: dict[str, Industries] = {}
    for label, industries in tree().labels.items():
        key = _stems(label)
        found[key] = found.get(key, NONE) | industries
    return found


@lru_cache(1)
def _run_together() -> dict[str, Industries]:
    """`eCommerce`, `health-care` and `Bio technology`: by the letters without spaces."""
    return {label.replace(" and ", " ").replace(" ", ""): industries for label, industries in tree().labels.items()}


@lru_cache(16384)
def meaning(label: str) -> Industries:
    """The industries that a label means; none where it is not understood or says too little ("B2B")."""
    listed = tree().labels.get(words(label))
    return listed if listed is not None else _worked_out(_EXCEPT.sub("", _CODE.sub("", label)))


def _worked_out(label: str) -> Industries:
    folded = words(label)
    if len(folded.split()) > _LONGEST_LABEL:
        return NONE
    whole = _look_up(folded)
    if whole:
        return whole
    if folded.rpartition(" ")[2] in _DEALING:
        return _head(folded)
    parts = [words(part) for part in _APART.split(label.lower()) if part.strip()]
    if len(parts) > 1 and (of_parts := NONE.union(*(_look_up(part) or _head(part) for part in parts))):
        return of_parts
    return _head(folded)


def _look_up(folded: str) -> Industries:
    """A folded label as it is, run together, or by its stems, with and without the words that say little."""
    for text in dict.fromkeys((folded, _DOING.sub("", folded))):
        for kept in _ever_shorter(text.split()):
            found = tree().labels.get(kept) or _run_together().get(kept.replace(" and ", " ").replace(" ", ""))
            if found is None and not _is_vague(kept):
                found = _by_stems().get(_stems(kept))
            if found:
                return found
    return NONE


def _ever_shorter(tokens: list[str]) -> Iterator[str]:
    """The words, then fewer and fewer of those at their ends that do not tell which industry it is."""
    while tokens:
        yield " ".join(tokens)
        if tokens[-1] in _SAY_LITTLE:
            tokens = tokens[:-1]
        elif tokens[0] in _SAY_LITTLE:
            tokens = tokens[1:]
        else:
            return


def _is_vague(folded: str) -> bool:
    return all(word in _SAY_LITTLE for word in folded.split())


def _head(folded: str) -> Industries:
    """What the main words of a phrase mean: those before a preposition, and of these the last."""
    phrase = _DOING.sub("", folded)
    for text in (_PREPOSITION.split(phrase, maxsplit=1)[0], phrase):
        for span in _spans(text.split()):
            if not _is_vague(span) and (found := _look_up(span)):
                return found
    return NONE


def _spans(tokens: list[str]) -> Iterator[str]:
    """Runs of the words: those that reach the end first, then the later ones, long before short."""
    for end in range(len(tokens), 0, -1):
        for start in range(end):
            yield " ".join(tokens[start:end])


def is_vague_label(label: str) -> bool:
    """Whether a label tells no industry: `Technology`, `B2B`, `Services`."""
    return not meaning(label) and _is_vague(words(label))


@lru_cache(16384)
def plain_words(label: str) -> tuple[str, ...]:
    """The stems of a label's telling words, for those that are not understood."""
    folded = words(label)
    shortest = list(_ever_shorter(folded.split()))[-1:]
    telling = _stems(shortest[0]) if shortest and not _is_vague(folded) else ""
    return tuple((telling or folded).split())


def same_words(a: str, b: str) -> bool:
    """Whether two labels that are not understood say the same, or one only says it more narrowly.

    `Basket weaving` and `underwater basket weaving`, but not `basket weaving` and `basket trade`.
    """
    short, long = sorted((plain_words(a), plain_words(b)), key=len)
    return bool(short) and (long[len(long) - len(short) :] == short or sorted(long) == sorted(short))
