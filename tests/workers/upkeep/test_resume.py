"""What upkeep does with operations whose process has died."""

from collections.abc import Callable

import pytest
from arq.connections import ArqRedis

from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.operation import LEASE, Operation
from resolvers.context import Context
from resolvers.operation import OperationKind, OperationLost, OperationRun, begin_operation, run_operation
from resolvers.organizations import organization_of
from tests.support.factories import Clock, context, services
from workers.upkeep import resume as upkeep

pytestmark = pytest.mark.usefixtures("db")

STEPS = 5


class Counting:
    """A kind of operation with five steps, which notes the steps that it did and may fail before some."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.given_up: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.kind = OperationKind("counting", self._step, self._gave_up)

    async def _step(self, run: OperationRun) -> str | None:
        number = int(run.held.position or 0) + 1
        self.before(str(number))
        await self._advance(run, number)
        self.done.append(str(number))
        return None if number == STEPS else str(number)

    async def _advance(self, run: OperationRun, number: int) -> None:
        @unit_of_work
        async def advance(tx: Transaction) -> None:
            await (run.finish(tx) if number == STEPS else run.advance(tx, str(number)))

        await advance()

    async def _gave_up(self, _: Transaction, run: OperationRun) -> None:
        self.given_up.append(run.held.id)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    made = Counting()
    monkeypatch.setitem(upkeep.KINDS, made.kind.name, made.kind)
    return made


async def begin(ctx: Context, counting: Counting) -> OperationRun:
    await organization_of("acme", ctx.services.registry, ctx.services.now())

    @unit_of_work
    async def insert(tx: Transaction) -> OperationRun:
        return await begin_operation(tx, ctx, counting.kind, new_id(), {"about": "nothing"})

    return await insert()


class Killed(Exception):
    """In place of the end of a process."""


def kill_before(number: int) -> Callable[[str], None]:
    def kill(step: str) -> None:
        if step == str(number):
            raise Killed

    return kill


@pytest.mark.parametrize("number", range(1, STEPS + 1))
async def test_what_a_dead_process_left_goes_on_where_it_was_and_each_step_is_done_once(
    redis: ArqRedis, counting: Counting, number: int
) -> None:
    clock = Clock()
    ctx = context(services(redis, now=clock))
    run = await begin(ctx, counting)
    counting.before = kill_before(number)
    with pytest.raises(Killed):
        await run_operation(counting.kind, run)
    counting.before = lambda _: None
    assert await upkeep.resume({"services": ctx.services}) == 0  # it may still be at work
    clock.ahead_seconds = LEASE.total_seconds() + 1
    assert await upkeep.resume({"services": ctx.services}) == 1
    assert counting.done == ["1", "2", "3", "4", "5"]
    ended = await Operation.get(id=run.held.id)
    assert (ended.status, ended.scope) == ("done", {})
    assert await upkeep.resume({"services": ctx.services}) == 0


async def test_a_process_that_was_thought_dead_does_no_further_step(redis: ArqRedis, counting: Counting) -> None:
    clock = Clock()
    ctx = context(services(redis, now=clock))
    run = await begin(ctx, counting)
    clock.ahead_seconds = LEASE.total_seconds() + 1
    assert await upkeep.resume({"services": ctx.services}) == 1
    with pytest.raises(OperationLost):
        await run_operation(counting.kind, run)
    assert counting.done == ["1", "2", "3", "4", "5"]


async def test_an_operation_that_fails_again_and_again_is_given_up(redis: ArqRedis, counting: Counting) -> None:
    clock = Clock()
    ctx = context(services(redis, now=clock))
    run = await begin(ctx, counting)
    counting.before = kill_before(3)
    rounds = 0
    while not counting.given_up:
        rounds += 1
        clock.ahead_seconds += 61
        await upkeep.resume({"services": ctx.services})
    assert rounds == 1 + upkeep.MOST_ATTEMPTS + 1  # the first did two steps, the last gives up
    assert counting.given_up == [run.held.id]
    assert counting.done == ["1", "2"]
    assert (await Operation.get(id=run.held.id)).status == "stopped"


async def test_an_operation_of_newer_code_is_left_to_a_process_that_knows_it(
    redis: ArqRedis, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    ctx = context(services(redis, now=clock))
    run = await begin(ctx, counting)
    monkeypatch.delitem(upkeep.KINDS, counting.kind.name)
    clock.ahead_seconds = LEASE.total_seconds() + 1
    assert await upkeep.resume({"services": ctx.services}) == 0
    monkeypatch.setitem(upkeep.KINDS, counting.kind.name, counting.kind)
    clock.ahead_seconds += 61
    assert await upkeep.resume({"services": ctx.services}) == 1
    assert (await Operation.get(id=run.held.id)).status == "done"
