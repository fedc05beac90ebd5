"""An undo whose process dies goes on in another, does each record once, and can be taken back at any time."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.audit_list import AuditFilter
from models.operation import LEASE, Operation
from models.record import Record
from models.undo import Undo, UndoLine
from resolvers.audit import list_audit, verify_audit
from resolvers.context import Context, Services
from resolvers.errors import UndoRunning
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.operation import OperationRun
from resolvers.paging import PageArgs
from resolvers.undo import run as undo_run
from resolvers.undo import scope as undo_scope
from resolvers.undo.api import revert_undo, undo_enrichment
from resolvers.undo.scope import UndoScope
from tests.support.factories import Clock, StandIn, context, send, services, work
from workers.upkeep.resume import resume

pytestmark = pytest.mark.usefixtures("db")

RECORDS = 5
KNOWN = {f"company{n}.com": {"city": f"Town {n}", "phone": f"+1650253000{n}"} for n in range(RECORDS)}


class Killed(BaseException):
    """The end of the process: nothing catches it."""


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_scope, "RECORDS_AT_ONCE", 1)
    monkeypatch.setattr(undo_run, "RECORDS_AT_ONCE", 1)


class Process:
    """Ends before the step with this number (from 0), or in the middle of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def dies(self, step: int, *, inside: bool) -> None:
        steps = iter(range(1_000))
        method = "finish" if step == RECORDS else "advance"
        original: Any = getattr(OperationRun, method)
        number = 0 if step == RECORDS else step

        async def dying(run: OperationRun, *arguments: Any) -> None:
            now = next(steps)
            if now == number and not inside:
                raise Killed
            await original(run, *arguments)
            if now == number:
                raise Killed

        self._monkeypatch.setattr(OperationRun, method, dying)

    def starts_again(self) -> None:
        self._monkeypatch.undo()
        self._monkeypatch.setattr(undo_scope, "RECORDS_AT_ONCE", 1)
        self._monkeypatch.setattr(undo_run, "RECORDS_AT_ONCE", 1)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    return Process(monkeypatch)


async def enriched(redis: ArqRedis, clock: Clock) -> Context:
    ctx = context(services(redis, StandIn(knows=KNOWN), now=clock))
    for domain in KNOWN:
        await send(ctx, "account", domain, domain=domain)
    await work(ctx.services)
    return ctx


async def fields() -> dict[str, dict[str, Any]]:
    return {record.external_id: record.fields for record in await Record.all()}


def with_answers() -> dict[str, dict[str, Any]]:
    return {domain: {"domain": domain, **told} for domain, told in KNOWN.items()}


def without_answers() -> dict[str, dict[str, Any]]:
    return {domain: {"domain": domain} for domain in KNOWN}


async def upkeep_runs(shared: Services, clock: Clock) -> int:
    """Within a minute."""
    clock.ahead_seconds += LEASE.total_seconds() + 5
    return await resume({"services": shared})


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("step", range(RECORDS + 1))
async def test_a_killed_undo_goes_on_and_does_each_record_once(
    redis: ArqRedis, process: Process, step: int, inside: bool
) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    process.dies(step, inside=inside)
    with pytest.raises(Killed):
        await undo_enrichment(ctx, UndoScope(provider="standin"))
    process.starts_again()
    [undo] = await Undo.all()
    assert undo.status == "running"
    assert sum("city" not in held for held in (await fields()).values()) == step
    assert await upkeep_runs(ctx.services, clock) == 1

    assert await fields() == without_answers()
    undo = await Undo.get(id=undo.id)
    assert (undo.status, undo.stopped, undo.restored, undo.skipped) == ("done", None, 2 * RECORDS, 0)
    assert await UndoLine.all().count() == 2 * RECORDS
    assert {record.version for record in await Record.all()} == {3}
    lines = (await list_audit(ctx, AuditFilter(action="undo"), PageArgs())).items
    assert [(line.action, line.actor) for line in lines] == [("undo.done", "ann"), ("undo.started", "ann")]
    assert (await verify_audit(ctx)).intact
    assert (await revert_undo(ctx, undo.id)).restored == 2 * RECORDS
    assert await fields() == with_answers()


