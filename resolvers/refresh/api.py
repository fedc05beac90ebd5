"""What the scheduled refresh does today, and which records are next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from enrichment.credits import day_of
from models.record import Record
from models.record.queries import records_by_id
from models.refresh.plan import count_planned, planned_refreshes
from models.refresh.state import find_state, spent
from resolvers.context import Context, Role
from resolvers.organizations import config_of, organization_of
from resolvers.refresh.run import midnight_of


@dataclass(frozen=True, slots=True)
class RefreshDay:
    """The refreshes of one day (UTC). Credits: `spent` includes what calls in flight hold.

    `planned` is how many records of the last plan are not started yet; `planned_at` when it was made.
    """

    day: date
    credit_budget: int | None
    spent: int
    started: int
    planned: int
    planned_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlannedRefresh:
    """A record that is to be refreshed.

    `staleness`: how many of enrichment's values are expected to hold no longer, each counted by its confidence;
    where there is a budget, for each credit that a record of its type may cost.
    """

    record: Record
    staleness: float


async def get_refresh_day(ctx: Context) -> RefreshDay:
    """The refreshes of today."""
    caller = ctx.require(Role.VIEWER)
    now = ctx.services.now()
    organization_id = caller.organization_id
    config = config_of(await organization_of(organization_id, ctx.services.registry, now))
    state = await find_state(organization_id)
    today = state if state is not None and state.day == day_of(now) else None
    midnight = midnight_of(now)
    return RefreshDay(
        day=midnight.date(),
        credit_budget=config.refresh.credit_budget,
        spent=await spent(organization_id, today.budget_id if today else None, midnight),
        started=today.started if today else 0,
        planned=await count_planned(organization_id),
        planned_at=None if state is None else state.planned_at,
    )


async def next_refreshes(ctx: Context, size: int) -> Sequence[PlannedRefresh]:
    """The next records to refresh, in order, `size` at most."""
    caller = ctx.require(Role.VIEWER)
    planned = await planned_refreshes(caller.organization_id, size)
    records = await records_by_id(caller.organization_id, [refresh.record_id for refresh in planned])
    return [
        PlannedRefresh(records[refresh.record_id], refresh.staleness)
        for refresh in planned
        if refresh.record_id in records
    ]
