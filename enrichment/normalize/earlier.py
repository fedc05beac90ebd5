"""The canonical forms of earlier versions: what they stored still means the same.

Whoever changes what a raw value becomes, or what the values that are the same have in common, adds the rule of before
here. Three rules know these forms: a CRM's repetition of what it sent before is none but that; what was rejected,
suppressed, erased or asked before is looked up under both forms; and what was refused before is taken in silence.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from enrichment.normalize import field_kind
from enrichment.normalize.contact import phone, social
from enrichment.normalize.contact.domain_before import domain_before
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.industry.industry import says_nothing
from enrichment.normalize.numbers import number
from enrichment.normalize.places import address, country, state
from enrichment.normalize.places.city import cased_place
from enrichment.normalize.text.reading import as_before
from enrichment.normalize.text.text import Refused, refuse_markup, tidy

_ZIP_DIGITS = 5
_REREAD = re.compile(r"&|^\s*['=\uff1d]")
_POINT_ZERO = re.compile(r"(\+?[0-9]{6,15})\.(0+)")
_MORE_THAN_A_DOMAIN = re.compile(r"[./].*[./]|[^\w.-]")
_DOMAINS = frozenset({FieldKind.DOMAIN, FieldKind.COMPANY_DOMAIN})
_SHORT_FORMS_LINE = "st str strasse ave av rd blvd bd dr ln ct pl sq pkwy hwy ste fl n s e w"
_KNOWN_SHORT_FORMS = frozenset(_SHORT_FORMS_LINE.split())


def earlier(kind: FieldKind, raw: Any, country_name: str | None) -> Any | None:
    """What the rules before today's made of a raw value: its canonical form, None when empty. Raises Refused.

    `country_name` is the record's country in its canonical form.
    """
    if not field_kind.is_remembered(kind, raw):
        return _worked_out(kind, raw, country_name)
    value, reason = _remembered(kind, raw, country_name if field_kind.reads_by_country(kind) else None)
    if reason is not None:
        raise Refused(reason)
    return value


@lru_cache(32768)
def _remembered(kind: FieldKind, raw: str, country_name: str | None) -> tuple[Any, str | None]:
    try:
        return _worked_out(kind, raw, country_name), None
    except Refused as refusal:
        return None, str(refusal)


def _worked_out(kind: FieldKind, raw: Any, country_name: str | None) -> Any | None:
    with as_before():
        return field_kind.worked_out(raw, lambda value: _once(kind, value, country_name))


def may_differ(kind: FieldKind, raw: Any) -> bool:
    """Whether the rules before today's may have made something else of a raw value. A quick no is never wrong."""
    if kind in _DOMAINS:
        return isinstance(raw, str) and _MORE_THAN_A_DOMAIN.search(raw) is not None
    return kind in _RULES or field_kind.is_in_cell(kind) or (isinstance(raw, str) and _REREAD.search(raw) is not None)


def earlier_key(kind: FieldKind, value: Any) -> str:
    """What the rules before today's took for the key of a canonical value (see `field_kind.key_of`)."""
    return _street_key(value) if kind is FieldKind.STREET else field_kind.key_of(kind, value)


def _once(kind: FieldKind, raw: Any, country_name: str | None) -> Any | None:
    rule = _RULES.get(kind)
    return rule(raw, country_name) if rule else field_kind.read(kind, raw, country_name)


def _phone(raw: Any, country_name: str | None) -> str | None:
    """The zero of `4930901820.0` was taken for a digit."""
    text = tidy(raw, 100)
    if text is not None and (point_zero := _POINT_ZERO.fullmatch(text)):
        return phone.canonical_phone(f"{point_zero[1]} {point_zero[2]}", country_name)
    return phone.canonical_phone(raw, country_name)


def _profile(read: Callable[[Any], str | None]) -> Callable[[Any, str | None], str | None]:
    """An id that LinkedIn made was put in lower case as if somebody had chosen it."""

    def read_profile(raw: Any, _: str | None) -> str | None:
        found = read(raw)
        return None if found is None else found.lower()

    return read_profile


def _quantity(read: Callable[[Any], Any]) -> Callable[[Any, str | None], Any]:
    """`1.32E10` was no number."""

    def read_quantity(raw: Any, _: str | None) -> Any:
        if isinstance(raw, str) and number.is_scientific(raw):
            raise Refused("not a number")
        return read(raw)

    return read_quantity


def _industry(raw: Any, _: str | None) -> str | None:
    """`Other` and `???` were empty."""
    found = field_kind.read(FieldKind.INDUSTRY, raw, None)
    return None if found is None or says_nothing(found) else found


def _country(raw: Any, _: str | None) -> str | None:
    """Only a country's name or code was one, and nothing beside it; East Timor had no name of its own."""
    text = tidy(raw, 150)
    if text is None:
        return None
    code = country.country_code(text)
    if code is None or text.casefold() == "east timor":
        raise Refused("not a country")
    return country.country_name(code)


def _state(raw: Any, country_name: str | None) -> str | None:
    """A code was read only where it stood alone, and gave the state's name in ISO 3166-2."""
    text = tidy(raw, 150)
    if text is None:
        return None
    refuse_markup(text)
    code = country.country_code(country_name) if country_name else None
    known = state.known_name(code, text) if code else None
    if known is not None:
        return known
    return text.upper() if state.is_code(text) else cased_place(text)


def _postal_code(raw: Any, country_name: str | None) -> str | None:
    """Zeros were restored in the United States alone, and there not before a ZIP+4."""
    code = address.canonical_postal_code(raw)
    of_us = country_name is not None and country.country_code(country_name) == "US"
    return code.zfill(_ZIP_DIGITS) if of_us and code and code.isdecimal() and len(code) >= 3 else code


def _domain(raw: Any, _: str | None) -> str | None:
    """Of fewer sites it was known that many share them: `acme.wordpress.com` was wordpress.com."""
    return domain_before(raw)


def _company_domain(raw: Any, _: str | None) -> str | None:
    domain = domain_before(raw)
    if domain is not None and names_no_employer(domain):
        raise Refused("the domain of a mail provider, not an employer's")
    return domain


def _street_key(value: str) -> str:
    """Fewer short forms were known, and no number in words."""
    return address.street_key_of(value, {word: long for word, long in address.SHORT_FORMS.items() if _was_known(word)})


def _was_known(word: str) -> bool:
    return word in _KNOWN_SHORT_FORMS


_RULES: dict[FieldKind, Callable[[Any, str | None], Any]] = {
    FieldKind.PHONE: _phone,
    FieldKind.DOMAIN: _domain,
    FieldKind.COMPANY_DOMAIN: _company_domain,
    FieldKind.LINKEDIN_PERSON: _profile(social.canonical_linkedin_person),
    FieldKind.LINKEDIN_COMPANY: _profile(social.canonical_linkedin_company),
    FieldKind.COUNT: _quantity(number.canonical_count),
    FieldKind.MONEY: _quantity(number.canonical_money),
    FieldKind.INDUSTRY: _industry,
    FieldKind.SUB_INDUSTRY: _industry,
    FieldKind.COUNTRY: _country,
    FieldKind.STATE: _state,
    FieldKind.POSTAL_CODE: _postal_code,
}
