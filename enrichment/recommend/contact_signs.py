"""Signs of phones, e-mail addresses, domains, names and profiles: their form, and whether they fit the record."""

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from enrichment.enums import EntityType
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.normalize.contact.mail_domains import names_no_employer
from enrichment.normalize.contact.phone_country import PhoneLine, phone_country, phone_line
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.text import fold
from enrichment.recommend.subject import Found, Subject, domains_of
from enrichment.recommend.weights import Sign

_INVENTED = re.compile(r"(\d)\1{6,}|0123456789|1234567890|9876543210")


def phone_signs(subject: Subject) -> Iterator[Found]:
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


def email_signs(subject: Subject) -> Iterator[Found]:
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


def domain_signs(subject: Subject) -> Iterator[Found]:
    domain = registrable_domain(subject.text)
    if domain is None:
        return
    if names_no_employer(domain):
        yield Found(Sign.DOMAIN_OF_NOBODY, "is the domain of a mail provider")
        return
    elsewhere = domains_of(subject.others)
    if domain in elsewhere:
        yield Found(Sign.DOMAIN_AS_ELSEWHERE, f"is the domain {domain} that the record has elsewhere")
    elif elsewhere:
        yield Found(Sign.DOMAIN_NOT_AS_ELSEWHERE, f"is not {elsewhere[0]}, which the record has elsewhere")
    if (company := subject.other("company", "name")) is not None:
        yield from _name_and_domain(company, domain)


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


def company_signs(subject: Subject) -> Iterator[Found]:
    elsewhere = domains_of(subject.others)
    if elsewhere:
        yield from _name_and_domain(subject.text, elsewhere[0])


def person_signs(subject: Subject) -> Iterator[Found]:
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


def profile_signs(subject: Subject) -> Iterator[Found]:
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
