"""Drawn people and companies, what providers know of them, and what a CRM holds already."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.waterfall.company_question import FIELDS_OF_COMPANY
from providers.api import ProviderInfo

_NOBODY_KNOWS = 0.25  # of the people, and half as many of the companies
_COMPANIES_A_RECORD = 0.3
# How many have it at all; of other fields nine in ten.
_SCARCE = {
    **dict.fromkeys(("mobilePhone", "phone", "twitterHandle", "avatarUrl", "street", "postalCode"), 0.4),
    **dict.fromkeys(("stockSymbol", "parentCompany", "facebookUrl", "tags"), 0.15),
}
_VALUES: Mapping[str, Any] = {
    "numberOfEmployees": 120,
    "annualRevenue": 5_000_000,
    "foundedYear": 1999,
    "country": "United States",
    "state": "California",
    "city": "Oakland",
    "postalCode": "94607",
    "industry": "Software",
    "techStack": ["Python"],
    "tags": ["b2b"],
}


@dataclass(slots=True, eq=False)
class Entity:
    """A person or a company: what there is to know, and what the CRM holds of it."""

    key: str
    kind: EntityType
    truth: dict[str, Any]
    held: dict[str, Any]
    is_anyone: bool
    company: "Entity | None" = None


@dataclass(slots=True)
class SpendingWorld:
    """The records of one organization in the order in which they come, and what each provider knows."""

    records: list[Entity]
    knowledge: Mapping[str, dict[str, dict[str, Any] | None]]
    company_fields: frozenset[str] = field(default=frozenset(FIELDS_OF_COMPANY))

    def told(self, provider: str, about: Entity) -> dict[str, Any] | None:
        """What a provider answers about somebody; None: it does not know them."""
        return self.knowledge[provider].get(about.key)

    @classmethod
    def drawn(cls, seed: int, infos: list[ProviderInfo], count: int) -> "SpendingWorld":
        """The world of a seed."""
        rng = random.Random(seed)  # noqa: S311 -- a play of chance, no secret
        companies = [_company(rng, number) for number in range(round(count * _COMPANIES_A_RECORD))]
        records = [_person(rng, number, rng.choice(companies)) for number in range(count - len(companies) // 2)]
        records += companies[: len(companies) // 2]
        rng.shuffle(records)
        everyone = [*records, *companies]
        return cls(records, {info.id: _known_by(rng, info, everyone) for info in infos})


def _company(rng: random.Random, number: int) -> Entity:
    domain = f"company{number}.com"
    truth = _truth(rng, EntityType.ACCOUNT) | {"name": f"Company{number}", "domain": domain}
    truth["website"] = f"https://{domain}"
    held = {"name": truth["name"], "domain": domain} | _some(rng, truth, 0.15)
    return Entity(domain, EntityType.ACCOUNT, truth, held, rng.random() >= _NOBODY_KNOWS / 2)


def _person(rng: random.Random, number: int, company: Entity) -> Entity:
    kind = rng.choice([EntityType.LEAD, EntityType.LEAD, EntityType.CONTACT])
    domain = company.truth["domain"]
    mail = f"{'info' if rng.random() < 0.1 else f'person{number}'}@{domain}"
    truth = _truth(rng, kind) | {"email": mail, "companyDomain": domain, "company": company.truth["name"]}
    truth["website"] = company.truth["website"]
    truth.update({name: company.truth[of] for name, of in FIELDS_OF_COMPANY.items() if of in company.truth})
    held = {"email": mail, "firstName": truth.get("firstName"), "lastName": truth.get("lastName")}
    held = {name: value for name, value in held.items() if value} | _some(rng, truth, 0.25)
    is_anyone = not mail.startswith("info@") and rng.random() >= _NOBODY_KNOWS
    return Entity(mail, kind, truth, held, is_anyone, company)


def _truth(rng: random.Random, kind: EntityType) -> dict[str, Any]:
    return {
        known.name: _VALUES.get(known.name, f"{known.name.title()}")
        for known in fields_of(kind).values()
        if known.enrichable and rng.random() < _SCARCE.get(known.name, 0.9)
    }


def _some(rng: random.Random, truth: Mapping[str, Any], share: float) -> dict[str, Any]:
    return {name: value for name, value in truth.items() if rng.random() < share}


def _known_by(rng: random.Random, info: ProviderInfo, everyone: list[Entity]) -> dict[str, dict[str, Any] | None]:
    """A provider knows a share of those whom anybody knows, and a share of each field that it gives."""
    knows, tells = rng.uniform(0.5, 0.9), rng.uniform(0.75, 0.95)
    rates = {name: tells * rng.choice([0.4, 1.0, 1.0, 1.0]) for kind in EntityType for name in fields_of(kind)}
    known: dict[str, dict[str, Any] | None] = {}
    for entity in everyone:
        gives = info.gives.get(entity.kind, frozenset())
        if entity.key not in known and entity.is_anyone and rng.random() < knows:
            known[entity.key] = {
                name: value for name, value in entity.truth.items() if name in gives and rng.random() < rates[name]
            }
    return {key: told or None for key, told in known.items()}
