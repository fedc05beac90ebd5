"""A world: entities, sources with their faults, and a CRM with right and wrong values. All is drawn from a seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, EntityType
from enrichment.provenance import Current
from service.score.worlds.entities import Entity, Facts, canonical, draw_account, draw_lead
from service.score.worlds.errors import KINDS, somebody_else, spoil

NOW = datetime(2026, 11, 1, tzinfo=UTC)
_FIELDS = {
    EntityType.LEAD: (
        *("firstName", "lastName", "email", "phone", "mobilePhone", "title", "company", "companyDomain", "linkedinUrl"),
        *("website", "city", "country", "industry"),
    ),
    EntityType.ACCOUNT: (
        *("name", "domain", "website", "phone", "industry", "numberOfEmployees", "foundedYear", "linkedinUrl"),
        *("street", "city", "state", "postalCode", "country"),
    ),
}

# How often a source errs in each of the ways. Few sources type by hand: they collect, so that slips are rare.
SOURCE_KINDS = (3, 0.25, 3, 0.2, 0.7, 0.7, 1)


@dataclass(slots=True)
class DrawnSource:
    """How a source of the world errs. Its rates are chances from 0 to 1, its ages days."""

    id: str
    wrong: float
    another_entity: float
    mean_age: float
    is_dated: bool
    covers: float
    stated: float
    spread: float
    insight: float  # how much lower its confidence is where it is wrong
    copies_of: "DrawnSource | None" = None
    copies: float = 0.0


@dataclass(slots=True)
class DrawnRecord:
    """A record of the CRM: `right` are the facts now, `current` what the CRM holds, `answers` what its sources say."""

    entity_type: EntityType
    right: Facts
    current: dict[str, Current]
    answers: dict[str, dict[str, Candidate]]
    kinds: dict[str, str] = field(default_factory=dict)  # of the wrong values, by field

    def is_right(self, name: str, value: Any) -> bool:
        return name in self.right and is_equivalent(self.entity_type, name, value, self.right[name])

    def is_held(self, name: str, value: Any) -> bool:
        """Whether the CRM holds this value, or one that means the same."""
        return is_equivalent(self.entity_type, name, value, self.current[name].value)


@dataclass(slots=True)
class World:
    """The drawn parameters. `dated`: the CRM says when its values were set."""

    rng: random.Random
    dated: bool
    sources: Sequence[DrawnSource]
    pace: float
    crm_mean_age: float
    spoils: float  # the share of values that were wrong from the start
    kinds: Sequence[float]
    reviewed: int  # records that reviewers have judged before

    def records(self, count: int) -> Iterator[DrawnRecord]:
        """So many records, leads and accounts in turn."""
        for index in range(count):
            yield self._record(draw_lead if index % 2 else draw_account)

    def _record(self, draw: Any) -> DrawnRecord:
        rng = self.rng
        entity: Entity = draw(rng, NOW, self.pace)
        right = entity.at(NOW)
        age = rng.expovariate(1 / self.crm_mean_age)
        set_at = NOW - timedelta(days=age)
        held, kinds = dict(entity.at(set_at)), {}
        held = {name: value for name, value in held.items() if name in _FIELDS[entity.entity_type]}
        other = somebody_else(rng, entity)
        for name in list(held):
            if rng.random() < self.spoils:
                kind = rng.choices(KINDS, self.kinds)[0]
                wrong = spoil(rng, kind, name, entity, right, other)
                wrong = canonical(entity.entity_type, {**right, name: wrong}).get(name) if wrong is not None else None
                if wrong is not None and not is_equivalent(entity.entity_type, name, wrong, right.get(name)):
                    held[name], kinds[name] = wrong, kind
        current = {}
        for name, value in held.items():
            # One date for most of a record, another for what was edited since.
            seen = set_at if rng.random() < 0.8 else NOW - timedelta(days=rng.uniform(0, age))
            if kinds.get(name) == "stale":
                seen = min(seen, entity.periods[-1][0] - timedelta(days=rng.uniform(0, age)))
            elif seen != set_at and name not in kinds:
                value = entity.at(seen).get(name, value)
            current[name] = Current(value, SOURCE_CRM, 1.0, seen if self.dated else NOW, NOW, self.dated)
            if name not in kinds and not is_equivalent(entity.entity_type, name, value, right.get(name)):
                kinds[name] = "stale"
        answers: dict[str, dict[str, Candidate]] = {}
        for source in self.sources:
            if rng.random() < source.covers:
                answers[source.id] = self._answer(source, entity, answers)
        return DrawnRecord(entity.entity_type, right, current, answers, kinds)

    def _answer(
        self, source: DrawnSource, entity: Entity, answers: Mapping[str, Mapping[str, Candidate]]
    ) -> dict[str, Candidate]:
        rng = self.rng
        seen = NOW - timedelta(days=rng.expovariate(1 / source.mean_age))
        mixed_up = rng.random() < source.another_entity
        facts = somebody_else(rng, entity) if mixed_up else entity.at(seen)
        other = somebody_else(rng, entity)
        copied = answers.get(source.copies_of.id, {}) if source.copies_of is not None else {}
        found: dict[str, Candidate] = {}
        for name in _FIELDS[entity.entity_type]:
            if name not in facts or rng.random() < 0.1:
                continue
            value = facts[name]
            if name in copied and rng.random() < source.copies:
                value = copied[name].value
            elif not mixed_up and rng.random() < source.wrong:
                kind = rng.choices(KINDS, SOURCE_KINDS)[0]
                wrong = spoil(rng, kind, name, entity, facts, other)
                value = (
                    canonical(entity.entity_type, {**facts, name: wrong}).get(name, value)
                    if wrong is not None
                    else value
                )
            truly = is_equivalent(entity.entity_type, name, value, facts[name]) and not mixed_up
            confidence = source.stated + rng.gauss(0, source.spread) - (0.0 if truly else source.insight)
            confidence = min(max(confidence, 0.35), 0.97)
            found[name] = Candidate(source.id, value, round(confidence, 2), seen if source.is_dated else NOW)
        return found


def draw_world(seed: int, *, dated: bool) -> World:
    """The world of a seed: 2 to 5 sources, each with its own faults, and a CRM with its own."""
    rng = random.Random(seed)  # noqa: S311 - a simulation, no secret
    sources: list[DrawnSource] = []
    for index in range(rng.randrange(2, 6)):
        wrong, is_dated = rng.uniform(0.02, 0.15), dated or rng.random() < 0.8
        copies_of = rng.choice(sources) if sources and rng.random() < 0.3 else None
        sources.append(
            DrawnSource(
                id=f"source{index}",
                wrong=wrong,
                another_entity=rng.uniform(0.0, 0.05),
                # Who does not date an answer looks when asked, or not long before.
                mean_age=rng.choice((10, 30, 90, 250, 600)) if is_dated else rng.choice((1, 30)),
                is_dated=is_dated,
                covers=rng.uniform(0.6, 0.98),
                stated=min(max(1.0 - wrong + rng.gauss(-0.02, 0.04), 0.6), 0.95),
                spread=rng.uniform(0.0, 0.08),
                insight=rng.choice((0.0, 0.05, 0.15, 0.25)),
                copies_of=copies_of,
                copies=rng.uniform(0.3, 0.9) if copies_of else 0.0,
            )
        )
    return World(
        rng=rng,
        dated=dated,
        sources=sources,
        pace=rng.uniform(0.6, 1.6),
        crm_mean_age=rng.uniform(200, 1100),
        spoils=rng.uniform(0.03, 0.12) if dated else rng.uniform(0.08, 0.25),
        kinds=[rng.uniform(0.2, 1.0) for _ in KINDS],
        reviewed=rng.choice((0, 25)),
    )
