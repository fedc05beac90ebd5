"""Random histories, replayed: the same rules give the same past exactly, and other rules what they really give.

One file, because the histories, their replay and the comparison are read side by side.
"""

import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictStatus, CreditKind, EntityType, FieldOutcomeReason, ResolutionAction
from enrichment.replay.diff import Difference, DifferenceKind
from models.conflict.table import Conflict
from models.credit.entry import CreditEntry
from models.db.statements import execute
from models.job import Job
from models.record import FieldValue, Record
from providers.api import Pending, ProviderError, Question
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.context import Context, Services
from resolvers.errors import OperationError
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.simulation.api import Simulation, simulate_config
from resolvers.undo.api import undo_job
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.seeds import seeds

pytestmark = pytest.mark.usefixtures("db")

STEPS = 12
NAMES = ("acme", "beta", "gamma")
DOMAINS = ("acme.com", "beta.com", "gamma.com")
FIELDS = ("city", "description", "foundedYear", "stockSymbol", "phone", "domain")
POLICIES = ("fill_empty", "tracked", "review", "overwrite", "never")

WORDS = ("Paris", "Lima", "Quito", "Accra", "Turin", "Osaka", "Perth", "Delhi", "Basel", "Tunis", "Dover", "Minsk")


def _value(name: str, chance: random.Random) -> Any:
    return {
        "city": chance.choice(["Oakland", "Fremont", "Berkeley"]),
        "description": chance.choice(["Makes anvils", "Makes rockets"]),
        "foundedYear": chance.choice([1949, 1975, 2001]),
        "stockSymbol": chance.choice(["ACME", "WILE"]),
        "phone": chance.choice(["+442079460818", "+442079460000"]),
        "domain": chance.choice(DOMAINS),
    }[name]


# Other spellings of these values, and what is nearly the same.
NEAR: dict[Any, tuple[Any, ...]] = {
    "Oakland": ("oakland", " OAKLAND"),
    "Makes anvils": ("Makes  anvils", "makes anvils"),
    1975: ("1975", "est. 1975", 1976),
    "ACME": ("acme", "NYSE: ACME"),
    "+442079460818": ("+44 20 7946 0818", "020 7946 0818", "+44 20 7946 0818 ext. 5"),
    "acme.com": ("https://www.acme.com/", "ACME.com"),
}


def _near(value: Any, chance: random.Random) -> Any:
    """The value, or often one that is nearly the same."""
    return chance.choice([value, *NEAR.get(value, ())])


def _rules(chance: random.Random, providers: list[str]) -> dict[str, Any]:
    order = chance.sample(providers, len(providers))
    rule = chance.choice(["accept", "keep"])
    return {
        "strategy": chance.choice(["waterfall", "consensus"]),
        "consensusSize": chance.choice([2, 3]),
        "minConfidence": chance.choice([0.3, 0.6, 0.8]),
        "cooldownHours": chance.choice([0, 0, 2, 24]),
        "maxAttempts": chance.choice([1, 3]),
        "providers": [{"id": name, "enabled": chance.random() < 0.85} for name in order],
        "credits": {"perRecordMax": chance.choice([None, None, 1, 3])},
        "triggers": {"onUpdate": chance.random() < 0.8},
        "fieldPolicies": {
            kind: {"default": "review", "fields": {name: chance.choice(POLICIES) for name in FIELDS[:5]}}
            for kind in ("account",)
        },
        "rules": [{"entityType": "account", "field": "city", "action": rule}] if chance.random() < 0.2 else [],
    }


def _provider(name: str, chance: random.Random, *, trouble: bool) -> StandIn:
    knows = {
        key: {
            field: (
                _near(_value(field, chance), chance) if trouble else _value(field, chance),
                chance.choice([0.2, 0.5, 0.7, 0.9, 0.95]),
            )
            for field in chance.sample(FIELDS, chance.randint(1, len(FIELDS)))
        }
        for key in (*NAMES, *DOMAINS)
        if chance.random() < 0.8
    }
    price = chance.choice([0, 0, 1, 2])
    seen = chance.choice([None, None, datetime(2026, 1, 1, tzinfo=UTC)])
    standin = StandIn(name, knows, price=price, keeps_days=30 if price else 0, observed_at=seen)
    if trouble and price:
        standin.extra_price, standin.extra_for = chance.choice([0, 3]), frozenset({"phone"})
    if trouble:
        standin.fails = [
            ProviderError(chance.choice(["timeout", "rate_limited"]), "later", retryable=chance.random() < 0.7)
            for _ in range(chance.choice([0, 0, 1, 4]))
        ]
        standin.later = [Pending("t", 1.0) for _ in range(chance.choice([0, 0, 0, 2]) if price else 0)]
    return standin


