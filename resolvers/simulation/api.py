"""Simulation: the decisions of a past period taken again under other rules, with the answers given then."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enrichment.config import Config
from enrichment.replay.bill import Question
from enrichment.replay.diff import Difference, Replayed
from enrichment.replay.replay import Replay, Rules
from enrichment.replay.stored import Readable, StoredSnapshot, readable
from models.conflict.queries import open_at
from models.decision_log import snapshots_of_period
from models.organization import config_versions
from models.record.queries import external_ids_of
from resolvers.config import merged_config
from resolvers.context import Context, Role, Services
from resolvers.errors import BadRequest, Fault, RateLimited
from resolvers.off_loop import off_loop
from resolvers.organizations import organization_of, read_config
from resolvers.simulation.cached_answers import answers_of, sources_by_type, to_stored, with_cached
from resolvers.simulation.not_replayed import not_replayed
from resolvers.yields import yields_of

MOST_REPLAYED = 10_000
_AT_ONCE = 500
_BUSY_SECONDS = 5
_busy: set[str] = set()  # organizations whose simulation is under way, or waits for its turn


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
    """What would have been otherwise.

    `next_from`: where to go on, where the period held more than 10,000 decisions. `not_replayed`: what the change has
    in it that past answers cannot tell about, each with what is taken for it; and decisions that could not be read.
    """

    replayed: Replayed
    credits: list[ProviderCredits] = field(default_factory=list)
    external_ids: dict[str, str] = field(default_factory=dict)  # by record id
    next_from: datetime | None = None
    not_replayed: list[str] = field(default_factory=list)

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
    if organization_id in _busy:
        raise RateLimited("another simulation of this organization is under way", retry_after=_BUSY_SECONDS)
    _busy.add(organization_id)
    try:
        return await _simulate(services, organization_id, config, start, end)
    finally:
        _busy.discard(organization_id)


async def _simulate(
    services: Services, organization_id: str, config: Config, start: datetime | None, end: datetime | None
) -> Simulation:
    snapshots, next_from = await _snapshots(organization_id, start, end)
    known = await off_loop(readable, snapshots)
    answers = await answers_of(services, organization_id, config, known.snapshots)
    in_force = await _in_force(organization_id, answers.versions)
    yields = await yields_of(organization_id) if config.weighs_value else {}
    rules = Rules(config, sources_by_type(services, config), in_force, yields)
    open_before = await _open_before(organization_id, known.snapshots)

    async def run() -> Replay:
        replay = Replay(rules, answers, open_before)
        await off_loop(replay.run, known.snapshots)
        return replay

    replay = await with_cached(organization_id, answers, run)
    record_ids = sorted({difference.snapshot.record_id for difference in replay.outcome.differences})
    return Simulation(
        replay.outcome,
        credits=_credits(replay, answers.missing),
        external_ids=await external_ids_of(organization_id, record_ids),
        next_from=next_from,
        not_replayed=[*not_replayed(config, in_force), *_unreadable(known), *_pruned(services, start)],
    )


def _pruned(services: Services, start: datetime | None) -> list[str]:
    first = services.now() - timedelta(days=services.keep_days.decisions)
    if start is None or start >= first:
        return []
    return [f"decisions from before {first:%Y-%m-%d} are kept no longer (REPLAY_DAYS)"]


def _unreadable(known: Readable) -> list[str]:
    if known.error is None:
        return []
    return [f"{known.unreadable} of the decisions are left out: {known.error}"]


async def _snapshots(
    organization_id: str, start: datetime | None, end: datetime | None
) -> tuple[list[StoredSnapshot], datetime | None]:
    """The first decisions of the period, and where the rest begins. What was decided at one moment stays together."""
    rows = await snapshots_of_period(organization_id, start, end, MOST_REPLAYED + 1)
    if len(rows) <= MOST_REPLAYED:
        return [to_stored(row) for row in rows], None
    rest = rows[-1].decided_at
    return [to_stored(row) for row in rows if row.decided_at < rest], rest


async def _in_force(organization_id: str, versions: Collection[int]) -> dict[int, Config]:
    """The configurations of these versions."""
    found: dict[int, Config] = {}
    wanted = sorted(versions)
    for index in range(0, len(wanted), _AT_ONCE):
        for row in await config_versions(organization_id, wanted[index : index + _AT_ONCE]):
            found[row.version] = read_config(row.config)
    return found


async def _open_before(organization_id: str, snapshots: Sequence[StoredSnapshot]) -> dict[str, set[str]]:
    """The fields of each record with a conflict that was open when its first decision here was taken."""
    first: dict[str, datetime] = {}
    for snapshot in snapshots:
        first.setdefault(snapshot.record_id, snapshot.decided_at)
    found: dict[str, set[str]] = {}
    for record_id, name in await open_at(organization_id, first):
        found.setdefault(record_id, set()).add(name)
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
