"""What speaks for or against one value of a field, whoever gave it: its form, and whether it fits the record."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from enrichment.catalogue import fields_of, is_too_generic
from enrichment.enums import EntityType
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.phone_country import PhoneLine, phone_country, phone_line
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.places.country import country_code, country_name
from enrichment.normalize.places.fit import city_fits, postal_code_fits, state_fits
from enrichment.normalize.text.text import fold, words
from enrichment.recommend.weights import Sign

Others = Mapping[str, Any]  # the record's other values, by field


@dataclass(frozen=True, slots=True)
class Found:
    """One sign about a value, and what it is in plain words, as a clause that begins with "it"."""

    sign: Sign
    words: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A value that is looked at: of which field, and among which other values of its record.

    `stated` is what the other side says of the other fields: the sources, where the value is the record's own.
    """

    entity_type: EntityType
    name: str
    value: Any
    others: Others
    stated: Sequence[tuple[str, Any]] = ()

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.entity_type, self.name)

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else str(self.value)

    def other(self, *names: str) -> str | None:
        """The first of these other values that there is."""
        return next((value for name in names if isinstance(value := self.others.get(name), str) and value), None)


def kind_of(entity_type: EntityType, name: str) -> FieldKind:
    """What sort of value a field holds; any text for one that the catalogue does not know."""
    known = fields_of(entity_type).get(name)
    return FieldKind.TEXT if known is None else known.kind


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


_INVENTED = re.compile(r"(\d)\1{6,}|0123456789|1234567890|9876543210")


def _phone(subject: Subject) -> Iterator[Found]:
    line, country = phone_line(subject.text), subject.other("country")
    if _INVENTED.search(subject.text):
        yield Found(Sign.PHONE_INVENTED, "looks invented")
    if line is PhoneLine.SHARED:
        yield Found(Sign.PHONE_SHARED, "is a freephone or service number")
    elif subject.name == "mobilePhone" and line is PhoneLine.FIXED:
        yield Found(Sign.PHONE_OF_ANOTHER_KIND, "is a landline")
    of = phone_country(subject.text)
    if country is not None and of is not None:
        if country_code(of) == country_code(country):
            yield Found(Sign.PHONE_OF_THE_COUNTRY, f"is a number of {country}, like the record")
        else:
            yield Found(Sign.PHONE_OF_ANOTHER_COUNTRY, f"is a number of {of}, and the record is in {country}")


_UNUSABLE = frozenset({EmailKind.DISPOSABLE, EmailKind.EXAMPLE, EmailKind.INVALID})


def _email(subject: Subject) -> Iterator[Found]:
    kind, company = email_kind(subject.text), _company_domain(subject)
    if kind in _UNUSABLE:
        yield Found(Sign.EMAIL_UNUSABLE, "is an address that nobody uses")
        return
    if kind is EmailKind.ROLE:
        yield Found(Sign.EMAIL_SHARED, "is a shared mailbox")
    if kind is EmailKind.FREE:
        if company is not None or subject.other("company"):
            yield Found(Sign.EMAIL_PRIVATE, "is a private address")
    elif company is not None:
        if registrable_domain(subject.text) == company:
            yield Found(Sign.EMAIL_OF_THE_COMPANY, f"is an address at {company}, like the record's domain")
        else:
            yield Found(Sign.EMAIL_OF_ANOTHER_COMPANY, f"is no address at {company}, the record's domain")
    if kind is not EmailKind.ROLE:
        named = _is_named(subject.text.partition("@")[0], subject.other("firstName"), subject.other("lastName"))
        if named is not None:
            yield (
                Found(Sign.EMAIL_OF_THE_PERSON, "contains the person's name")
                if named
                else Found(Sign.EMAIL_OF_ANOTHER_PERSON, "contains another name")
            )


def _company_domain(subject: Subject) -> str | None:
    """The employer's domain as another field says it."""
    for name in ("companyDomain", "domain", "website"):
        domain = registrable_domain(subject.others[name]) if isinstance(subject.others.get(name), str) else None
        if domain is not None and not names_no_employer(domain) and name != subject.name:
            return domain
    return None


