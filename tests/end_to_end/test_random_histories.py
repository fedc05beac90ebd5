"""Random histories of runs, CRM edits, reviews and their taking back, undos and their reversal, against an oracle.

The oracle keeps for each field a stack of what was put there. A person's value is pushed, an undo pops what it names
off the top, taking an undo back pushes that again, and taking a decision back pops what it put on top. What a run
writes is taken from the run, and checked against what no run may ever do. What the CRM sends is an edit where its text
is another than before, however near it is to what the field holds, and an echo where it is what enrichment or a
reviewer put there.

One file, because the oracle, the moves and the comparison are read side by side.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.catalogue import disputing_parts, fields_of, is_equivalent, normalize, parts_of
from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, FieldUnit, JobStatus
from enrichment.packed_json import unpack
from models.conflict.table import Conflict
from models.job import Job
from models.record import FieldValue, Record
from models.undo import Undo
from providers.api import Question
from resolvers.audit import verify_audit
from resolvers.conflict.api import reopen_conflict, resolve_conflict
from resolvers.conflict.choice import ACCEPT, CUSTOM, KEEP, PartResolution, Resolution
from resolvers.conflict.stored import FieldQuestion, questions_of
from resolvers.conflict.take_back_many import undo_resolutions
from resolvers.context import Context, Services
from resolvers.credit.verify import check_ledger
from resolvers.errors import ConflictNotReopenable
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.simulation.api import simulate_config
from resolvers.stats import get_stats
from resolvers.undo.api import revert_undo, undo_enrichment, undo_job
from resolvers.undo.scope import UndoScope
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.seeds import seeds

pytestmark = pytest.mark.usefixtures("db")

STEPS = 30
FIELDS = ("city", "postalCode", "street", "description", "foundedYear", "stockSymbol")
POLICIES = ("fill_empty", "tracked", "review", "overwrite", "never")
DOMAINS = ("acme.com", "beta.com")
CITIES = ("Oakland", "Fremont", "St. Louis", "Saint Louis")
UNREADABLE = "long ago"  # as a year


def _value(name: str, chance: random.Random) -> Any:
    return {
        "city": chance.choice(CITIES),
        "postalCode": chance.choice(["94536", "94601"]),
        "street": chance.choice(["Elm Way", "Oak Way"]),
        "description": f"Makes {chance.choice(['anvils', 'anvils.', 'rockets', 'skates'])}",
        "foundedYear": chance.choice([1949, 1975, 1976, 2001]),
        "stockSymbol": chance.choice(["ACME", "BRK.B", "BRK-B"]),
    }[name]


def _written(value: Any, chance: random.Random) -> Any:
    """One of the ways in which the CRM may write a value."""
    if not isinstance(value, str):
        return chance.choice([value, str(value), f" {value} ", f"est. {value}"])
    return chance.choice([value, f" {value}", f"'{value}" if value.isdecimal() else value, value.upper()])


def _text(raw: Any) -> str:
    return str(raw).strip()


@dataclass(frozen=True)
class Layer:
    """One value put into a field. `job` is None for a person's. The value None is a field that was cleared.

    `unreadable`: the field holds a text that is no value of it.
    """

    value: Any
    source: str
    job: str | None
    unreadable: bool = False

    @property
    def fills(self) -> bool:
        return self.value is not None or self.unreadable


FieldKey = tuple[str, str]  # domain and field


@dataclass(frozen=True)
class Line:
    """What an undo did to one field: what it popped and pushed, whether that left it empty, and its mark then."""

    key: FieldKey
    popped: list[Layer]
    pushed: list[Layer]
    left_empty: bool
    mark: int


@dataclass
class Oracle:
    """What each field should hold, and the undos so far. A field's mark changes with it.

    `sent` is the text that the CRM sent last, `own` the last that was an edit, `echoes` the values that it sent back.
    """

    stacks: dict[FieldKey, list[Layer]] = field(default_factory=dict)
    marks: dict[FieldKey, int] = field(default_factory=dict)
    undone: dict[str, list[Line]] = field(default_factory=dict)
    counter: int = 0
    sent: dict[FieldKey, str] = field(default_factory=dict)
    own: dict[FieldKey, str] = field(default_factory=dict)
    echoes: dict[FieldKey, Any] = field(default_factory=dict)

    def top(self, key: FieldKey) -> Layer | None:
        stack = self.stacks.get(key)
        return stack[-1] if stack else None

    def push(self, key: FieldKey, *layers: Layer) -> None:
        self.stacks.setdefault(key, []).extend(layers)
        self.counter += 1
        self.marks[key] = self.counter

    def receive(self, key: FieldKey, raw: Any) -> bool:
        """What a message of the CRM says of a field; whether it is an edit."""
        text, top = "" if raw is None else _text(raw), self.top(key)
        if text == self.sent.get(key):
            return False
        had_sent = bool(self.sent.get(key))
        self.sent[key] = text
        if text and top is not None and top.source != "crm" and top.value is not None and text == _text(top.value):
            self.echoes[key] = top.value
            return False
        self.echoes.pop(key, None)
        if not text and not (had_sent and top is not None and top.fills):
            return False
        self.own[key] = text
        unreadable = text.startswith(UNREADABLE)
        value = None if unreadable else normalize(EntityType.ACCOUNT, key[1], raw)
        self.push(key, Layer(value, "crm", None, unreadable=unreadable))
        return True

    def forget_echo(self, key: FieldKey) -> None:
        """After an undo: what the CRM sent back is what it sent no more, unless the field holds it still."""
        top = self.top(key)
        if key in self.echoes and (top is None or top.value != self.echoes[key]):
            del self.echoes[key], self.sent[key]
            if key in self.own:
                self.sent[key] = self.own[key]

    def undo(self, undo_id: str, names: Callable[[FieldKey, Layer], bool]) -> None:
        lines = self.undone[undo_id] = []
        for key, stack in self.stacks.items():
            popped: list[Layer] = []
            while stack and stack[-1].job is not None and names(key, stack[-1]):
                popped.insert(0, stack.pop())
            if popped:
                self.push(key)
                self.forget_echo(key)
                lines.append(Line(key, popped, [], not stack, self.marks[key]))

    def undo_beside(self, undo_id: str, parts: Collection[str]) -> None:
        """After an undo of a part: what was written of the unit from the same answers goes with it."""
        lines = self.undone[undo_id]
        answers = {line.key[0]: {(layer.job, layer.source) for layer in line.popped} for line in lines}
        self.undo(
            undo_id,
            lambda key, layer: key[1] in parts and (layer.job, layer.source) in answers.get(key[0], set()),
        )
        self.undone[undo_id] = lines + self.undone[undo_id]

    def take_back(self, key: FieldKey) -> None:
        """After a decision, whose value is on top, is taken back."""
        self.stacks[key].pop()
        self.push(key)
        self.forget_echo(key)

    def revert(self, undo_id: str, first: str) -> None:
        lines = self.undone[undo_id] = []
        for line in self.undone[first]:
            stack = self.stacks.setdefault(line.key, [])
            # An emptied field is as it was left whenever it is empty, any other until it is written again.
            if stack if line.left_empty else self.marks[line.key] != line.mark:
                continue
            if line.pushed:
                del stack[-len(line.pushed) :]
            self.push(line.key, *line.popped)
            self.forget_echo(line.key)
            lines.append(Line(line.key, line.pushed, line.popped, not stack, self.marks[line.key]))


@dataclass
class Player:
    """One history: the real thing, moved step by step together with the oracle."""

    shared: Services
    ctx: Context
    sources: tuple[StandIn, StandIn]
    clock: Clock
    chance: random.Random
    policies: dict[str, str]
    oracle: Oracle = field(default_factory=Oracle)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)  # what the CRM last sent, by domain
    edited_meanwhile: set[tuple[str, FieldKey]] = field(default_factory=set)  # with the job that was asking
    decided: dict[str, dict[FieldKey, Layer | None]] = field(default_factory=dict)  # by conflict; None: left empty

    async def step(self) -> None:
        self.clock.ahead_seconds += 30
        moves = [
            self.edit, self.edit, self.run, self.run, self.review, self.review, self.reopen, self.undo_decisions,
            self.undo_job, self.undo_some, self.revert,
        ]  # fmt: skip
        await self.chance.choice(moves)()
        await self.compare()

    async def edit(self) -> None:
        await self._edit(self.chance.choice(DOMAINS))

    async def _edit(self, domain: str) -> set[FieldKey]:
        """Send the record with one field changed; what that changes. All that the CRM has is sent along."""
        name = self.chance.choice(FIELDS)
        said = self.said.setdefault(domain, {"domain": domain})
        said[name] = self._message((domain, name))
        await send(self.ctx, "account", domain, **said)
        changed = {
            (domain, field) for field in FIELDS if field in said and self.oracle.receive((domain, field), said[field])
        }
        if said[name] is None:
            del said[name]
        return changed

    def _message(self, key: FieldKey) -> Any:
        """What the CRM sends for a field, as it writes it."""
        top, draw = self.oracle.top(key), self.chance.random()
        if draw < 0.2:
            return None
        if draw < 0.3 and key[1] == "foundedYear":
            return self.chance.choice([UNREADABLE, f"{UNREADABLE}, or later"])
        if draw < 0.5 and top is not None and top.value is not None:
            return top.value  # as it is shown
        return _written(_value(key[1], self.chance), self.chance)

    async def _edit_meanwhile(self, question: Question) -> None:
        """Sometimes, a person edits the record while the answer is on its way."""
        domain = question.fields["domain"]
        if self.chance.random() < 0.3:
            jobs = await Job.filter(record__external_id=domain).prefetch_related("record").order_by("id")
            for job in jobs:  # what an earlier one wrote in the same run came before this edit
                await self._take_over(job)
            self.edited_meanwhile |= {(jobs[-1].id, key) for key in await self._edit(domain)}

    async def run(self) -> None:
        for source in self.sources:
            source.knows = {
                domain: {
                    name: (_value(name, self.chance), self.chance.choice([0.4, 0.7, 0.9]))
                    for name in FIELDS
                    if self.chance.random() < 0.7
                }
                for domain in DOMAINS
            }
            source.on_ask = self._edit_meanwhile
        before = {job.id for job in await Job.all()}
        await enrich_records(self.ctx, RecordSelection(EntityType.ACCOUNT), force=True)
        await work(self.shared)
        for job in await Job.all().prefetch_related("record").order_by("id"):
            if job.id not in before or job.fields_updated:
                await self._take_over(job)

    async def _take_over(self, job: Job) -> None:
        domain = job.record.external_id
        written = await FieldValue.filter(job_id=job.id, restores=None).exclude(source__in=["crm", "reviewer"])
        known = {layer.job for stack in self.oracle.stacks.values() for layer in stack} | self._popped_jobs()
        if job.id in known:
            return
        for value in written:
            key = (domain, value.field)
            current = self.oracle.top(key)
            policy = self.policies[value.field]
            if current is not None and current.fills:
                assert current.source != "reviewer", "a reviewer's value was overwritten"
                assert current.source != "crm" or policy == "overwrite", "the CRM's value was overwritten"
                assert policy not in {"never", "fill_empty"}
            assert policy != "never"
            assert (job.id, key) not in self.edited_meanwhile, "an edit made while the answer was on its way was lost"
            self.oracle.push(key, Layer(value.value, value.source, job.id))

    def _popped_jobs(self) -> set[str | None]:
        return {
            layer.job for lines in self.oracle.undone.values() for line in lines for layer in line.pushed + line.popped
        }

    async def review(self) -> None:
        open_ones = await Conflict.filter(status=ConflictStatus.OPEN).prefetch_related("record").order_by("id")
        if not open_ones:
            return
        conflict = self.chance.choice(open_ones)
        questions = {question.field: question for question in questions_of(conflict) if question.is_asked}
        resolution, chosen = self._resolution(conflict, questions)
        await resolve_conflict(self.ctx, conflict.id, resolution)
        put = self.decided[conflict.id] = {}
        for name, question in questions.items():
            key, value = (conflict.record.external_id, name), chosen.get(name, question.value)
            keeps_text = question.current is not None and "unreadable" in question.current and name not in chosen
            put[key] = None
            if keeps_text:
                put[key] = Layer(None, "reviewer", None, unreadable=True)
            elif value is not None:
                put[key] = Layer(value, "reviewer", None)
            if (layer := put[key]) is not None:
                self.oracle.push(key, layer)

    async def reopen(self) -> None:
        resolved = await Conflict.filter(status=ConflictStatus.RESOLVED).prefetch_related("record").order_by("id")
        if not resolved:
            return
        conflict = self.chance.choice(resolved)
        put = self.decided[conflict.id]
        on_top = {key for key, layer in put.items() if layer is not None and self.oracle.top(key) is layer}
        filled = {key for key, layer in put.items() if layer is None and (top := self.oracle.top(key)) and top.fills}
        changed = {key for key, layer in put.items() if layer is not None} - on_top | filled
        newer = await self._asked_again(conflict)
        try:
            await reopen_conflict(self.ctx, conflict.id)
        except ConflictNotReopenable:
            assert newer or changed, "a decision that holds was not taken back"
            return
        assert not newer, "two questions about the same are open"
        for key in on_top:
            self.oracle.take_back(key)

    async def undo_decisions(self) -> None:
        """Take back several at once; what stands must not change anything."""
        resolved = [conflict.id for conflict in await Conflict.filter(status=ConflictStatus.RESOLVED).order_by("id")]
        chosen = self.chance.sample(resolved, min(len(resolved), 3))
        for outcome in (await undo_resolutions(self.ctx, ids=chosen)).outcomes:
            for key, layer in self.decided[outcome.id].items():
                if outcome.error is None and layer is not None and self.oracle.top(key) is layer:
                    self.oracle.take_back(key)

    async def _asked_again(self, conflict: Conflict) -> bool:
        """Whether the same, its whole or a part of it, is asked about, or was decided, since."""
        unit = conflict.unit or fields_of(EntityType.ACCOUNT)[conflict.field].unit
        parts = () if conflict.unit is None else parts_of(EntityType.ACCOUNT, conflict.unit)
        names = [conflict.field, *parts, *([] if unit is None else [unit.value])]
        others = await Conflict.filter(record_id=conflict.record_id, field__in=names).exclude(id=conflict.id)
        return any(
            other.status is ConflictStatus.OPEN
            or (
                other.resolved_at is not None
                and conflict.resolved_at is not None
                and other.resolved_at > conflict.resolved_at
            )
            for other in others
        )

    def _resolution(
        self, conflict: Conflict, questions: Mapping[str, FieldQuestion]
    ) -> tuple[Resolution, dict[str, Any]]:
        """A decision, and the values that it chooses; every other field that is asked about keeps its own."""
        answer = self.chance.choice(conflict.candidates)
        own = {name: _value(name, self.chance) for name in questions}
        if conflict.unit is None:
            own_value, given = own[conflict.field], {conflict.field: answer["value"]}
        else:
            own_value, given = own, {name: value for name, value in answer["value"].items() if name in questions}
        options = [
            (Resolution(ACCEPT, answer["id"]), given),
            (Resolution(KEEP), {}),
            (Resolution(CUSTOM, value=own_value), own),
        ]
        if conflict.unit is not None:
            name = self.chance.choice(sorted(given or questions))
            part = PartResolution(name, CUSTOM, value=own[name])
            if name in given:
                part = PartResolution(name, ACCEPT, answer["id"])
            options.append((Resolution(parts=[part]), {name: given.get(name, own[name])}))
        return self.chance.choice(options)

    async def undo_job(self) -> None:
        jobs = [job for job in await Job.all().order_by("id") if job.status.is_final]
        if jobs:
            job = self.chance.choice(jobs)
            undo = await undo_job(self.ctx, job.id)
            self.oracle.undo(undo.id, lambda _, layer: layer.job == job.id)

    async def undo_some(self) -> None:
        provider = self.chance.choice(["one", "two"])
        name = self.chance.choice([None, *FIELDS])
        undo = await undo_enrichment(self.ctx, UndoScope(provider=provider, field=name))
        self.oracle.undo(undo.id, lambda key, layer: layer.source == provider and name in {None, key[1]})
        if name in {"city", "postalCode"}:
            self.oracle.undo_beside(undo.id, {"city", "postalCode", "street"} - {name})

    async def revert(self) -> None:
        undos = await Undo.all().order_by("id")
        if undos:
            first = self.chance.choice(undos)
            self.oracle.revert((await revert_undo(self.ctx, first.id)).id, first.id)

    async def compare(self) -> None:
        for record in await Record.all():
            current = {value.field: value for value in await FieldValue.filter(record_id=record.id, replaced_at=None)}
            for name in FIELDS:
                expected = self.oracle.top((record.external_id, name))
                held = current.get(name)
                assert record.fields.get(name) == (expected.value if expected else None)
                assert (
                    (held.value, held.source, held.job_id if held.source in {"one", "two"} else None)
                    == ((expected.value, expected.source, expected.job) if expected else None)
                    if held is not None
                    else expected is None
                )
                assert held is None or held.value == record.fields.get(name)
                assert (held is not None and held.unreadable is not None) == bool(expected and expected.unreadable)
                assert (name in (record.unreadable or {})) == bool(expected and expected.unreadable)


async def _player(redis: ArqRedis, seed: int) -> Player:
    chance = random.Random(seed)  # noqa: S311 -- plays histories, guards nothing
    clock = Clock()
    gives = {EntityType.ACCOUNT: frozenset(FIELDS)}
    first, second = StandIn("one", gives=gives), StandIn("two", gives=gives, price=1)
    shared = services(redis, first, second, now=clock)
    ctx = context(shared)
    policies = {name: chance.choice(POLICIES) for name in FIELDS}
    await configure(
        ctx,
        strategy=chance.choice(["waterfall", "consensus"]),
        triggers={"onCreate": False, "onUpdate": chance.random() < 0.3},
        fieldPolicies={"account": {"fields": policies}},
    )
    player = Player(shared, ctx, (first, second), clock, chance, policies)
    for domain in DOMAINS:
        player.said[domain] = {"domain": domain}
        await send(ctx, "account", domain, domain=domain)
    return player


@pytest.mark.parametrize("seed", seeds(at_home=4))
async def test_no_history_loses_a_persons_value_or_puts_back_a_wrong_one(redis: ArqRedis, seed: int) -> None:
    player = await _player(redis, seed)
    for _ in range(STEPS):
        await player.step()
    await _finish_jobs(player)

    # Once all that enrichment wrote is undone, each field holds what a person last said of it.
    await undo_enrichment(player.ctx, UndoScope(start=datetime(2000, 1, 1, tzinfo=UTC)))
    for record in await Record.all():
        held = {value.field: value.source for value in await FieldValue.filter(record_id=record.id, replaced_at=None)}
        assert set(held.values()) <= {"crm", "reviewer"}
        for name in FIELDS:
            persons = [one.value for one in player.oracle.stacks.get((record.external_id, name), []) if one.job is None]
            assert record.fields.get(name) == (persons[-1] if persons else None)
    await _check_wholes()
    await _check_books(player)
    await _check_time_machine(player)


async def _check_wholes() -> None:
    """No part of an address was ever written from an answer that another part of the record disputed."""
    parts = parts_of(EntityType.ACCOUNT, FieldUnit.ADDRESS)
    history = await FieldValue.filter(field__in=parts)
    for value in history:
        if value.restores is not None or value.source in {"crm", "reviewer"}:
            continue
        job = await Job.get(id=value.job_id).prefetch_related("steps")
        answer = {
            told["field"]: told["value"]
            for step in job.steps
            if step.provider == value.source
            for told in (unpack(step.packed_candidates) if step.packed_candidates else step.candidates)
        }
        for other in history:
            held = other.written_at <= value.written_at and (
                other.replaced_at is None or other.replaced_at > value.written_at
            )
            if other.record_id == value.record_id and held and other.value is not None and other.field in answer:
                assert other.field not in disputing_parts(FieldUnit.ADDRESS) or is_equivalent(
                    EntityType.ACCOUNT, other.field, other.value, answer[other.field]
                ), f"{value.field} was written beside another {other.field}"
    open_ones = await Conflict.filter(status=ConflictStatus.OPEN)
    addresses = {conflict.record_id for conflict in open_ones if conflict.unit is FieldUnit.ADDRESS}
    for conflict in open_ones:
        assert conflict.field not in disputing_parts(FieldUnit.ADDRESS)
        assert conflict.field not in parts or conflict.record_id not in addresses, "a part is asked about twice"


async def _check_time_machine(player: Player) -> None:
    """The same rules bring about the same past; other rules are tried without asking anybody."""
    asked = [len(source.asked) for source in player.sources]
    same = await simulate_config(player.ctx, {})
    assert [(one.field, one.kind, one.actual, one.simulated) for one in same.differences] == []
    assert [one for one in same.credits if one.actual != one.simulated or one.unknown] == []
    for policy in POLICIES:
        other = await simulate_config(
            player.ctx, {"fieldPolicies": {"account": {"fields": dict.fromkeys(FIELDS, policy)}}}
        )
        written = other.replayed.simulated.values_written
        assert written == 0 if policy == "never" else written >= 0
    await simulate_config(player.ctx, {"providers": [{"id": "two"}, {"id": "one"}], "strategy": "consensus"})
    assert [len(source.asked) for source in player.sources] == asked


async def _finish_jobs(player: Player) -> None:
    await work(player.shared)
    for job in await Job.all().prefetch_related("record").order_by("id"):
        await player._take_over(job)


async def _check_books(player: Player) -> None:
    assert (await verify_audit(player.ctx)).intact
    assert (await check_ledger("acme")).faults == []
    enrichable = {known.name for known in fields_of(EntityType.ACCOUNT).values() if known.enrichable}
    counted: Counter[str] = Counter()
    for job in await Job.all():
        reasons = {outcome["field"]: outcome["reason"] for outcome in job.outcomes}
        assert len(reasons) == len(job.outcomes)
        if job.status in {JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED}:
            assert set(reasons) == enrichable
        if job.status.is_final:
            counted.update(reasons.values())
    stats = await get_stats(player.ctx)
    assert {reason.value: count for reason, count in stats.field_outcomes.items()} == {
        reason.value: counted[reason.value] for reason in FieldOutcomeReason
    }
