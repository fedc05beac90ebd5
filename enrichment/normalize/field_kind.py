"""For each kind of field: how a raw value becomes canonical, and when two canonical values are the same."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from enrichment.normalize.cell import one_value
from enrichment.normalize.contact.email import canonical_email
from enrichment.normalize.contact.phone import canonical_phone, phone_key, same_phone
from enrichment.normalize.contact.social import (
    canonical_facebook,
    canonical_linkedin_company,
    canonical_linkedin_person,
    canonical_twitter_handle,
    canonical_twitter_url,
)
from enrichment.normalize.contact.url import (
    canonical_company_domain,
    canonical_domain,
    canonical_link,
    canonical_website,
    link_key,
    website_key,
)
from enrichment.normalize.industry.industry import canonical_industry, industry_key, is_vague_label, same_industry
from enrichment.normalize.industry.industry import says_nothing as is_empty_label
from enrichment.normalize.names.company_name import canonical_company, company_key
from enrichment.normalize.names.person_name import canonical_person_name, person_key
from enrichment.normalize.numbers.codes import (
    canonical_naics,
    canonical_sic,
    canonical_symbol,
    code_key,
    same_code,
    symbol_key,
)
from enrichment.normalize.numbers.number import (
    canonical_count,
    canonical_money,
    is_far_off,
    is_foreign,
    quantity_key,
    same_quantity,
)
from enrichment.normalize.numbers.year import canonical_year, same_year
from enrichment.normalize.places.address import canonical_postal_code, canonical_street, postal_key, street_key
from enrichment.normalize.places.city import canonical_city, city_key, same_city
from enrichment.normalize.places.country import canonical_country
from enrichment.normalize.places.state import canonical_state, is_well_known, same_state, state_key
from enrichment.normalize.text.listing import canonical_list, list_key
from enrichment.normalize.text.plain import canonical_description, canonical_text
from enrichment.normalize.text.text import Refused, fold, words
from enrichment.normalize.titles.department import canonical_department
from enrichment.normalize.titles.seniority import canonical_seniority
from enrichment.normalize.titles.title import canonical_title, same_title, title_key


class FieldKind(StrEnum):
    """What sort of value a field holds; it decides the normalizer and the comparer."""

    TEXT = "text"
    DESCRIPTION = "description"
    PERSON_NAME = "person_name"
    COMPANY_NAME = "company_name"
    TITLE = "title"
    DEPARTMENT = "department"
    SENIORITY = "seniority"
    EMAIL = "email"
    PHONE = "phone"
    WEBSITE = "website"
    DOMAIN = "domain"
    COMPANY_DOMAIN = "company_domain"
    LINK = "link"
    LINKEDIN_PERSON = "linkedin_person"
    LINKEDIN_COMPANY = "linkedin_company"
    TWITTER_HANDLE = "twitter_handle"
    TWITTER_URL = "twitter_url"
    FACEBOOK_URL = "facebook_url"
    INDUSTRY = "industry"
    SUB_INDUSTRY = "sub_industry"
    COUNT = "count"
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
    STOCK_SYMBOL = "stock_symbol"


@dataclass(frozen=True, slots=True)
class _Rule:
    """`key` maps what is the same to one text; `same` says more than a key can (a count within a range)."""

    normalize: Callable[[Any], Any]
    key: Callable[[Any], str]
    same: Callable[[Any, Any], bool] | None = None


_RULES: dict[FieldKind, _Rule] = {
    FieldKind.TEXT: _Rule(canonical_text, words),
    FieldKind.DESCRIPTION: _Rule(canonical_description, words),
    FieldKind.PERSON_NAME: _Rule(canonical_person_name, person_key),
    FieldKind.COMPANY_NAME: _Rule(canonical_company, company_key),
    FieldKind.TITLE: _Rule(canonical_title, title_key, same_title),
    FieldKind.DEPARTMENT: _Rule(canonical_department, words),
    FieldKind.SENIORITY: _Rule(canonical_seniority, words),
    FieldKind.EMAIL: _Rule(canonical_email, fold),
    FieldKind.PHONE: _Rule(canonical_phone, phone_key, same_phone),
    FieldKind.WEBSITE: _Rule(canonical_website, website_key),
    FieldKind.DOMAIN: _Rule(canonical_domain, website_key),
    FieldKind.COMPANY_DOMAIN: _Rule(canonical_company_domain, website_key),
    FieldKind.LINK: _Rule(canonical_link, link_key),
    FieldKind.LINKEDIN_PERSON: _Rule(canonical_linkedin_person, str),
    FieldKind.LINKEDIN_COMPANY: _Rule(canonical_linkedin_company, str),
    FieldKind.TWITTER_HANDLE: _Rule(canonical_twitter_handle, str),
    FieldKind.TWITTER_URL: _Rule(canonical_twitter_url, str),
    FieldKind.FACEBOOK_URL: _Rule(canonical_facebook, str),
    FieldKind.INDUSTRY: _Rule(canonical_industry, industry_key, same_industry),
    FieldKind.SUB_INDUSTRY: _Rule(canonical_industry, industry_key, same_industry),
    FieldKind.COUNT: _Rule(canonical_count, quantity_key, same_quantity),
    FieldKind.MONEY: _Rule(canonical_money, quantity_key, same_quantity),
    FieldKind.YEAR: _Rule(canonical_year, str, same_year),
    FieldKind.STREET: _Rule(canonical_street, street_key),
    FieldKind.CITY: _Rule(canonical_city, city_key, same_city),
    FieldKind.STATE: _Rule(canonical_state, state_key, same_state),
    FieldKind.POSTAL_CODE: _Rule(canonical_postal_code, postal_key),
    FieldKind.COUNTRY: _Rule(canonical_country, words),
    FieldKind.LIST: _Rule(canonical_list, list_key),
    FieldKind.NAICS: _Rule(canonical_naics, code_key, same_code),
    FieldKind.SIC: _Rule(canonical_sic, code_key, same_code),
    FieldKind.STOCK_SYMBOL: _Rule(canonical_symbol, symbol_key),
}
# The kinds that are read by the record's country.
_BY_COUNTRY: dict[FieldKind, Callable[[Any, str | None], Any]] = {
    FieldKind.PHONE: canonical_phone,
    FieldKind.STATE: canonical_state,
    FieldKind.POSTAL_CODE: canonical_postal_code,
}
# The kinds whose cells may hold a value twice, or a value and a remark; and those of them with spaces in the value.
_IN_CELLS = frozenset(
    {
        *(FieldKind.EMAIL, FieldKind.PHONE, FieldKind.WEBSITE, FieldKind.DOMAIN, FieldKind.COMPANY_DOMAIN),
        *(FieldKind.LINKEDIN_PERSON, FieldKind.LINKEDIN_COMPANY, FieldKind.TWITTER_HANDLE, FieldKind.TWITTER_URL),
        *(FieldKind.FACEBOOK_URL, FieldKind.COUNT, FieldKind.MONEY, FieldKind.YEAR, FieldKind.COUNTRY),
        *(FieldKind.NAICS, FieldKind.SIC, FieldKind.STOCK_SYMBOL),
    }
)
_SPACED = frozenset(
    {FieldKind.PHONE, FieldKind.COUNT, FieldKind.MONEY, FieldKind.YEAR, FieldKind.COUNTRY, FieldKind.STOCK_SYMBOL}
)
_IN_WORDS = frozenset({FieldKind.INDUSTRY, FieldKind.SUB_INDUSTRY})
_MEASURED = frozenset({FieldKind.COUNT, FieldKind.MONEY})
_LONGEST_REMEMBERED = 200
_MOST_ROUNDS = 4


def canonical(kind: FieldKind, raw: Any, country: str | None) -> Any | None:
    """The canonical value of a raw one; None when it is empty. Raises Refused."""
    if not is_remembered(kind, raw):
        return _worked_out(kind, raw, country)
    value, reason = _remembered(kind, raw, country if kind in _BY_COUNTRY else None)
    if reason is not None:
        raise Refused(reason)
    return value


def is_remembered(kind: FieldKind, raw: Any) -> bool:
    """Whether what a raw value comes to is kept: many records name the same companies and places."""
    return isinstance(raw, str) and len(raw) <= _LONGEST_REMEMBERED and kind is not FieldKind.LIST


@lru_cache(32768)
def _remembered(kind: FieldKind, raw: str, country: str | None) -> tuple[Any, str | None]:
    try:
        return _worked_out(kind, raw, country), None
    except Refused as refusal:
        return None, str(refusal)


def _worked_out(kind: FieldKind, raw: Any, country: str | None) -> Any | None:
    return worked_out(raw, lambda value: _once(kind, value, country))


def worked_out(raw: Any, once: Callable[[Any], Any | None]) -> Any | None:
    """The value once normalizing it again (`once`) changes nothing.

    Seldom more than one round; but what a prefix leaves (`Dr. =1+1`, `@n/a`) or a capital letter makes of its
    accents has to pass the same rules.
    """
    value = once(raw)
    if value == raw:
        return value
    for _ in range(_MOST_ROUNDS):
        if value is None or value == (again := once(value)):
            return value
        value = again
    raise Refused("not a value that can be understood")


def _once(kind: FieldKind, raw: Any, country: str | None) -> Any | None:
    try:
        return read(kind, raw, country)
    except Refused:
        if kind not in _IN_CELLS or not isinstance(raw, str) or (kind is FieldKind.MONEY and is_foreign(raw)):
            raise
        found = one_value(
            raw, lambda part: _read_part(kind, part, country), spaced=kind in _SPACED, measured=kind in _MEASURED
        )
        if found is None:
            raise
        return found


def _read_part(kind: FieldKind, part: str, country: str | None) -> Any | None:
    if kind is FieldKind.COUNTRY and is_well_known(part.strip()):
        raise Refused("a state beside something else")  # `CA` in `Los Angeles, CA` is no country
    return read(kind, part, country)


def read(kind: FieldKind, raw: Any, country: str | None) -> Any | None:
    """A value that fills its cell alone, normalized once; None when it is empty. Raises Refused."""
    by_country = _BY_COUNTRY.get(kind)
    return by_country(raw, country) if by_country else _RULES[kind].normalize(raw)


def is_in_cell(kind: FieldKind) -> bool:
    """Whether a cell of this kind is read where it holds a value twice, or a value and a remark."""
    return kind in _IN_CELLS


def reads_by_country(kind: FieldKind) -> bool:
    """Whether what a raw value means depends on the record's country."""
    return kind in _BY_COUNTRY


def is_equivalent(kind: FieldKind, a: Any, b: Any) -> bool:
    """Whether two canonical values of a kind are equal for a person."""
    rule = _RULES[kind]
    return rule.same(a, b) if rule.same else rule.key(a) == rule.key(b)


def is_too_generic(kind: FieldKind, value: Any) -> bool:
    """Whether a canonical value is too wide a word to contradict another: `Technology` as an industry."""
    return kind in _IN_WORDS and is_vague_label(value)


def says_nothing(kind: FieldKind, value: Any) -> bool:
    """Whether a canonical value fills its field without saying anything: `Other`, `???` as an industry."""
    return kind in _IN_WORDS and is_empty_label(value)


def is_contradiction(kind: FieldKind, a: Any, b: Any) -> bool:
    """Whether two canonical values are so far apart that even a source unsure of its own contradicts the other."""
    return kind in _MEASURED and is_far_off(a, b)


def key_of(kind: FieldKind, value: Any) -> str:
    """What the canonical values that are the same share, as far as one text can say."""
    return _RULES[kind].key(value)