_LETTERS = re.compile(r"[^a-z]+")
_SHORTEST_NAME = 3


def _is_named(address: str, first: str | None, last: str | None) -> bool | None:
    """Whether the local part of an address, or of a profile, contains a person's name; None where it says nothing."""
    parts = [part for part in _LETTERS.split(fold(address)) if part]
    plain = "".join(parts)
    given, family = (_LETTERS.sub("", fold(name or "")) for name in (first, last))
    if len(plain) < _SHORTEST_NAME + 1 or not (given or family):
        return None
    if any(len(name) >= _SHORTEST_NAME and name in plain for name in (family, given)):
        return True
    if any(name and name in parts for name in (family, given)):
        return True
    return None if not (given and family) and len(parts) < 2 else False


def _domain(subject: Subject) -> Iterator[Found]:
    domain = registrable_domain(subject.text)
    if domain is None:
        return
    if names_no_employer(domain):
        yield Found(Sign.DOMAIN_OF_NOBODY, "is the domain of a mail provider")
        return
    elsewhere = _domains_elsewhere(subject)
    if domain in elsewhere:
        yield Found(Sign.DOMAIN_AS_ELSEWHERE, f"is the domain {domain} that the record has elsewhere")
    elif elsewhere:
        yield Found(Sign.DOMAIN_NOT_AS_ELSEWHERE, f"is not {elsewhere[0]}, which the record has elsewhere")
    if (company := subject.other("company", "name")) is not None:
        yield from _name_and_domain(company, domain)


def _domains_elsewhere(subject: Subject) -> list[str]:
    return domains_of(subject.others)


def domains_of(fields: Mapping[str, Any], *, of_email: bool = True) -> list[str]:
    """The domains of the company that a record or an answer names, `of_email` also by an address at work."""
    found: list[str] = []
    for name in ("domain", "companyDomain", "website"):
        value = fields.get(name)
        if isinstance(value, str) and (domain := registrable_domain(value)) and not names_no_employer(domain):
            found.append(domain)
    email = fields.get("email")
    if of_email and isinstance(email, str) and email_kind(email) in {EmailKind.CORPORATE, EmailKind.ROLE}:
        found.append(registrable_domain(email) or "")
    return [domain for domain in found if domain]


_ALIKE = 75.0


def _name_and_domain(company: str, domain: str) -> Iterator[Found]:
    label = _LETTERS_AND_DIGITS.sub("", fold(domain.partition(".")[0]))
    core = core_name(company)
    plain, parts = core.replace(" ", ""), core.split()
    if len(plain) < 2 or len(label) < 2 or not plain.isascii():
        return
    initials = "".join(part[0] for part in parts)
    if (
        plain in label
        or label in plain
        or (len(initials) > 1 and initials in label)
        or any(len(part) > _SHORTEST_NAME and part in label for part in parts)
        or fuzz.partial_ratio(plain, label) >= _ALIKE
    ):
        yield Found(Sign.NAME_AS_DOMAIN, f"goes with the domain {domain}")
    else:
        yield Found(Sign.NAME_NOT_AS_DOMAIN, f"does not go with the domain {domain}")


_LETTERS_AND_DIGITS = re.compile(r"[^a-z0-9]+")


def _company(subject: Subject) -> Iterator[Found]:
    elsewhere = _domains_elsewhere(subject)
    if elsewhere:
        yield from _name_and_domain(subject.text, elsewhere[0])


def _person(subject: Subject) -> Iterator[Found]:
    part = _LETTERS.sub("", fold(subject.text))
    addresses = [_local_part(subject.other("email")), _slug(subject.other("linkedinUrl"))]
    for plain in (_LETTERS.sub("", fold(address)) for address in addresses if address):
        if len(plain) <= _SHORTEST_NAME or len(part) < _SHORTEST_NAME:
            continue
        if part in plain:
            yield Found(Sign.PERSON_AS_ADDRESS, "is the name in the record's address")
        elif subject.name == "lastName":
            yield Found(Sign.PERSON_NOT_AS_ADDRESS, "is not the name in the record's address")


