"""How fast the organization's fields change, as fitted from its own history, and how fresh its values are."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache

from enrichment.catalogue import is_equivalent, parts_of
from enrichment.enums import EntityType, FieldUnit
from enrichment.learn.freshness import expected_freshness, freshness
from enrichment.learn.half_life import PRIOR_DAYS, Evidence, HalfLife, fit
from models.db.period import DAY_MICROS
from models.db.transaction import unit_of_work
from models.half_life import (
    HalfLifeRow,
    changes_seen,
    learned_half_lives,
    save_half_lives,
    stored_half_lives,
    time_watched,
)
from models.record.queries import count_records, last_of_next
from models.refresh.state import fitted_at
from resolvers.context import Context, Role

RENEWED_EVERY = timedelta(days=1)
_RECORDS_AT_ONCE = 1000
_MOST_PAGES = 40

FieldKey = tuple[EntityType, str]
HalfLives = Mapping[FieldKey, HalfLife]


@dataclass(frozen=True, slots=True)
class FieldFreshness:
    """The half-life of one field of one entity type, and when it was fitted (None: it is the prior alone)."""

    entity_type: EntityType
    field: str
    half_life: HalfLife
    fitted_at: datetime | None


async def list_freshness(ctx: Context) -> list[FieldFreshness]:
    """Every field's half-life, in catalogue order."""
    caller = ctx.require(Role.VIEWER)
    moment = await fitted_at(caller.organization_id)
    found = await half_lives_of(caller.organization_id)
    return [FieldFreshness(*key, half_life, moment) for key, half_life in found.items()]


@dataclass(frozen=True, slots=True)
class Aging:
    """How fresh the organization's values are at one moment."""

    half_lives: HalfLives
    now: datetime

    def of(self, entity_type: EntityType, field: str, observed_at: datetime | None) -> float:
        """The freshness (0-1, to four places) of a value of this field that its source saw then (None: unknown)."""
        days = self._days(entity_type, field)
        fresh = expected_freshness(days) if observed_at is None else freshness(observed_at, self.now, days)
        return round(fresh, 4)

    def _days(self, entity_type: EntityType, field: str) -> float:
        """The half-life of a field, or of a unit: that of its part which changes the soonest."""
        names = parts_of(entity_type, FieldUnit(field)) if field in set(FieldUnit) else (field,)
        return min(self.half_lives[entity_type, name].days for name in names)


async def aging(ctx: Context) -> Aging:
    """How values age in the caller's organization."""
    caller = ctx.require(Role.VIEWER)
    return Aging(await half_lives_of(caller.organization_id), ctx.services.now())


async def half_lives_of(organization_id: str) -> HalfLives:
    """The half-life of every field: the fitted one, or the prior where none was fitted yet."""
    stored = {(row.entity_type, row.field): row for row in await stored_half_lives(organization_id)}
    return {key: _read(stored[key]) if key in stored else prior for key, prior in _priors().items()}


LearnedHalfLives = Mapping[EntityType, Mapping[str, float]]
"""Half-lives in days by entity type and field, where the organization's own history moved them away from the prior."""


async def learned_by(organization_ids: Collection[str]) -> dict[str, LearnedHalfLives]:
    """What each of these organizations has learned, with one query for all. To a tenth of a day."""
    found: dict[str, dict[EntityType, dict[str, float]]] = {
        organization_id: {entity_type: {} for entity_type in EntityType} for organization_id in organization_ids
    }
    for row in await learned_half_lives(sorted(found)):
        found[row.organization_id][row.entity_type][row.field] = max(round(row.days, 1), 0.1)
    return dict(found)


@cache
def _priors() -> HalfLives:
    return {
        (entity_type, name): fit(prior, Evidence())
        for entity_type, priors in PRIOR_DAYS.items()
        for name, prior in priors.items()
    }


def _read(row: HalfLifeRow) -> HalfLife:
    return HalfLife(
        days=row.days,
        low_days=row.low_days,
        high_days=row.high_days,
        prior_days=row.prior_days,
        changes=row.changes,
        observed_days=row.observed_days,
    )


def is_fit_due(fitted: datetime | None, now: datetime) -> bool:
    """Whether half-lives that were fitted then (None: never) are to be fitted anew."""
    return fitted is None or fitted + RENEWED_EVERY <= now


async def renew_half_lives(organization_id: str, now: datetime) -> None:
    """Fit the half-lives anew from the organization's history; of more than 40,000 records, from every nth thousand."""
    evidence = await gather_evidence(organization_id, now)
    fitted = {
        key: fit(prior.prior_days, evidence[key]) if key in evidence else prior for key, prior in _priors().items()
    }
    rows = [
        HalfLifeRow(organization_id=organization_id, entity_type=entity_type, field=name, **asdict(half_life))
        for (entity_type, name), half_life in fitted.items()
    ]
    await unit_of_work(save_half_lives)(organization_id, rows, now)


async def gather_evidence(
    organization_id: str, now: datetime, *, page: int = _RECORDS_AT_ONCE, most_pages: int = _MOST_PAGES
) -> dict[FieldKey, Evidence]:
    """What the history says, read page by page so that nobody waits long for the database."""
    evidence: dict[FieldKey, Evidence] = {}
    after: str | None = ""
    skipped = page * (await count_records(organization_id) // (page * most_pages))
    while after is not None and (last := await last_of_next(organization_id, after, page)) is not None:
        for watched in await time_watched(organization_id, after, last, now):
            seen = evidence.setdefault((watched.entity_type, watched.field), Evidence())
            seen.confirmed += watched.confirmed / DAY_MICROS
            seen.crm_silent += max(watched.crm_silent, 0) / DAY_MICROS
        for change in await changes_seen(organization_id, after, last):
            seen = evidence.setdefault((change.entity_type, change.field), Evidence())
            gap = max(change.gap, 0) / DAY_MICROS
            reworded = is_equivalent(change.entity_type, change.field, change.value, change.next_value)
            if change.edited:
                seen.crm_edits += not reworded
            elif reworded:
                seen.confirmed += gap
            else:
                seen.gaps[max(round(gap, 1), 0.1)] += 1
        after = await last_of_next(organization_id, last, skipped) if skipped else last
    return evidence
