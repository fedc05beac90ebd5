"""What speaks for or against one value of a field, whoever gave it: its form, and whether it fits the record."""

import re
from collections.abc import Callable, Iterator, Mapping

from enrichment.catalogue import fields_of, is_too_generic
from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.places.country import country_code
from enrichment.normalize.places.fit import city_fits
from enrichment.normalize.text.text import words
from enrichment.recommend.contact_signs import (
    company_signs,
    domain_signs,
    email_signs,
    person_signs,
    phone_signs,
    profile_signs,
)
from enrichment.recommend.place_signs import country_signs, place_signs
from enrichment.recommend.subject import Found, Subject
from enrichment.recommend.weights import Sign


def signs_of(subject: Subject) -> list[Found]:
    """What speaks for or against the value by itself and by the rest of its record."""
    found = [*_READERS.get(subject.kind, _nothing)(subject), *_of_another_field(subject)]
    if subject.name in fields_of(subject.entity_type) and is_too_generic(
        subject.entity_type, subject.name, subject.value
    ):
        found.append(Found(Sign.TOO_GENERAL, "is too general to say anything"))
    return found


def _nothing(_: Subject) -> Iterator[Found]:
    yield from ()


_PLACEHOLDER_COUNTS = re.compile(r"(9)\1{2,}|12345?6?|(1)\2{2,}|0")
_DEFAULT_YEARS = frozenset({1900, 1901, 1970})
_OLDEST_COMPANY = 1200


def _count(subject: Subject) -> Iterator[Found]:
    if _PLACEHOLDER_COUNTS.fullmatch(subject.text):
        yield Found(Sign.PLACEHOLDER, "looks like a placeholder")


def _year(subject: Subject) -> Iterator[Found]:
    if not isinstance(subject.value, int):
        return
    if subject.value in _DEFAULT_YEARS:
        yield Found(Sign.PLACEHOLDER, "looks like a placeholder")
    if subject.value < _OLDEST_COMPANY:
        yield Found(Sign.IMPOSSIBLE, "is no year in which a company was founded")


# Which fields a value can be mistaken for: of each group, those that hold the same kind of thing.
_GROUPS = (
    frozenset({"firstName"}),
    frozenset({"lastName"}),
    frozenset({"title"}),
    frozenset({"department"}),
    frozenset({"company", "name", "parentCompany"}),
    frozenset({"industry", "subIndustry"}),
    frozenset({"street"}),
    frozenset({"city", "state"}),
    frozenset({"country"}),
    frozenset({"postalCode"}),
    frozenset({"email"}),
)
_GROUP_OF = {name: group for group in _GROUPS for name in group}


def _of_another_field(subject: Subject) -> Iterator[Found]:
    """The value is what another field holds, or should hold."""
    own = _GROUP_OF.get(subject.name)
    if own is None or not isinstance(subject.value, str):
        return
    key = words(subject.value)
    for name, value in (*subject.others.items(), *subject.stated):
        if name in _GROUP_OF and name not in own and isinstance(value, str) and key and words(value) == key:
            yield Found(Sign.OF_ANOTHER_FIELD, "is the value of another field")
            return
    if (
        subject.name in {"city", "state"}
        and country_code(subject.value)
        and city_fits(subject.value, subject.value) is not True
    ):
        yield Found(Sign.OF_ANOTHER_FIELD, "is a country")
    elif subject.name in {"firstName", "lastName", "title", "company", "name", "city"} and "@" in subject.value:
        yield Found(Sign.OF_ANOTHER_FIELD, "is an address")


_READERS: Mapping[FieldKind, Callable[[Subject], Iterator[Found]]] = {
    FieldKind.PHONE: phone_signs,
    FieldKind.EMAIL: email_signs,
    FieldKind.DOMAIN: domain_signs,
    FieldKind.COMPANY_DOMAIN: domain_signs,
    FieldKind.WEBSITE: domain_signs,
    FieldKind.COMPANY_NAME: company_signs,
    FieldKind.PERSON_NAME: person_signs,
    FieldKind.LINKEDIN_PERSON: profile_signs,
    FieldKind.LINKEDIN_COMPANY: profile_signs,
    FieldKind.CITY: place_signs,
    FieldKind.STATE: place_signs,
    FieldKind.POSTAL_CODE: place_signs,
    FieldKind.COUNTRY: country_signs,
    FieldKind.COUNT: _count,
    FieldKind.MONEY: _count,
    FieldKind.YEAR: _year,
}
