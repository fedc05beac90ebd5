"""Invented people and companies whose facts change with time, so that what is true is known at every moment."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

from enrichment.catalogue import normalize
from enrichment.enums import EntityType
from enrichment.normalize.places.country import country_code
from enrichment.normalize.text.text import fold
from providers.directory.reference import packaged

Facts = dict[str, Any]
_DAYS_BACK = 15 * 365
ACCOUNT_YEARS, LEAD_YEARS = 5.0, 3.0  # between two changes, at the usual pace


@dataclass(slots=True)
class Entity:
    """Somebody, or a company: `periods` are its facts and since when they held, the oldest first."""

    entity_type: EntityType
    periods: list[tuple[datetime, Facts]] = field(default_factory=list)

    def at(self, moment: datetime) -> Facts:
        """The facts that held then."""
        held = [facts for since, facts in self.periods if since <= moment]
        return held[-1] if held else self.periods[0][1]

    @property
    def before(self) -> Facts | None:
        """The last facts that do not hold any more, if there are any."""
        return self.periods[-2][1] if len(self.periods) > 1 else None


@cache
def _companies() -> Sequence[Mapping[str, Any]]:
    """Real companies with their names, domains and places."""
    found = []
    for company in packaged("directory"):
        facts = {name: company.value(name) for name in ("city", "state", "country", "industry")}
        if company.domain and facts["city"] and facts["country"] and country_code(facts["country"]):
            found.append({"name": company.names[0], "domain": company.domain, **facts})
    return found


@cache
def _by_domain() -> Mapping[str, Mapping[str, Any]]:
    return {company["domain"]: company for company in _companies()}


@cache
def _companies_in(country: str) -> Sequence[Mapping[str, Any]]:
    return [company for company in _companies() if company["country"] == country]


_FIRST = """
Anna Ben Carla David Elena Felix Grace Hannah Ivan Julia Karim Laura Marco Nina Oliver Paula Quentin Rosa Samuel Tara
Ugo Vera Walter Xenia Yusuf Zoe Amir Bianca Chen Diego Emma Farah Gustav Helena Ines Jonas Kenji Lena Mateo
"""
_LAST = """
Albrecht Bernard Castillo Dubois Eriksen Fischer Garcia Hoffmann Ivanova Jensen Kowalski Lindqvist Martinez Novak
Okafor Petrov Quinn Rossi Schneider Tanaka Underwood Vasquez Weber Yamamoto Zimmermann Andersson Brandt Costa Dumont
Engel Ferrari Gruber Haddad Iversen Johansson Keller Larsen Moreau Nielsen Oliveira Patel Richter Santos
"""
_FIRST_NAMES, _LAST_NAMES = _FIRST.split(), _LAST.split()
_TITLES = (
    *("Account Executive", "Head of Marketing", "Software Engineer", "Chief Financial Officer", "Sales Manager"),
    *("HR Business Partner", "VP Engineering", "Product Manager", "Procurement Lead", "Data Analyst", "Controller"),
    *("Operations Director", "Legal Counsel", "Customer Success Manager", "Managing Director", "Project Manager"),
)
_STREETS = ("Main Street", "High Street", "Station Road", "Park Avenue", "Mill Lane", "Church Street", "Lindenweg")
_PATTERNS: Sequence[Callable[[str, str], str]] = (
    lambda first, last: f"{first}.{last}",
    lambda first, last: f"{first[0]}{last}",
    lambda first, last: f"{first}{last[0]}",
    lambda first, last: first,
    lambda first, last: f"{last}.{first}",
)


@cache
def _example(country: str, kind: int) -> str:
    number = example_number_for_type(country_code(country) or "US", kind) or example_number_for_type("US", kind)
    assert number is not None  # there is one of every kind in the United States
    text: str = format_number(number, PhoneNumberFormat.E164)
    return text


def phone(rng: random.Random, country: str, kind: int = PhoneNumberType.FIXED_LINE) -> str:
    """An invented number of a country, in E.164."""
    return _example(country, kind)[:-4] + f"{rng.randrange(10_000):04d}"


def postal_code(rng: random.Random, country: str) -> str:
    """An invented postal code in the form of the country's."""
    form = _POSTAL_FORMS.get(country_code(country) or "", "00000")
    drawn = {"0": "123456789", "A": "BCDFGHKLMN", "S": "LM"}
    return "".join(rng.choice(drawn[char]) if char in drawn else char for char in form)


_POSTAL_FORMS = {
    "GB": "S0 0AA",
    "CA": "A0A 0A0",
    "NL": "0000 AA",
    **dict.fromkeys(("AT", "AU", "BE", "CH", "DK"), "0000"),
}


@cache
def _known(domain: str) -> Facts:
    """What is known of a real company, in canonical form."""
    found = _by_domain()[domain]
    site = {
        "website": f"https://{domain}",
        "linkedinUrl": f"https://www.linkedin.com/company/{fold(domain.partition('.')[0])}",
    }
    return canonical(EntityType.ACCOUNT, {**found, **site})


