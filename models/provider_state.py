"""The statements on a provider's state: its circuit breaker, its credits, its last error."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from models.db.columns import to_micros
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction, unit_of_work

_NOTED_EVERY = 10_000_000  # microseconds between two notes of an account's credits

_COLUMNS = (
    "state",
    "reason",
    "open_until",
    "failures",
    "openings",
    "credits_left",
    "credits_left_at",
    "last_error_code",
    "last_error_message",
    "last_error_at",
    "counted_since",
)


async def states_of(organization_ids: Sequence[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is known of every provider of these organizations, by organization and provider."""
    ids = list(organization_ids)
    if not ids:
        return {}
    found = await query(f"SELECT * FROM provider_state WHERE organization_id IN ({marks(ids)})", ids)
    return {(row["organization_id"], row["provider"]): row for row in found}


async def change_state(
    organization_id: str, provider: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    """Replace a provider's state by what `change` makes of it, one change at a time."""

    async def body(tx: Transaction) -> dict[str, Any]:
        await execute(
            "INSERT INTO provider_state (organization_id, provider) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [organization_id, provider],
            using=tx,
        )
        row = (
            await query(
                "UPDATE provider_state SET failures = failures WHERE organization_id = ? AND provider = ? RETURNING *",
                [organization_id, provider],
                using=tx,
            )
        )[0]
        after = {**row, **change(row)}
        assignments = ", ".join(f"{name} = ?" for name in _COLUMNS)
        await execute(
            f"UPDATE provider_state SET {assignments} WHERE organization_id = ? AND provider = ?",
            [*(after[name] for name in _COLUMNS), organization_id, provider],
            using=tx,
        )
        return after

    return await unit_of_work(body)()


async def take_probe(organization_id: str, provider: str, now: datetime, until: datetime) -> bool:
    """Whether this caller may be the one that tries an open provider whose pause is over."""
    moment = to_micros(now)
    taken = await query(
        "UPDATE provider_state SET state = 'half_open', open_until = ? WHERE organization_id = ? AND provider = ?"
        " AND state IN ('open', 'half_open') AND open_until <= ? RETURNING provider",
        [to_micros(until), organization_id, provider, moment],
    )
    return bool(taken)


async def recent_calls(organization_id: str, provider: str, since: int, most: int) -> tuple[int, int]:
    """How many of the last `most` calls since then (microseconds) there were, and how many matched."""
    found = await query(
        "SELECT COUNT(*) AS asked, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS matched FROM"
        " (SELECT outcome FROM step WHERE organization_id = ? AND provider = ? AND asked_at >= ?"
        " AND outcome IN ('match', 'no_match') ORDER BY asked_at DESC LIMIT ?) AS recent",
        [organization_id, provider, since, most],
    )
    return int(found[0]["asked"]), int(found[0]["matched"] or 0)


async def close_breaker(organization_id: str, provider: str, moment: int) -> None:
    """Ask the provider again from now on; its match rate is counted anew."""
    closed = {"state": "closed", "reason": None, "open_until": None, "failures": 0, "openings": 0}
    await change_state(organization_id, provider, lambda _: closed | {"counted_since": moment})


async def close_refused(provider: str, moment: int) -> None:
    """Ask a provider again for every organization that has no key of its own and whose key was refused."""
    await execute(
        "UPDATE provider_state SET state = 'closed', reason = NULL, open_until = NULL, failures = 0, openings = 0,"
        " counted_since = ? WHERE provider = ? AND reason = 'bad_key' AND NOT EXISTS (SELECT 1 FROM provider_key k"
        " WHERE k.organization_id = provider_state.organization_id AND k.provider = provider_state.provider)",
        [moment, provider],
    )


async def note_credits(organization_id: str, provider: str, left: float, moment: int) -> None:
    """Keep what a provider says is left of the account's credits, as of `moment` (microseconds).

    Written at most once in 10 s, or at once when nothing is left; not for an organization that is not there yet.
    """
    await _note_credits(organization_id, provider, left, moment)


@unit_of_work
async def _note_credits(tx: Transaction, organization_id: str, provider: str, left: float, moment: int) -> None:
    await execute(
        "INSERT INTO provider_state (organization_id, provider, credits_left, credits_left_at)"
        " SELECT id, ?, ?, ? FROM organization WHERE id = ?"
        " ON CONFLICT (organization_id, provider) DO UPDATE SET credits_left = excluded.credits_left,"
        " credits_left_at = excluded.credits_left_at WHERE provider_state.credits_left_at IS NULL"
        " OR provider_state.credits_left_at <= excluded.credits_left_at - ? OR excluded.credits_left <= 0",
        [provider, left, moment, organization_id, _NOTED_EVERY],
        using=tx,
    )