@pytest.mark.parametrize("step", range(RECORDS + 1))
async def test_a_killed_revert_goes_on_too(redis: ArqRedis, process: Process, step: int) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    undo = await undo_enrichment(ctx, UndoScope(provider="standin", field="city"))
    process.dies(step, inside=True)
    with pytest.raises(Killed):
        await revert_undo(ctx, undo.id)
    process.starts_again()
    assert await upkeep_runs(ctx.services, clock) == 1
    assert await fields() == with_answers()
    revert = await Undo.get(undoes=undo.id)
    assert (revert.status, revert.restored) == ("done", RECORDS)


@pytest.mark.parametrize("step", range(RECORDS + 1))
async def test_an_undo_is_taken_back_while_it_waits_for_another_process(
    redis: ArqRedis, process: Process, step: int
) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    process.dies(step, inside=False)
    with pytest.raises(Killed):
        await undo_enrichment(ctx, UndoScope(provider="standin"))
    process.starts_again()
    [undo] = await Undo.all()
    revert = await revert_undo(ctx, undo.id)
    assert (revert.status, revert.restored) == ("done", 2 * step)
    assert await fields() == with_answers()
    assert await upkeep_runs(ctx.services, clock) == 0
    assert await fields() == with_answers()
    undo = await Undo.get(id=undo.id)
    assert (undo.status, undo.stopped) == ("done", True)
    actions = [line.action for line in (await list_audit(ctx, AuditFilter(action="undo"), PageArgs())).items]
    assert actions[::-1] == ["undo.started", "undo.stopped", "undo.started", "undo.done"]


async def test_an_undo_is_taken_back_while_its_process_is_at_work_and_stops(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = await enriched(redis, Clock())
    original = OperationRun.advance
    calls = 0

    async def taken_back(run: OperationRun, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        await original(run, *arguments)

    async def announced(run: OperationRun, _: Any) -> None:
        if run.held.kind == "undo" and calls == 2:
            await revert_undo(ctx, run.held.id)

    monkeypatch.setattr(OperationRun, "advance", taken_back)
    monkeypatch.setattr(undo_run, "_announce", announced)
    undo = await undo_enrichment(ctx, UndoScope(provider="standin"))
    assert (undo.status, undo.stopped, undo.restored) == ("done", True, 4)
    assert await fields() == with_answers()


async def test_what_was_written_after_an_undo_began_is_not_undone_when_it_goes_on(
    redis: ArqRedis, process: Process
) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    process.dies(0, inside=False)
    with pytest.raises(Killed):
        await undo_enrichment(ctx, UndoScope(provider="standin"))
    process.starts_again()
    clock.ahead_seconds += 10
    source = ctx.services.registry.get("standin")
    assert isinstance(source, StandIn)
    source.knows = {domain: {**told, "city": "Newtown"} for domain, told in KNOWN.items()}
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(ctx.services)
    assert {held["city"] for held in (await fields()).values()} == {"Newtown"}
    assert await upkeep_runs(ctx.services, clock) == 1
    assert {held["city"] for held in (await fields()).values()} == {"Newtown"}
    assert all("phone" not in held for held in (await fields()).values())
    undo = await Undo.get()
    assert (undo.restored, undo.skipped) == (RECORDS, RECORDS)


async def test_an_undo_of_a_chosen_selection_goes_on_with_the_records_chosen_then(
    redis: ArqRedis, process: Process
) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    chosen = RecordSelection(EntityType.ACCOUNT, external_ids=tuple(sorted(KNOWN)[:3]))
    process.dies(1, inside=False)
    with pytest.raises(Killed):
        await undo_enrichment(ctx, UndoScope(selection=chosen))
    process.starts_again()
    assert await upkeep_runs(ctx.services, clock) == 1
    assert sorted(name for name, held in (await fields()).items() if "city" not in held) == sorted(KNOWN)[:3]


async def test_an_undo_of_an_older_version_cannot_be_stopped_and_counts_as_dead_after_a_while(
    redis: ArqRedis, process: Process
) -> None:
    clock = Clock()
    ctx = await enriched(redis, clock)
    process.dies(2, inside=False)
    with pytest.raises(Killed):
        await undo_enrichment(ctx, UndoScope(provider="standin"))
    process.starts_again()
    await Operation.all().delete()
    [undo] = await Undo.all()
    with pytest.raises(UndoRunning):
        await revert_undo(ctx, undo.id)
    assert await Undo.all().count() == 1
    clock.ahead_seconds += 15 * 60
    assert (await revert_undo(ctx, undo.id)).restored == 4
