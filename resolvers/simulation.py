"""The time machine: the decisions of a past period taken again under other rules, with the answers given then."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.config import Config
from enrichment.recorded import Past
from enrichment.remembered import Question
from enrichment.replay import Difference, Replay, Replayed, Rules
from models.database import load, marks, query
from models.fields import from_micros, to_micros
from models.hearings import hearings_of_period
from resolvers.config import merged_config
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.known_answers import answers_of, past_of, sources_of, with_kept
from resolvers.organizations import organization_of, read_config

MOST_REPLAYED = 10_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ProviderCredits:
    """What one provider was paid in the period, what it would have been paid, and what nobody knows.

    `unknown`: questions that these rules ask and nobody has answered; `unknown_most`: the most they would have cost.
    """

    provider: str
    actual: int
    simulated: int
    unknown: int
    unknown_most: int


@dataclass(slots=True)
class Simulation:
    """What would have been otherwise. `next_from`: where to go on, where the period held more than 10,000 decisions."""

    replayed: Replayed
    credits: list[ProviderCredits] = field(default_factory=list)
    external_ids: dict[str, str] = field(default_factory=dict)  # by record id
    next_from: datetime | None = None

    @property
    def differences(self) -> list[Difference]:
        return self.replayed.differences


async def simulate_config(
    ctx: Context, changes: Mapping[str, Any], start: datetime | None = None, end: datetime | None = None
) -> Simulation:
    """Take the decisions from `start` (inclusive) to `end` (exclusive) again under the configuration with `changes`.

    Asks no provider, and writes nothing. With the rules that were in force nothing differs. Answers that nobody gave
    are counted, not guessed. Raises ValidationFailed for a configuration that cannot be, BadRequest for a period.
    """
    caller = ctx.require(Role.USER)
    services, organization_id = ctx.services, caller.organization_id
    if start is not None and end is not None and start >= end:
        raise BadRequest("from must be before to", faults=[Fault("from", "must be before to")])
    row = await organization_of(organization_id, services.registry, services.now())
    config = merged_config(row.config, changes, services.registry.ids())
    found = await hearings_of_period(
        organization_id,
        None if start is None else to_micros(start),
        None if end is None else to_micros(end),
        MOST_REPLAYED + 1,
    )
    pasts = [past_of(one) for one in found[:MOST_REPLAYED]]
    next_from = from_micros(found[MOST_REPLAYED]["decided_at"]) if len(found) > MOST_REPLAYED else None
    rules = Rules(config, sources_of(services, config), await _in_force(organization_id))
    open_before = await _open_before(pasts)
    answers = await answers_of(services, organization_id, pasts)

    async def run() -> Replay:
        replay = Replay(rules, answers, open_before)
        await asyncio.to_thread(replay.run, pasts)  # it only computes
        return replay

    replay = await with_kept(organization_id, answers, run)
    record_ids = sorted({difference.past.record_id for difference in replay.outcome.differences})
    return Simulation(
        replay.outcome,
        credits=_credits(replay, answers.missing),
        external_ids=await _external_ids(record_ids),
        next_from=next_from,
    )


async def _in_force(organization_id: str) -> dict[int, Config]:
    rows = await query("SELECT version, config FROM config_change WHERE organization_id = ?", [organization_id])
    return {row["version"]: read_config(load(row["config"])) for row in rows}


async def _open_before(pasts: Sequence[Past]) -> dict[str, set[str]]:
    """The fields of each record with a conflict that was open when its first decision here was taken."""
    first: dict[str, int] = {}
    for past in pasts:
        first.setdefault(past.record_id, to_micros(past.decided_at))
    found: dict[str, set[str]] = {}
    ids = list(first)
    for place in range(0, len(ids), _AT_ONCE):
        some = ids[place : place + _AT_ONCE]
        rows = await query(
            "SELECT record_id, field, status, created_at, COALESCE(resolved_at, updated_at) AS ended_at FROM conflict"
            f" WHERE record_id IN ({marks(some)})",
            some,
        )
        for row in rows:
            at = first[row["record_id"]]
            if row["created_at"] < at and (row["status"] == "open" or row["ended_at"] >= at):
                found.setdefault(row["record_id"], set()).add(row["field"])
    return found


def _credits(replay: Replay, missing: Mapping[Question, int]) -> list[ProviderCredits]:
    unknown: Counter[str] = Counter(source for source, _ in missing)
    most: Counter[str] = Counter()
    for (source, _), credits in missing.items():
        most[source] += credits
    bill = replay.bill
    return [
        ProviderCredits(source, bill.actual[source], bill.simulated[source], unknown[source], most[source])
        for source in sorted({*bill.actual, *bill.simulated, *unknown})
    ]


async def _external_ids(record_ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in range(0, len(record_ids), _AT_ONCE):
        some = list(record_ids[place : place + _AT_ONCE])
        rows = await query(f"SELECT id, external_id FROM record WHERE id IN ({marks(some)})", some)
        found |= {row["id"]: row["external_id"] for row in rows}
    return found