def company(rng: random.Random, domain: str | None = None) -> Facts:
    """The facts of a company, of any one without a domain. What is not known of it is invented."""
    known = _known(domain or rng.choice(_companies())["domain"])
    return {
        **known,
        "phone": phone(rng, known["country"]),
        "street": f"{rng.randrange(1, 400)} {rng.choice(_STREETS)}",
        "postalCode": postal_code(rng, known["country"]),
        "numberOfEmployees": max(2, round(rng.lognormvariate(5, 1.7))),
        "foundedYear": rng.randrange(1890, 2021),
    }


def canonical(entity_type: EntityType, facts: Mapping[str, Any]) -> Facts:
    """The facts in their canonical form; what cannot be read is left out."""
    found: Facts = {}
    for name, value in facts.items():
        try:
            found[name] = normalize(entity_type, name, value, hints=facts)
        except (KeyError, ValueError):
            continue
    return {name: value for name, value in found.items() if value is not None}


def _moved(rng: random.Random, facts: Facts) -> Facts:
    """The same company at another place of its country, or with another number, or grown."""
    changed = dict(facts)
    near = [other for other in _companies_in(facts["country"]) if other["city"] != facts["city"]]
    what = rng.random()
    if what < 0.4:
        changed["street"] = f"{rng.randrange(1, 400)} {rng.choice(_STREETS)}"
        changed["postalCode"] = postal_code(rng, facts["country"])
        if near and rng.random() < 0.4:
            there = _known(rng.choice(near)["domain"])
            changed |= {"city": there["city"], "state": there.get("state"), "phone": phone(rng, facts["country"])}
    elif what < 0.7:
        changed["phone"] = phone(rng, facts["country"])
    else:
        changed["numberOfEmployees"] = max(2, round(facts["numberOfEmployees"] * rng.lognormvariate(0.1, 0.5)))
    return {name: value for name, value in changed.items() if value is not None}


def draw_account(rng: random.Random, now: datetime, pace: float) -> Entity:
    """A company with its history. `pace`: how much faster than usual facts change."""
    return _with_history(rng, now, EntityType.ACCOUNT, company(rng), _moved, ACCOUNT_YEARS / pace)


def _employed(rng: random.Random, who: Facts, employer: Facts) -> Facts:
    """A person in a job at a company."""
    local = rng.choice(_PATTERNS)(fold(who["firstName"]), fold(who["lastName"]))
    return {
        **who,
        "company": employer["name"],
        "companyDomain": employer["domain"],
        "website": employer["website"],
        "email": f"{local}@{employer['domain']}",
        "phone": phone(rng, employer["country"]),
        "title": rng.choice(_TITLES),
        **{name: employer[name] for name in ("city", "country", "state", "industry") if name in employer},
    }


_OF_THE_PERSON = frozenset({"firstName", "lastName", "mobilePhone", "linkedinUrl"})


def _next_job(rng: random.Random, facts: Facts) -> Facts:
    """The same person in another job, mostly in the same country, or with another title or number."""
    what = rng.random()
    if what < 0.25:
        return {**facts, "title": rng.choice(_TITLES)}
    if what < 0.4:
        return {**facts, "phone": phone(rng, facts["country"])}
    near = _companies_in(facts["country"])
    who = {name: value for name, value in facts.items() if name in _OF_THE_PERSON}
    return _employed(rng, who, company(rng, rng.choice(near)["domain"] if rng.random() < 0.85 else None))


def somebody(rng: random.Random) -> Facts:
    """The facts of a person in a job."""
    first, last, employer = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES), company(rng)
    who = {
        "firstName": first,
        "lastName": last,
        "mobilePhone": phone(rng, employer["country"], PhoneNumberType.MOBILE),
        "linkedinUrl": f"https://www.linkedin.com/in/{fold(first)}-{fold(last)}-{rng.randrange(100, 999)}",
    }
    return _employed(rng, who, employer)


def draw_lead(rng: random.Random, now: datetime, pace: float) -> Entity:
    """A person with a history of jobs."""
    return _with_history(rng, now, EntityType.LEAD, somebody(rng), _next_job, LEAD_YEARS / pace)


def _with_history(
    rng: random.Random,
    now: datetime,
    entity_type: EntityType,
    facts: Facts,
    change: Callable[[random.Random, Facts], Facts],
    mean_years: float,
) -> Entity:
    entity = Entity(entity_type, [(now - timedelta(days=_DAYS_BACK), facts)])
    days = float(_DAYS_BACK)
    while (days := days - rng.expovariate(1 / (365.25 * mean_years))) > 0:
        facts = change(rng, facts)
        entity.periods.append((now - timedelta(days=days), facts))
    return entity