@dataclass
class Player:
    """One history of one organization."""

    shared: Services
    ctx: Context
    clock: Clock
    chance: random.Random
    sources: list[StandIn]
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)  # what the CRM last sent, by external id

    async def play(self) -> None:
        for source in self.sources:
            source.on_ask = self.meanwhile
        moves = [self.edit, self.edit, self.edit, self.force, self.review, self.undo, self.retry, self.wait]
        for _ in range(STEPS):
            self.clock.ahead_seconds += 30
            await self.chance.choice(moves)()
            if self.chance.random() < 0.7:
                await work(self.shared)
        for _ in range(3):
            self.clock.ahead_seconds += 7200
            await work(self.shared)

    async def edit(self) -> None:
        for external_id in self.chance.sample(["A1", "A2", "A3", "A4"], self.chance.randint(1, 4)):
            await self._edit(external_id)

    async def _edit(self, external_id: str) -> None:
        start = {"name": self.chance.choice(NAMES)} | ({"domain": self.chance.choice(DOMAINS)} if _half(self) else {})
        sent = self.sent.setdefault(external_id, start)
        name = self.chance.choice(FIELDS)
        sent[name] = None if self.chance.random() < 0.2 else _near(_value(name, self.chance), self.chance)
        await send(self.ctx, "account", external_id, **sent)

    async def meanwhile(self, question: Question) -> None:
        if self.chance.random() < 0.1 and self.sent:
            await self._edit(self.chance.choice(sorted(self.sent)))

    async def force(self) -> None:
        await enrich_records(self.ctx, RecordSelection(EntityType.ACCOUNT), force=_half(self))

    async def review(self) -> None:
        conflicts = await Conflict.filter(organization_id="acme", status=ConflictStatus.OPEN)
        for conflict in conflicts[:3]:
            actions = [ResolutionAction.KEEP_CURRENT, ResolutionAction.ACCEPT_CANDIDATE]
            candidate = self.chance.choice(conflict.candidates)["id"]
            action = self.chance.choice(actions)
            accepted = candidate if action is ResolutionAction.ACCEPT_CANDIDATE else None
            await resolve_conflict(self.ctx, conflict.id, Resolution(action, accepted))

    async def undo(self) -> None:
        await self._some_job(undo_job)

    async def retry(self) -> None:
        await self._some_job(retry_job)

    async def _some_job(self, act: Any) -> None:
        jobs = await Job.filter(organization_id="acme").order_by("id")
        if jobs:
            with contextlib.suppress(OperationError):  # its state may not allow it
                await act(self.ctx, self.chance.choice(jobs).id)

    async def wait(self) -> None:
        self.clock.ahead_seconds += self.chance.choice([600, 4 * 3600, 25 * 3600, 40 * 86400])


def _half(player: Player) -> bool:
    return player.chance.random() < 0.5


async def _check_same(ctx: Context, simulation: Simulation) -> None:
    """Nothing differs, and what is told of the past is what the tables hold."""
    organization_id = "acme"
    assert simulation.differences == []
    assert all(credit.actual == credit.simulated and not credit.unknown for credit in simulation.credits)
    assert simulation.replayed.actual == simulation.replayed.simulated
    charges = await CreditEntry.filter(organization_id=organization_id, kind=CreditKind.CHARGE)
    assert sum(credit.actual for credit in simulation.credits) == -sum(entry.amount for entry in charges)
    values = FieldValue.filter(organization_id=organization_id, source__startswith="p", undo_id__isnull=True)
    assert simulation.replayed.actual.values_written == await values.count()
    conflicts = await Conflict.filter(organization_id=organization_id).count()
    assert simulation.replayed.actual.conflicts_raised == conflicts
    assert simulation.not_replayed == []


