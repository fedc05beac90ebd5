"""The ways in which a value is wrong: in a CRM, and at a source."""

import random
import string
from collections.abc import Callable, Mapping
from typing import Any

from phonenumbers import PhoneNumberType

from enrichment.enums import EntityType
from service.score.worlds.entities import Entity, Facts, company, phone, somebody

_TEXTS = frozenset(
    {
        "firstName",
        "lastName",
        "company",
        "name",
        "email",
        "city",
        "street",
        "website",
        "domain",
        "companyDomain",
        "title",
    }
)
_ABROAD = ("United States", "Germany", "United Kingdom", "France", "India", "Spain", "Japan")


def typo(rng: random.Random, name: str, value: Any) -> Any:
    """The value with a slip of the keyboard."""
    text = str(value)
    places = [index for index, char in enumerate(text) if char.isalnum() and index > (0 if name != "phone" else 3)]
    if name == "email":
        places = [index for index in places if index < text.index("@") or rng.random() < 0.5]
    if name == "website":
        places = [index for index in places if index > 8]
    if len(places) < 2:
        return None
    at = rng.choice(places)
    kind = rng.random()
    pool = string.digits if text[at].isdigit() else string.ascii_lowercase
    if kind < 0.3 and at + 1 < len(text) and text[at + 1].isalnum():
        wrong = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    elif kind < 0.6 and not text[at].isdigit():
        wrong = text[:at] + text[at + 1 :]
    elif kind < 0.8 and not text[at].isdigit():
        wrong = text[:at] + text[at] + text[at:]
    else:
        wrong = text[:at] + rng.choice(pool) + text[at + 1 :]
    return int(wrong) if isinstance(value, int) and wrong.isdigit() else wrong


def spoil(rng: random.Random, kind: str, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    """A wrong value of this kind for a field; None where the kind makes none. `other` is another entity's facts."""
    return _KINDS[kind](rng, name, entity, right, other)


def _stale(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    return None if entity.before is None else entity.before.get(name)


def _typo(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    return (
        typo(rng, name, right[name])
        if name in _TEXTS or name in {"phone", "foundedYear", "postalCode", "numberOfEmployees"}
        else None
    )


def _others(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    return other.get(name)


_SWAPPED = {
    "firstName": "lastName",
    "lastName": "firstName",
    "city": "country",
    "company": "title",
    "title": "company",
    "name": "city",
}


def _swapped(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    return right.get(_SWAPPED.get(name, ""))


def _abroad(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    """A number that was read as one of another country; a country picked wrong from a list."""
    elsewhere = rng.choice([country for country in _ABROAD if country != right.get("country")])
    if name in {"phone", "mobilePhone"}:
        return phone(rng, elsewhere, PhoneNumberType.FIXED_LINE if name == "phone" else PhoneNumberType.MOBILE)
    return elsewhere if name == "country" else None


def _generic(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    if name == "email":
        domain = right["email"].partition("@")[2]
        return rng.choice(
            (
                f"info@{domain}",
                f"sales@{domain}",
                f"office@{domain}",
                f"{rng.choice(string.ascii_lowercase)}{rng.randrange(99)}@gmail.com",
            )
        )
    return rng.choice(("Technology", "Services", "B2B")) if name == "industry" else None


def _size(rng: random.Random, name: str, entity: Entity, right: Facts, other: Facts) -> Any:
    factor = rng.choice((0.1, 0.2, 0.5, 2.2, 3.0, 10.0))
    return max(1, round(right[name] * factor)) if name == "numberOfEmployees" else None


_KINDS: Mapping[str, Callable[[random.Random, str, Entity, Facts, Facts], Any]] = {
    "stale": _stale,
    "typo": _typo,
    "another's": _others,
    "swapped": _swapped,
    "abroad": _abroad,
    "generic": _generic,
    "another size": _size,
}
KINDS = tuple(_KINDS)

_MADE = {
    "typo": _TEXTS | {"phone", "foundedYear", "postalCode", "numberOfEmployees"},
    "swapped": frozenset(_SWAPPED),
    "abroad": frozenset({"phone", "mobilePhone", "country"}),
    "generic": frozenset({"email", "industry"}),
    "another size": frozenset({"numberOfEmployees"}),
}


def makes(kind: str, name: str) -> bool:
    """Whether values of this field can be wrong in this way."""
    return kind not in _MADE or name in _MADE[kind]


def somebody_else(rng: random.Random, entity: Entity) -> Facts:
    """The facts of another entity of the same type."""
    return company(rng) if entity.entity_type is EntityType.ACCOUNT else somebody(rng)
