"""The field catalogue: the CRM's fields, what each holds, and how raw values become canonical ones."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from enrichment.enums import EntityType, FieldUnit
from enrichment.normalize import field_kind
from enrichment.normalize.earlier import earlier, earlier_key, may_differ
from enrichment.normalize.field_kind import FieldKind, canonical, key_of
from enrichment.normalize.text.text import Refused

__all__ = [
    "Field",
    "FieldKind",
    "Refused",
    "completeness",
    "disputing_parts",
    "earlier_form",
    "fields_of",
    "is_contradiction",
    "is_equivalent",
    "is_too_generic",
    "normalize",
    "parts_of",
    "reads_by_country",
    "says_nothing",
    "units_of",
    "value_key",
    "value_keys",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the CRM.

    `identifying`: it can tell which entity this is. `enrichable`: it counts for completeness and may be wanted.
    `unit`: the whole that it is a part of, None where it stands alone.
    """

    name: str
    entity_types: frozenset[EntityType]
    kind: FieldKind
    identifying: bool
    enrichable: bool
    unit: FieldUnit | None = None


Hints = Mapping[str, Any]
NO_HINTS: Hints = MappingProxyType({})

_PLACE = {
    "street": FieldKind.STREET,
    "city": FieldKind.CITY,
    "state": FieldKind.STATE,
    "postalCode": FieldKind.POSTAL_CODE,
    "country": FieldKind.COUNTRY,
}
_PERSON_KINDS = {
    "firstName": FieldKind.PERSON_NAME,
    "lastName": FieldKind.PERSON_NAME,
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "mobilePhone": FieldKind.PHONE,
    "title": FieldKind.TITLE,
    "department": FieldKind.DEPARTMENT,
    "seniorityLevel": FieldKind.SENIORITY,
    "company": FieldKind.COMPANY_NAME,
    "companyDomain": FieldKind.COMPANY_DOMAIN,
    "linkedinUrl": FieldKind.LINKEDIN_PERSON,
    "twitterHandle": FieldKind.TWITTER_HANDLE,
    "avatarUrl": FieldKind.LINK,
    "industry": FieldKind.INDUSTRY,
    "numberOfEmployees": FieldKind.COUNT,
    "annualRevenue": FieldKind.MONEY,
    "website": FieldKind.WEBSITE,
    **_PLACE,
}
_ACCOUNT_KINDS = {
    "name": FieldKind.COMPANY_NAME,
    "domain": FieldKind.DOMAIN,
    "website": FieldKind.WEBSITE,
    "phone": FieldKind.PHONE,
    "industry": FieldKind.INDUSTRY,
    "subIndustry": FieldKind.SUB_INDUSTRY,
    "type": FieldKind.TEXT,
    "numberOfEmployees": FieldKind.COUNT,
    "annualRevenue": FieldKind.MONEY,
    "foundedYear": FieldKind.YEAR,
    "description": FieldKind.DESCRIPTION,
    "logoUrl": FieldKind.LINK,
    "linkedinUrl": FieldKind.LINKEDIN_COMPANY,
    "twitterUrl": FieldKind.TWITTER_URL,
    "facebookUrl": FieldKind.FACEBOOK_URL,
    **_PLACE,
    "techStack": FieldKind.LIST,
    "tags": FieldKind.LIST,
    "naicsCode": FieldKind.NAICS,
    "sicCode": FieldKind.SIC,
    "stockSymbol": FieldKind.STOCK_SYMBOL,
    "parentCompany": FieldKind.COMPANY_NAME,
}
_IDENTIFYING = frozenset(
    {
        *("firstName", "lastName", "email", "phone", "mobilePhone", "company", "companyDomain", "website"),
        *("linkedinUrl", "twitterHandle", "name", "domain", "twitterUrl", "facebookUrl", "stockSymbol"),
    }
)
# What an account is to the users of the CRM; no provider knows it, and completeness does not count it.
_NOT_ENRICHABLE = frozenset({"type"})
_ADDRESS = dict.fromkeys(_PLACE, FieldUnit.ADDRESS)
_EMPLOYMENT = dict.fromkeys(
    ("company", "companyDomain", "title", "department", "seniorityLevel", "email", "phone"), FieldUnit.EMPLOYMENT
)
# An answer that differs from the record in one of these is about another place, or another employer.
_DISPUTING: Mapping[FieldUnit, frozenset[str]] = {
    FieldUnit.ADDRESS: frozenset({"city", "state", "postalCode", "country"}),
    FieldUnit.EMPLOYMENT: frozenset({"company", "companyDomain"}),
}


def _fields(
    kinds: Mapping[str, FieldKind], units: Mapping[str, FieldUnit], *entity_types: EntityType
) -> Mapping[str, Field]:
    owners = frozenset(entity_types)
    fields = {
        name: Field(name, owners, kind, name in _IDENTIFYING, name not in _NOT_ENRICHABLE, units.get(name))
        for name, kind in kinds.items()
    }
    return MappingProxyType(fields)


