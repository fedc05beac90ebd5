"""An erasure whose process dies goes on in another, and erases each record once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.audit_list import AuditFilter
from models.erasure.table import Erasure
from models.operation import LEASE, Operation
from models.record import Record
from resolvers.audit import list_audit
from resolvers.context import Context
from resolvers.erasure import run as erasure_run
from resolvers.erasure.api import erase_record, erase_records
from resolvers.errors import NotFound, ValidationFailed
from resolvers.operation import OperationRun
from resolvers.paging import PageArgs
from tests.support.canaries import stored_texts
from tests.support.factories import Clock, StandIn, context, send, services
from workers.upkeep.resume import resume

pytestmark = pytest.mark.usefixtures("db")

LEAD = EntityType.LEAD
IDS = [f"L-{number}" for number in range(4)]


class Killed(BaseException):
    """The end of the process: nothing catches it."""


async def filled(redis: ArqRedis, clock: Clock) -> Context:
    ctx = context(services(redis, StandIn(), now=clock))
    for number, external_id in enumerate(IDS):
        await send(ctx, "lead", external_id, lastName=f"Quetzal{number}", email=f"quetzal{number}@acme.com")
    await send(ctx, "lead", "L-9", lastName="Ng", email="ng@acme.com")
    return ctx


def dies(monkeypatch: pytest.MonkeyPatch, step: int, *, inside: bool) -> None:
    """Before the step with this number (from 0), or in the middle of it. The last one ends the operation."""
    method = "finish" if step == len(IDS) else "advance"
    number = 0 if step == len(IDS) else step
    original: Any = getattr(OperationRun, method)
    calls = iter(range(100))

    async def dying(run: OperationRun, *arguments: Any) -> None:
        now = next(calls)
        if now == number and not inside:
            raise Killed
        await original(run, *arguments)
        if now == number:
            raise Killed

    monkeypatch.setattr(OperationRun, method, dying)


async def upkeep_runs(ctx: Context, clock: Clock) -> int:
    clock.ahead_seconds += LEASE.total_seconds() + 5
    return await resume({"services": ctx.services})


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("step", range(len(IDS) + 1))
async def test_a_killed_erasure_goes_on_and_erases_each_record_once(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch, step: int, inside: bool
) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    with monkeypatch.context() as process:
        dies(process, step, inside=inside)
        with pytest.raises(Killed):
            await erase_records(ctx, LEAD, IDS, reason="Art. 17 GDPR")
    assert await Erasure.all().count() == step
    assert await upkeep_runs(ctx, clock) == 1

    assert [record.external_id for record in await Record.all()] == ["L-9"]
    assert not [text for text in await stored_texts() if "quetzal" in text.lower()]
    certificates = await Erasure.all()
    assert len(certificates) == len(IDS)
    assert {(certificate.reason, certificate.erased_by) for certificate in certificates} == {("Art. 17 GDPR", "ann")}
    lines = (await list_audit(ctx, AuditFilter(action="record.erased"), PageArgs())).items
    assert {line.subject for line in lines} == {certificate.id for certificate in certificates}
    assert len(lines) == len(IDS)
    again = await send(ctx, "lead", "L-8", lastName="Quetzal0", email="quetzal0@acme.com")
    assert again.error is not None
    assert again.error.code == "ERASED"


async def test_the_files_are_cleaned_by_the_process_that_goes_on(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)

    async def killed() -> str | None:
        raise Killed

    async def unfinished() -> str | None:
        return "deleted rows: run VACUUM"

    with monkeypatch.context() as process:
        process.setattr(erasure_run, "scrub", killed)
        with pytest.raises(Killed):
            await erase_record(ctx, LEAD, IDS[0])
    monkeypatch.setattr(erasure_run, "scrub", unfinished)
    assert await upkeep_runs(ctx, clock) == 1
    [certificate] = await Erasure.all()
    assert certificate.not_reached[-1] == "deleted rows: run VACUUM"


async def test_cleaning_the_files_may_last_longer_than_a_lease(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    monkeypatch.setattr("resolvers.operation.LEASE", timedelta(seconds=1))
    resumed: list[int] = []

    async def long() -> str | None:
        for _ in range(8):
            await asyncio.sleep(0.2)
            resumed.append(await resume({"services": ctx.services}))
        return None

    monkeypatch.setattr(erasure_run, "scrub", long)
    await erase_record(ctx, LEAD, IDS[0])
    assert sum(resumed) == 0
    assert [(operation.status, operation.fence) for operation in await Operation.all()] == [("done", 1)]


async def test_what_is_gone_or_keeps_changing_does_not_hold_up_the_others(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    with monkeypatch.context() as process:
        dies(process, 0, inside=False)
        with pytest.raises(Killed):
            await erase_records(ctx, LEAD, IDS)
    await erase_record(ctx, LEAD, IDS[1])
    assert await upkeep_runs(ctx, clock) == 1
    assert [record.external_id for record in await Record.all()] == ["L-9"]
    assert await Erasure.all().count() == len(IDS)


async def test_a_reason_that_tells_whom_is_stored_nowhere(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = await filled(redis, Clock())
    dies(monkeypatch, 0, inside=False)
    with pytest.raises(ValidationFailed):
        await erase_record(ctx, LEAD, IDS[0], reason="asked by quetzal0@acme.com")
    with pytest.raises(NotFound):
        await erase_record(ctx, LEAD, "L-77", reason="asked by quetzal0@acme.com")
    assert not [text for text in await stored_texts() if "asked by" in text]
