"""What the scheduled refresh does today, and who comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from enrichment.credits import day_of
from models import refresh as plan
from models.db.columns import from_micros, to_micros
from models.record import Record
from resolvers.context import Context, Role
from resolvers.organizations import config_of, organization_of


@dataclass(frozen=True, slots=True)
class RefreshDay:
    """The refreshes of one day (UTC). Credits: `spent` includes what calls in flight hold.

    `planned` is how many records the last plan still waits to start; `planned_at` when it was made.
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
    state = await plan.state_of(organization_id)
    today = state is not None and state["day"] == day_of(now)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    budget_id = state["budget_id"] if state is not None and today else None
    planned_at = None if state is None else state["planned_at"]
    return RefreshDay(
        day=midnight.date(),
        credit_budget=config.refresh.credit_budget,
        spent=await plan.spent(organization_id, budget_id, to_micros(midnight)),
        started=int(state["started"]) if state is not None and today else 0,
        planned=await plan.count_planned(organization_id),
        planned_at=None if planned_at is None else from_micros(planned_at),
    )


async def next_refreshes(ctx: Context, size: int) -> Sequence[PlannedRefresh]:
    """Who comes next, in order, `size` at most."""
    caller = ctx.require(Role.VIEWER)
    rows = await plan.planned(caller.organization_id, size)
    found = {record.id: record for record in await Record.filter(id__in=[row["record_id"] for row in rows])}
    return [PlannedRefresh(found[row["record_id"]], row["staleness"]) for row in rows if row["record_id"] in found]
