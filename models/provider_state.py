"""A provider's state for one organization: its circuit breaker, what is left of its credits, its last error."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import BreakerState, OpenReason
from models.db.columns import Instant, to_micros
from models.db.rows import bulk, columns_of, fetch, projection, query_row, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events

_CREDITS_NOTED_EVERY = timedelta(seconds=10)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class ProviderState(Model):
    """One row for each organization and provider that anything is known of.

    `state`, `reason`, `open_until`, `failures` and `openings` are the circuit breaker (see
    `enrichment.waterfall.breaker`); calls from before `counted_since` count neither for it nor for the match rate.
    `paused_until`: a reply asked for no calls until then. `credits_left` is what the provider said of the account.
    `last_error_message` repeats nothing of a record.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    provider = fields.CharField(max_length=64)
    state = fields.CharField(max_length=16, default="closed")
    reason = fields.CharField(max_length=32, null=True)
    open_until: datetime | None = Instant(null=True)
    failures = fields.IntField(default=0)
    openings = fields.IntField(default=0)
    credits_left = fields.FloatField(null=True)
    credits_left_at: datetime | None = Instant(null=True)
    last_error_code = fields.CharField(max_length=64, null=True)
    last_error_message = fields.TextField(null=True)
    last_error_at: datetime | None = Instant(null=True)
    counted_since: datetime = Instant(default=0)
    paused_until: datetime | None = Instant(null=True)

    class Meta:
        table = "provider_state"


@projection(ProviderState)
class ProviderStateRow:
    """See ProviderState; as it stands, this is a provider that nothing is known of."""

    organization_id: str
    provider: str
    state: BreakerState = BreakerState.CLOSED
    reason: OpenReason | None = None
    open_until: datetime | None = None
    failures: int = 0
    openings: int = 0
    credits_left: float | None = None
    credits_left_at: datetime | None = None
    last_error_code: str | None = None
    last_error_message: str | None = None
    last_error_at: datetime | None = None
    counted_since: datetime = _EPOCH
    paused_until: datetime | None = None


@projection(ProviderState)
class _AskedAgain:
    organization_id: str
    provider: str
    counted_since: datetime


@query_row
class RecentCalls:
    """How many calls were answered, and how many of those matched."""

    answered: int
    matched: int


_OF_PROVIDER = "organization_id = ? AND provider = ?"
_CHANGED = ", ".join(
    f"{name} = v.{name}" for name in columns_of(ProviderStateRow, without=("organization_id", "provider"))
)


async def states_of(organization_ids: Sequence[str]) -> dict[tuple[str, str], ProviderStateRow]:
    """What is known of every provider of these organizations, by organization and provider."""
    ids = list(organization_ids)
    if not ids:
        return {}
    sql = f"SELECT {select(ProviderStateRow)} FROM provider_state WHERE organization_id IN ({marks(ids)})"
    return {(row.organization_id, row.provider): row for row in await fetch(ProviderStateRow, sql, ids)}


@unit_of_work
async def change_state(
    tx: Transaction,
    organization_id: str,
    provider: str,
    change: Callable[[ProviderStateRow], ProviderStateRow],
    now: datetime,
) -> ProviderStateRow:
    """Replace a provider's state by what `change` makes of it, one change at a time.

    The log says when it is asked no more, is asked again, or is not asked for another reason; not each try meanwhile.
    """
    await execute(
        "INSERT INTO provider_state (organization_id, provider) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [organization_id, provider],
        using=tx,
    )
    [row] = await lock_state(tx, organization_id, provider)
    changed = change(row)
    source, parameter = bulk([changed])
    await execute(
        f"UPDATE provider_state SET {_CHANGED} FROM {source} WHERE provider_state.organization_id = v.organization_id"
        " AND provider_state.provider = v.provider",
        [parameter],
        using=tx,
    )
    if (row.state is BreakerState.CLOSED, row.reason) != (changed.state is BreakerState.CLOSED, changed.reason):
        await add_events(tx, [_event(organization_id, provider, changed.state, now)])
    return changed


async def lock_state(tx: Transaction, organization_id: str, provider: str) -> list[ProviderStateRow]:
    """The provider's state, if anything is known of it; nobody else changes it until the transaction ends."""
    lock = f"UPDATE provider_state SET failures = failures WHERE {_OF_PROVIDER} RETURNING {select(ProviderStateRow)}"
    return await fetch(ProviderStateRow, lock, [organization_id, provider], using=tx)


def _event(organization_id: str, provider: str, state: BreakerState, now: datetime) -> NewEvent:
    data = {"provider": provider, "state": state.value}
    return NewEvent(organization_id, now, EventKind.PROVIDER_CHANGED, data=data)