@pytest.mark.parametrize("seed", seeds(at_home=4))
async def test_the_rules_that_were_in_force_reproduce_the_past(redis: ArqRedis, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    clock = Clock()
    sources = [_provider(f"p{n}", chance, trouble=True) for n in range(3)]
    shared = services(redis, *sources, now=clock)
    ctx = context(shared)
    await configure(ctx, **_rules(chance, [source.id for source in sources]))
    player = Player(shared, ctx, clock, chance, sources)
    await player.play()
    asked = [len(source.asked) for source in sources]
    await _check_same(ctx, await simulate_config(ctx, {}))
    assert asked == [len(source.asked) for source in sources]


async def _write_script(chance: random.Random) -> list[tuple[str, Any]]:
    """What the CRM sends, and when someone asks for more; nothing that depends on what enrichment does."""
    sent: dict[str, dict[str, Any]] = {}
    script: list[tuple[str, Any]] = []
    for _ in range(STEPS):
        move = chance.choice(["send", "send", "send", "force", "wait"])
        if move == "send":
            external_id = chance.choice(["A1", "A2", "A3", "A4"])
            name = chance.choice(FIELDS[:5])
            fields = sent.setdefault(external_id, {"name": chance.choice(NAMES), "domain": chance.choice(DOMAINS)})
            # No source says the same, and nothing is cleared: else it depended on what was written what is a change.
            number = len(script)
            fields[name] = {"foundedYear": 1901 + number, "phone": f"+4420794610{number:02}"}.get(name, WORDS[number])
            script.append((move, (external_id, dict(fields))))
        else:
            script.append((move, chance.random() < 0.5 if move == "force" else chance.choice([600, 20000, 90000])))
    return script


async def _act_out(ctx: Context, script: list[tuple[str, Any]], clock: Clock) -> None:
    clock.ahead_seconds = 0
    for move, what in script:
        clock.ahead_seconds += 60
        if move == "send":
            external_id, fields = what
            await send(ctx, "account", external_id, **fields)
        elif move == "force":
            await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=what)
        else:
            clock.ahead_seconds += what
        # What people's edits teach would differ between the two, and is taken as it was by a replay.
        await execute("DELETE FROM trust")
        await work(ctx.services)


Written = tuple[str, str, Any, str | None]  # external id, field, value, source


async def _written(organization_id: str) -> Counter[Written]:
    values = await FieldValue.filter(organization_id=organization_id, source__startswith="p")
    names = {record.id: record.external_id for record in await Record.filter(organization_id=organization_id)}
    return Counter((names[value.record_id], value.field, value.value, value.source) for value in values)


def _changed(simulation: Simulation, written: Counter[Written]) -> Counter[Written]:
    """What was written, with the differences applied."""
    changed = Counter(written)
    for difference in simulation.differences:
        external_id = simulation.external_ids[difference.snapshot.record_id]
        for effect, step in ((difference.actual, -1), (difference.simulated, 1)):
            if (
                effect is not None
                and effect.reason is FieldOutcomeReason.WRITTEN
                and "written" in difference.kind.value
            ):
                changed[external_id, difference.field, effect.value, effect.source] += step
    return changed


@pytest.mark.parametrize("seed", seeds(at_home=4))
async def test_other_rules_give_what_they_really_give(redis: ArqRedis, seed: int) -> None:
    """Two organizations live through the same; the past of one under the rules of the other is the other's past."""
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    clock = Clock()
    sources = [_provider(f"p{n}", chance, trouble=False) for n in range(3)]
    for source in sources:
        source.observed_at = datetime(2026, 1, 1 + chance.randint(0, 2), tzinfo=UTC)
    shared = services(redis, *sources, now=clock)
    names = [source.id for source in sources]
    # Under the first rules everybody is asked all the time, so that the answers are known.
    asking_all = {"strategy": "consensus", "cooldownHours": 0, "minConfidence": 0.96, "consensusSize": 3}
    rules = _rules(chance, names)
    script = await _write_script(chance)
    first, second = context(shared, org="acme"), context(shared, org="beta")
    await configure(first, **asking_all)
    await configure(second, **rules)
    await _act_out(first, script, clock)
    await _act_out(second, script, clock)

    simulation = await simulate_config(first, rules, end=datetime.now(UTC) + timedelta(days=365))
    really = await simulate_config(second, {}, end=datetime.now(UTC) + timedelta(days=365))
    assert really.differences == []
    written = await _written("beta")
    changed = _changed(simulation, await _written("acme"))
    assert simulation.not_replayed == [line for line in simulation.not_replayed if line.startswith("maxAttempts")]
    if any(credit.unknown for credit in simulation.credits):
        certain = [
            difference
            for difference in simulation.differences
            if difference.certain and difference.kind is DifferenceKind.WRITTEN
        ]
        assert all(_as_written(simulation, difference) in written for difference in certain)
        return
    assert +changed == written
    assert simulation.replayed.simulated == really.replayed.actual
    assert {credit.provider: credit.simulated for credit in simulation.credits if credit.simulated} == {
        credit.provider: credit.actual for credit in really.credits if credit.actual
    }


def _as_written(simulation: Simulation, difference: Difference) -> Written:
    assert difference.simulated is not None
    return (
        simulation.external_ids[difference.snapshot.record_id],
        difference.field,
        difference.simulated.value,
        difference.simulated.source,
    )
