"""How near two different values are to each other: a slip of the keyboard, or a short form."""

import re
from typing import Any

from rapidfuzz.distance import OSA

from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import fold

_TYPED = frozenset(
    {
        *(FieldKind.PERSON_NAME, FieldKind.COMPANY_NAME, FieldKind.TITLE, FieldKind.EMAIL, FieldKind.WEBSITE),
        *(FieldKind.DOMAIN, FieldKind.COMPANY_DOMAIN, FieldKind.LINKEDIN_PERSON, FieldKind.LINKEDIN_COMPANY),
        *(FieldKind.TWITTER_HANDLE, FieldKind.TWITTER_URL, FieldKind.FACEBOOK_URL, FieldKind.STREET, FieldKind.CITY),
        *(FieldKind.POSTAL_CODE, FieldKind.PHONE, FieldKind.YEAR),
    }
)
_DIGITS = frozenset({FieldKind.PHONE, FieldKind.POSTAL_CODE, FieldKind.YEAR})
_MEASURED = frozenset({FieldKind.COUNT, FieldKind.MONEY})
_TWO_SLIPS_FROM = 9  # so many characters may hold two slips
_SHORTEST = 4
_ACRONYM = 3  # so many letters tell a name by themselves
_DIGIT = re.compile(r"\d+")
_WORD = re.compile(r"[^\W_]+")


def is_slip(kind: FieldKind, a: Any, b: Any) -> bool:
    """Whether two values differ by a keystroke or two, as one does that was typed wrong."""
    if kind in _MEASURED:
        return _is_digit_slip(str(a), str(b))
    if kind not in _TYPED:
        return False
    return any(_is_text_slip(kind, one, other) for one, other in zip(_forms(kind, a), _forms(kind, b), strict=True))


def _is_text_slip(kind: FieldKind, one: str, other: str) -> bool:
    if kind in _DIGITS:
        return len(one) == len(other) >= _SHORTEST and OSA.distance(one, other) == 1
    if min(len(one), len(other)) < _SHORTEST or _DIGIT.findall(one) != _DIGIT.findall(other):
        return False
    return 0 < OSA.distance(one, other) <= (1 if min(len(one), len(other)) < _TWO_SLIPS_FROM else 2)


def _is_digit_slip(one: str, other: str) -> bool:
    """A digit left out, doubled or exchanged; among them a zero too few or too many."""
    return one.isdecimal() and other.isdecimal() and min(len(one), len(other)) > 2 and OSA.distance(one, other) == 1


def _forms(kind: FieldKind, value: Any) -> tuple[str, ...]:
    """The texts by which two values are compared: of a company's name also what is left without its legal form."""
    if kind is FieldKind.PHONE:
        return (re.sub(r"\D", "", value),)
    text = fold(str(value))
    return (text, core_name(text)) if kind is FieldKind.COMPANY_NAME else (text,)


def is_short_form(kind: FieldKind, short: Any, full: Any) -> bool:
    """Whether the one is the acronym, or a part, of a company's name that the other says in full."""
    if kind is not FieldKind.COMPANY_NAME:
        return False
    parts, whole = core_name(str(short)).split(), core_name(str(full)).split()
    if not parts or len(parts) >= max(len(whole), 2):
        return False
    return (len(parts) == 1 and _is_acronym(parts[0], str(full), whole)) or set(parts) < set(whole)


def _is_acronym(short: str, full: str, core: list[str]) -> bool:
    """Whether a word is made of first letters of the name, in their order, also of its legal form: few are left out."""
    initials = "".join(word[0] for word in core)
    if short == initials or (len(core) > 2 and initials.startswith(short[:_ACRONYM])):
        return True
    letters = "".join(word[0] for word in _WORD.findall(fold(full)))
    rest = iter(letters)
    return len(short) >= _ACRONYM and short[0] == letters[:1] and all(letter in rest for letter in short)