async def claim_probe(organization_id: str, provider: str, now: datetime, until: datetime) -> bool:
    """Whether this caller may be the one that tries an open provider whose pause is over."""
    claimed = await query(
        f"UPDATE provider_state SET state = 'half_open', open_until = ? WHERE {_OF_PROVIDER}"
        " AND state IN ('open', 'half_open') AND open_until <= ? RETURNING provider",
        [to_micros(until), organization_id, provider, to_micros(now)],
    )
    return bool(claimed)


async def recent_calls(organization_id: str, provider: str, since: datetime, limit: int) -> RecentCalls:
    """The last `limit` answered calls since then."""
    [calls] = await fetch(
        RecentCalls,
        "SELECT COUNT(*) AS answered, COALESCE(SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END), 0) AS matched FROM"
        f" (SELECT outcome FROM step WHERE {_OF_PROVIDER} AND asked_at >= ?"
        " AND outcome IN ('match', 'no_match') ORDER BY asked_at DESC LIMIT ?) AS recent",
        [organization_id, provider, to_micros(since), limit],
    )
    return calls


async def close_breaker(organization_id: str, provider: str, now: datetime) -> None:
    """Ask the provider again from now on; its match rate is counted anew."""
    await change_state(
        organization_id,
        provider,
        lambda row: replace(
            row,
            state=BreakerState.CLOSED,
            reason=None,
            open_until=None,
            failures=0,
            openings=0,
            counted_since=now,
            paused_until=None,
        ),
        now,
    )


@unit_of_work
async def close_breakers_of_refused_key(tx: Transaction, provider: str, now: datetime) -> None:
    """Ask a provider again for every organization that has no key of its own and whose key was refused."""
    closed = await query(
        "UPDATE provider_state SET state = 'closed', reason = NULL, open_until = NULL, failures = 0, openings = 0,"
        " counted_since = ? WHERE provider = ? AND reason = 'bad_key' AND NOT EXISTS (SELECT 1 FROM provider_key k"
        " WHERE k.organization_id = provider_state.organization_id AND k.provider = provider_state.provider)"
        " RETURNING organization_id",
        [to_micros(now), provider],
        using=tx,
    )
    await add_events(tx, [_event(row["organization_id"], provider, BreakerState.CLOSED, now) for row in closed])


@unit_of_work
async def note_credits(tx: Transaction, organization_id: str, provider: str, left: float, now: datetime) -> None:
    """Store what a provider says is left of the account's credits now.

    Written at most once in 10 s, or at once when nothing is left; not for an organization that is not there yet.
    """
    await execute(
        "INSERT INTO provider_state (organization_id, provider, credits_left, credits_left_at)"
        " SELECT id, ?, ?, ? FROM organization WHERE id = ?"
        " ON CONFLICT (organization_id, provider) DO UPDATE SET credits_left = excluded.credits_left,"
        " credits_left_at = excluded.credits_left_at WHERE provider_state.credits_left_at IS NULL"
        " OR provider_state.credits_left_at <= excluded.credits_left_at - ? OR excluded.credits_left <= 0",
        [provider, left, to_micros(now), organization_id, _CREDITS_NOTED_EVERY // timedelta(microseconds=1)],
        using=tx,
    )


async def asked_again_since(since: datetime) -> list[tuple[str, str, datetime]]:
    """The providers that are asked again since some moment after this one, with it: by organization and provider."""
    found = await fetch(
        _AskedAgain,
        "SELECT organization_id, provider, counted_since FROM provider_state WHERE state = 'closed'"
        " AND counted_since > ?",
        [to_micros(since)],
    )
    return [(row.organization_id, row.provider, row.counted_since) for row in found]


async def out_of_credits_until(now: datetime) -> list[tuple[str, str]]:
    """The providers whose credits may be there again by now, which somebody has to try."""
    found = await query(
        "SELECT organization_id, provider FROM provider_state WHERE state = 'open' AND reason = 'out_of_credits'"
        " AND open_until <= ?",
        [to_micros(now)],
    )
    return [(row["organization_id"], row["provider"]) for row in found]


async def credits_are_back(organization_id: str, provider: str, now: datetime) -> None:
    """Try a provider again whose credits were used up: it says that there are some."""
    await execute(
        f"UPDATE provider_state SET open_until = ? WHERE {_OF_PROVIDER} AND state = 'open'"
        " AND reason = 'out_of_credits'",
        [to_micros(now), organization_id, provider],
    )


@query_row
class OpenBreakers:
    """For how many organizations a provider's breaker is not closed, and why."""

    provider: str
    reason: str
    organizations: int


async def count_open_breakers() -> dict[tuple[str, str], int]:
    """For how many organizations a breaker is not closed, by provider and reason, for the metrics."""
    found = await fetch(
        OpenBreakers,
        "SELECT provider, COALESCE(reason, 'failures') AS reason, COUNT(*) AS organizations FROM provider_state"
        " WHERE state <> 'closed' GROUP BY provider, COALESCE(reason, 'failures')",
    )
    return {(row.provider, row.reason): row.organizations for row in found}