_PERSON_FIELDS = _fields(_PERSON_KINDS, _ADDRESS | _EMPLOYMENT, EntityType.LEAD, EntityType.CONTACT)
_FIELDS: Mapping[EntityType, Mapping[str, Field]] = {
    EntityType.LEAD: _PERSON_FIELDS,
    EntityType.CONTACT: _PERSON_FIELDS,
    EntityType.ACCOUNT: _fields(_ACCOUNT_KINDS, _ADDRESS, EntityType.ACCOUNT),
}
_UNITS: Mapping[EntityType, Mapping[FieldUnit, tuple[str, ...]]] = {
    entity_type: {
        unit: parts for unit in FieldUnit if (parts := tuple(name for name in fields if fields[name].unit is unit))
    }
    for entity_type, fields in _FIELDS.items()
}
_ENRICHABLE = {
    entity_type: frozenset(name for name, known in fields.items() if known.enrichable)
    for entity_type, fields in _FIELDS.items()
}


def fields_of(entity_type: EntityType) -> Mapping[str, Field]:
    """The fields of an entity type by name, in catalogue order."""
    return _FIELDS[entity_type]


def units_of(entity_type: EntityType) -> Mapping[FieldUnit, tuple[str, ...]]:
    """The wholes that an entity type has, each with its parts in catalogue order."""
    return _UNITS[entity_type]


def parts_of(entity_type: EntityType, unit: FieldUnit) -> tuple[str, ...]:
    """The fields of a unit, in catalogue order; empty where the entity type has no such unit."""
    return _UNITS[entity_type].get(unit, ())


def disputing_parts(unit: FieldUnit) -> frozenset[str]:
    """The parts by which an answer about another place, or another employer, is known."""
    return _DISPUTING[unit]


def normalize(entity_type: EntityType, field_name: str, raw: Any, *, hints: Hints = NO_HINTS) -> Any | None:
    """The canonical JSON value of a raw one; None when it is empty or a placeholder.

    `hints` are the other canonical values of the record: phones and states are read as those of its country.
    Raises Refused when the value cannot be this field's, KeyError when the entity type has no such field.
    """
    return canonical(_FIELDS[entity_type][field_name].kind, raw, hints.get("country"))


def earlier_form(entity_type: EntityType, field_name: str, raw: Any, *, hints: Hints = NO_HINTS) -> Any | None:
    """What an earlier version stored for a raw value, where that is another value than today's; else None."""
    kind, country = _FIELDS[entity_type][field_name].kind, hints.get("country")
    if not may_differ(kind, raw):
        return None
    try:
        before = earlier(kind, raw, country)
    except Refused:
        return None
    try:
        return None if before == canonical(kind, raw, country) else before
    except Refused:
        return before


def reads_by_country(entity_type: EntityType, field_name: str) -> bool:
    """Whether what a raw value of the field means depends on the record's country."""
    return field_kind.reads_by_country(_FIELDS[entity_type][field_name].kind)


def says_nothing(entity_type: EntityType, field_name: str, value: Any) -> bool:
    """Whether a canonical value fills its field without saying anything: `Other` or `???` as an industry."""
    return field_kind.says_nothing(_FIELDS[entity_type][field_name].kind, value)


def is_equivalent(entity_type: EntityType, field_name: str, a: Any, b: Any) -> bool:
    """Whether two canonical values are equal for a person: a legal suffix, `www.`, a count within a range."""
    if a is None or b is None:
        return a is b
    return bool(a == b) or field_kind.is_equivalent(_FIELDS[entity_type][field_name].kind, a, b)


def is_contradiction(entity_type: EntityType, field_name: str, a: Any, b: Any) -> bool:
    """Whether two canonical counts or amounts differ by half or more; other values never do."""
    return a is not None and b is not None and field_kind.is_contradiction(_FIELDS[entity_type][field_name].kind, a, b)


def is_too_generic(entity_type: EntityType, field_name: str, value: Any) -> bool:
    """Whether a canonical value is too general to differ from another: `Technology`, `Services` as an industry."""
    return field_kind.is_too_generic(_FIELDS[entity_type][field_name].kind, value)


_LONGEST_KEY = 64
_READABLE = 31


def value_key(entity_type: EntityType, field_name: str, value: Any) -> str:
    """A stable key of at most 64 characters, equal for values that are `is_equivalent` as far as a key can say.

    It cannot for a count and a range that holds it, nor for two counts on either side of a step of ten per cent.
    """
    return _short(key_of(_FIELDS[entity_type][field_name].kind, value))


def value_keys(entity_type: EntityType, field_name: str, value: Any) -> set[str]:
    """The key of a value, and the one under which an earlier version may have stored it."""
    earlier_one = earlier_key(_FIELDS[entity_type][field_name].kind, value)
    return {value_key(entity_type, field_name, value), _short(earlier_one)}


def _short(key: str) -> str:
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_READABLE]}~{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def completeness(entity_type: EntityType, values: Mapping[str, Any]) -> float:
    """The share (0-1) of the enrichable fields that are filled."""
    wanted = _ENRICHABLE[entity_type]
    return sum(1 for name, value in values.items() if value is not None and name in wanted) / len(wanted)
