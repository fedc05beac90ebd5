"""The field catalogue: for each field of the CRM its kind, normalizer, comparer and which entities have it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from enrichment.normalize.company_name import canonical_company, company_key
from enrichment.normalize.country import canonical_country
from enrichment.normalize.email import canonical_email
from enrichment.normalize.industry import canonical_industry, industry_key
from enrichment.normalize.listing import canonical_list, list_key
from enrichment.normalize.number import canonical_count, canonical_money, canonical_year, same_quantity
from enrichment.normalize.person_name import canonical_person_name
from enrichment.normalize.phone import canonical_phone
from enrichment.normalize.place import (
    canonical_city,
    canonical_postal_code,
    canonical_state,
    city_key,
    postal_key,
    same_state,
)
from enrichment.normalize.social import (
    canonical_facebook,
    canonical_linkedin_company,
    canonical_linkedin_person,
    canonical_twitter_handle,
    canonical_twitter_url,
)
from enrichment.normalize.text import Refused, fold
from enrichment.normalize.url import canonical_domain, canonical_link, canonical_website, website_key
from enrichment.normalize.wording import (
    canonical_description,
    canonical_naics,
    canonical_sic,
    canonical_symbol,
    canonical_text,
    canonical_title,
    word_key,
)
from enrichment.vocabulary import EntityType

__all__ = [
    "Clean",
    "Field",
    "FieldKind",
    "Refused",
    "clean",
    "completeness",
    "fields_of",
    "normalize",
    "same",
    "value_key",
]


class FieldKind(StrEnum):
    """What sort of value a field holds; it decides the normalizer and the comparer."""

    TEXT = "text"
    DESCRIPTION = "description"
    PERSON_NAME = "person_name"
    NAME = "name"
    TITLE = "title"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    LINK = "link"
    DOMAIN = "domain"
    LINKEDIN_PERSON = "linkedin_person"
    LINKEDIN_COMPANY = "linkedin_company"
    TWITTER_HANDLE = "twitter_handle"
    TWITTER_URL = "twitter_url"
    FACEBOOK = "facebook"
    INDUSTRY = "industry"
    INTEGER = "integer"
    MONEY = "money"
    YEAR = "year"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"
    LIST = "list"
    NAICS = "naics"
    SIC = "sic"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the CRM."""

    name: str
    entity_types: frozenset[EntityType]
    kind: FieldKind
    identifying: bool
    enrichable: bool


Hints = Mapping[str, Any]
NO_HINTS: Hints = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Rule:
    normalize: Callable[[Any, Hints], Any]
    key: Callable[[Any], str]
    same: Callable[[Any, Any], bool] | None = None


def _plain(normalizer: Callable[[Any], Any]) -> Callable[[Any, Hints], Any]:
    return lambda raw, hints: normalizer(raw)


def _with_country(normalizer: Callable[[Any, str | None], Any]) -> Callable[[Any, Hints], Any]:
    return lambda raw, hints: normalizer(raw, hints.get("country"))


_RULES: dict[FieldKind, _Rule] = {
    FieldKind.TEXT: _Rule(_plain(canonical_text), word_key),
    FieldKind.DESCRIPTION: _Rule(_plain(canonical_description), word_key),
    FieldKind.PERSON_NAME: _Rule(_plain(canonical_person_name), word_key),
    FieldKind.NAME: _Rule(_plain(canonical_company), company_key),
    FieldKind.TITLE: _Rule(_plain(canonical_title), word_key),
    FieldKind.EMAIL: _Rule(_plain(canonical_email), fold),
    FieldKind.PHONE: _Rule(_with_country(canonical_phone), str),
    FieldKind.URL: _Rule(_plain(canonical_website), website_key),
    FieldKind.LINK: _Rule(_plain(canonical_link), str),
    FieldKind.DOMAIN: _Rule(_plain(canonical_domain), website_key),
    FieldKind.LINKEDIN_PERSON: _Rule(_plain(canonical_linkedin_person), str),
    FieldKind.LINKEDIN_COMPANY: _Rule(_plain(canonical_linkedin_company), str),
    FieldKind.TWITTER_HANDLE: _Rule(_plain(canonical_twitter_handle), str),
    FieldKind.TWITTER_URL: _Rule(_plain(canonical_twitter_url), str),
    FieldKind.FACEBOOK: _Rule(_plain(canonical_facebook), str),
    FieldKind.INDUSTRY: _Rule(_plain(canonical_industry), industry_key),
    FieldKind.INTEGER: _Rule(_plain(canonical_count), str, same_quantity),
    FieldKind.MONEY: _Rule(_plain(canonical_money), str, same_quantity),
    FieldKind.YEAR: _Rule(_plain(canonical_year), str),
    FieldKind.STREET: _Rule(_plain(canonical_text), word_key),
    FieldKind.CITY: _Rule(_plain(canonical_city), city_key),
    FieldKind.STATE: _Rule(_with_country(canonical_state), word_key, same_state),
    FieldKind.POSTAL_CODE: _Rule(_with_country(canonical_postal_code), postal_key),
    FieldKind.COUNTRY: _Rule(_plain(canonical_country), word_key),
    FieldKind.LIST: _Rule(_plain(canonical_list), list_key),
    FieldKind.NAICS: _Rule(_plain(canonical_naics), str),
    FieldKind.SIC: _Rule(_plain(canonical_sic), str),
    FieldKind.SYMBOL: _Rule(_plain(canonical_symbol), str),
}

_PEOPLE = frozenset({EntityType.LEAD, EntityType.CONTACT})
_ACCOUNTS = frozenset({EntityType.ACCOUNT})


