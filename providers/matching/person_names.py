"""A person's first and last name, from one field that holds both or from an e-mail address."""

import re
from functools import cache
from importlib import resources
from typing import NamedTuple

from enrichment.catalogue import Refused, normalize
from enrichment.enums import EntityType
from enrichment.normalize.text.text import fold

_LONGEST = 120
_NOT_ONE_PERSON = re.compile(r"[@&/\\|<>=\d]|\b(?:and|und|et|or)\b", re.IGNORECASE)
_TAG_OR_COUNTER = re.compile(r"\+.*$|\d+$")
_PARTS = re.compile(r"[._\-]+")


class PersonName(NamedTuple):
    """First and last name, either may be unknown, and the confidence (0-1) in them."""

    first: str | None
    last: str | None
    confidence: float


def split_full_name(text: str) -> PersonName | None:
    """The two names in "Savveomi, Joana" or "DR. LEILA GRYLUSTAD"; None where the text does not tell them apart."""
    if len(text) > _LONGEST or _NOT_ONE_PERSON.search(text):
        return None
    from nameparser import HumanName  # noqa: PLC0415 -- big, and no start needs it

    parsed = HumanName(text)
    first, last = _name(parsed.first), _name(parsed.last)
    if not first or not last:
        return None
    if "," in text and fold(text).startswith(fold(parsed.last)):
        return PersonName(first, last, 0.98)
    return PersonName(first, last, 0.93 if parsed.middle else 0.97)


def names_of_email(email: str, first: str | None, last: str | None) -> PersonName | None:
    """The name that an address at work or at home says of its owner, given the part that is known already.

    `anna.schmidt@` is split only where one of the parts is a usual first name, or the known name; some firms write
    the last name first.
    """
    local = _TAG_OR_COUNTER.sub("", email.rpartition("@")[0].lower())
    parts = [part for part in _PARTS.split(local) if part]
    if not all(part.isalpha() for part in parts):
        return None
    if len(parts) == 2 and min(map(len, parts)) > 1:
        return _of_two_parts(parts[0], parts[1], first, last)
    if len(parts) == 1 and last and not first:
        return _before_the_initial(parts[0], last)
    return None


def _of_two_parts(left: str, right: str, first: str | None, last: str | None) -> PersonName | None:
    known = fold(last or first or "")
    if known:
        other = right if left == known else left if right == known else None
        if other is None:
            return None
        return PersonName(first or _name(other), last or _name(other), 0.95)
    usual = _given_names()
    if (left in usual) == (right in usual):
        return None
    given, family = (left, right) if left in usual else (right, left)
    return PersonName(_name(given), _name(family), 0.93)


def _before_the_initial(local: str, last: str) -> PersonName | None:
    """`leilaq@` of somebody called Quilnegrave is Leila, if that is a usual first name."""
    given = local.removesuffix(fold(last)[:1])
    if given == local or given not in _given_names():
        return None
    return PersonName(_name(given), last, 0.9)


def _name(text: str) -> str | None:
    try:
        name = normalize(EntityType.LEAD, "firstName", text)
    except Refused:
        return None
    return str(name) if name else None


@cache
def _given_names() -> frozenset[str]:
    return frozenset(resources.files("providers").joinpath("data", "given_names.txt").read_text("utf-8").split())