def _local_part(email: str | None) -> str | None:
    if email is None or email_kind(email) not in {EmailKind.CORPORATE, EmailKind.FREE}:
        return None
    return email.partition("@")[0]


def _slug(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/").rpartition("/")[2]


def _profile(subject: Subject) -> Iterator[Found]:
    slug = _slug(subject.text) or ""
    if subject.entity_type is EntityType.ACCOUNT:
        if (name := subject.other("name")) is not None:
            yield from _name_and_domain(name, slug)
        return
    named = _is_named(slug, subject.other("firstName"), subject.other("lastName"))
    if named is not None:
        yield (
            Found(Sign.PERSON_AS_ADDRESS, "contains the person's name")
            if named
            else Found(Sign.PERSON_NOT_AS_ADDRESS, "contains another name")
        )


def _place(subject: Subject) -> Iterator[Found]:
    country, by = _country_of(subject)
    fits = None if country is None else _FITS[subject.kind](subject.text, country)
    if fits is not None:
        yield (
            Found(Sign.PLACE_FITS, f"is in {country}, like {by}")
            if fits
            else Found(Sign.PLACE_MISFITS, f"is not in {country}, where {by} is")
        )


def _country_of(subject: Subject) -> tuple[str | None, str]:
    """The country of the rest of the record, and what says so: the country itself, a phone number, a domain."""
    if country := subject.other("country"):
        return country, "the record"
    if (phone := subject.other("phone")) and (of_phone := phone_country(phone)):
        return of_phone, "the record's phone number"
    domain = next(iter(_domains_elsewhere(subject)), None)
    code = None if domain is None else domain.rpartition(".")[2].upper()
    if code is not None and code not in _USED_BY_ALL and country_code(code) == code:
        return country_name(code), "the record's domain"
    return None, ""


_USED_BY_ALL = frozenset({"AI", "CC", "CO", "FM", "GG", "IO", "LA", "LY", "ME", "SO", "TO", "TV", "VC", "WS"})


_FITS: Mapping[FieldKind, Callable[[str, str], bool | None]] = {
    FieldKind.CITY: city_fits,
    FieldKind.STATE: state_fits,
    FieldKind.POSTAL_CODE: postal_code_fits,
}


def _country(subject: Subject) -> Iterator[Found]:
    country = subject.text
    for name in ("city", "state", "postalCode"):
        value = subject.other(name)
        fits = None if value is None else _FITS[fields_of(subject.entity_type)[name].kind](value, country)
        if fits is not None:
            yield Found(
                Sign.PLACE_FITS if fits else Sign.PLACE_MISFITS, f"{'goes' if fits else 'does not go'} with {value}"
            )
    for name in ("phone", "mobilePhone"):
        phone = subject.other(name)
        of = None if phone is None else phone_country(phone)
        if of is not None:
            same = country_code(of) == country_code(country)
            sign = Sign.PHONE_OF_THE_COUNTRY if same else Sign.PHONE_OF_ANOTHER_COUNTRY
            yield Found(sign, f"is {'' if same else 'not '}the country of the record's phone number")


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
    FieldKind.PHONE: _phone,
    FieldKind.EMAIL: _email,
    FieldKind.DOMAIN: _domain,
    FieldKind.COMPANY_DOMAIN: _domain,
    FieldKind.WEBSITE: _domain,
    FieldKind.COMPANY_NAME: _company,
    FieldKind.PERSON_NAME: _person,
    FieldKind.LINKEDIN_PERSON: _profile,
    FieldKind.LINKEDIN_COMPANY: _profile,
    FieldKind.CITY: _place,
    FieldKind.STATE: _place,
    FieldKind.POSTAL_CODE: _place,
    FieldKind.COUNTRY: _country,
    FieldKind.COUNT: _count,
    FieldKind.MONEY: _count,
    FieldKind.YEAR: _year,
}