def _fields(
    entity_types: frozenset[EntityType],
    kinds: Mapping[str, FieldKind],
    identifying: str,
    not_enrichable: str = "",
) -> Mapping[str, Field]:
    fields = {
        name: Field(name, entity_types, kind, name in identifying.split(), name not in not_enrichable.split())
        for name, kind in kinds.items()
    }
    return MappingProxyType(fields)


_PLACE = {
    "street": FieldKind.STREET,
    "city": FieldKind.CITY,
    "state": FieldKind.STATE,
    "postalCode": FieldKind.POSTAL_CODE,
    "country": FieldKind.COUNTRY,
}

_PERSON_FIELDS = _fields(
    _PEOPLE,
    {
        "firstName": FieldKind.PERSON_NAME,
        "lastName": FieldKind.PERSON_NAME,
        "email": FieldKind.EMAIL,
        "phone": FieldKind.PHONE,
        "mobilePhone": FieldKind.PHONE,
        "title": FieldKind.TITLE,
        "department": FieldKind.TEXT,
        "seniorityLevel": FieldKind.TEXT,
        "company": FieldKind.NAME,
        "companyDomain": FieldKind.DOMAIN,
        "linkedinUrl": FieldKind.LINKEDIN_PERSON,
        "twitterHandle": FieldKind.TWITTER_HANDLE,
        "avatarUrl": FieldKind.LINK,
        "industry": FieldKind.INDUSTRY,
        "numberOfEmployees": FieldKind.INTEGER,
        "annualRevenue": FieldKind.MONEY,
        "website": FieldKind.URL,
        **_PLACE,
    },
    "firstName lastName email phone mobilePhone company companyDomain linkedinUrl twitterHandle website",
)
_ACCOUNT_FIELDS = _fields(
    _ACCOUNTS,
    {
        "name": FieldKind.NAME,
        "domain": FieldKind.DOMAIN,
        "website": FieldKind.URL,
        "phone": FieldKind.PHONE,
        "industry": FieldKind.INDUSTRY,
        "subIndustry": FieldKind.INDUSTRY,
        "type": FieldKind.TEXT,
        "numberOfEmployees": FieldKind.INTEGER,
        "annualRevenue": FieldKind.MONEY,
        "foundedYear": FieldKind.YEAR,
        "description": FieldKind.DESCRIPTION,
        "logoUrl": FieldKind.LINK,
        "linkedinUrl": FieldKind.LINKEDIN_COMPANY,
        "twitterUrl": FieldKind.TWITTER_URL,
        "facebookUrl": FieldKind.FACEBOOK,
        **_PLACE,
        "techStack": FieldKind.LIST,
        "tags": FieldKind.LIST,
        "naicsCode": FieldKind.NAICS,
        "sicCode": FieldKind.SIC,
        "stockSymbol": FieldKind.SYMBOL,
        "parentCompany": FieldKind.NAME,
    },
    "name domain website phone linkedinUrl twitterUrl facebookUrl stockSymbol",
    not_enrichable="type",
)


def fields_of(entity_type: EntityType) -> Mapping[str, Field]:
    """The fields of an entity type by name, in catalogue order."""
    return _ACCOUNT_FIELDS if entity_type is EntityType.ACCOUNT else _PERSON_FIELDS


def _rule(entity_type: EntityType, field_name: str) -> _Rule:
    return _RULES[fields_of(entity_type)[field_name].kind]


def normalize(entity_type: EntityType, field_name: str, raw: Any, *, hints: Hints = NO_HINTS) -> Any | None:
    """The canonical JSON value of a raw one; None when it is empty or a placeholder.

    `hints` are the other canonical values of the record: the country tells how to read phones and states.
    Raises Refused when the value cannot be this field's, KeyError when the entity type has no such field.
    """
    return _rule(entity_type, field_name).normalize(raw, hints)


def same(entity_type: EntityType, field_name: str, a: Any, b: Any) -> bool:
    """Whether two canonical values are equal for a person: a legal suffix, `www.`, a count within a range."""
    if a is None or b is None:
        return a is b
    if a == b:
        return True
    rule = _rule(entity_type, field_name)
    return rule.same(a, b) if rule.same else rule.key(a) == rule.key(b)


_LONGEST_KEY = 64


def value_key(entity_type: EntityType, field_name: str, value: Any) -> str:
    """A stable key of at most 64 characters, equal for values that are `same` as far as a key can say."""
    key = _rule(entity_type, field_name).key(value)
    if len(key) <= _LONGEST_KEY:
        return key
    return key[:31] + "~" + hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


@dataclass(slots=True)
class Clean:
    """What became of the raw fields of a record."""

    values: dict[str, Any] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()
    unknown: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, tuple[Any, str]] = field(default_factory=dict)


def clean(entity_type: EntityType, raw: Mapping[str, Any]) -> Clean:
    """Sort a record's raw fields into canonical values, cleared, unknown and refused ones. Never raises for a bad value."""
    fields = fields_of(entity_type)
    result = Clean(unknown={name: value for name, value in raw.items() if name not in fields})
    cleared = []
    names = sorted((name for name in raw if name in fields), key=lambda name: name != "country")
    for name in names:
        try:
            value = normalize(entity_type, name, raw[name], hints=result.values)
        except Refused as refusal:
            result.refused[name] = (raw[name], str(refusal))
            continue
        if value is None:
            cleared.append(name)
        else:
            result.values[name] = value
    result.cleared = tuple(cleared)
    return result


def completeness(entity_type: EntityType, values: Mapping[str, Any]) -> float:
    """The share (0-1) of the enrichable fields that are filled."""
    wanted = [f.name for f in fields_of(entity_type).values() if f.enrichable]
    return sum(values.get(name) is not None for name in wanted) / len(wanted)
