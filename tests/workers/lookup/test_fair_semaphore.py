"""The permits for calls that run at once are shared out between organizations."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.waiting import PATIENCE_SECONDS, until
from workers.lookup.concurrency import FairSemaphore


async def hold(permits: FairSemaphore, stack: AsyncExitStack, organization: str, times: int) -> None:
    for _ in range(times):
        await stack.enter_async_context(permits.permit(organization, 0.01))


async def test_calls_that_hang_leave_permits_to_other_organizations() -> None:
    permits = FairSemaphore(limit=10, limit_per_organization=4)
    async with AsyncExitStack() as stack:
        await hold(permits, stack, "acme", 4)
        with pytest.raises(TimeoutError):
            await hold(permits, stack, "acme", 1)
        await hold(permits, stack, "globex", 4)
        await hold(permits, stack, "initech", 2)
        with pytest.raises(TimeoutError):
            await hold(permits, stack, "initech", 1)
    async with AsyncExitStack() as stack:
        await hold(permits, stack, "acme", 4)  # all were given back


async def test_a_free_permit_goes_to_who_has_the_fewest_and_not_to_who_waits_longest() -> None:
    permits = FairSemaphore(limit=2, limit_per_organization=2)
    order: list[str] = []
    over = asyncio.Event()

    async def call(organization: str) -> None:
        async with permits.permit(organization, PATIENCE_SECONDS):
            order.append(organization)
            await over.wait()

    async with asyncio.TaskGroup() as calls:
        for _ in range(5):
            calls.create_task(call("acme"))
        await until(lambda: order == ["acme", "acme"])
        calls.create_task(call("globex"))
        await asyncio.sleep(0)  # it waits, after the others
        over.set()
    assert order[:3] == ["acme", "acme", "globex"]
    assert len(order) == 6


async def test_who_gives_up_waiting_keeps_nothing() -> None:
    permits = FairSemaphore(limit=1, limit_per_organization=1)
    async with AsyncExitStack() as stack:
        await hold(permits, stack, "acme", 1)
        waiting = [asyncio.create_task(hold(permits, stack, "globex", 1)) for _ in range(20)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.wait(waiting)
        assert all(caller.cancelled() or isinstance(caller.exception(), TimeoutError) for caller in waiting)
    async with AsyncExitStack() as stack:
        await hold(permits, stack, "initech", 1)


async def test_permits_that_are_given_back_while_many_give_up_are_not_lost() -> None:
    permits = FairSemaphore(limit=3, limit_per_organization=2)

    async def call(organization: str) -> bool:
        try:
            async with permits.permit(organization, 0.02):
                await asyncio.sleep(0.02)
                return True
        except TimeoutError:
            return False

    for _ in range(5):
        served = await asyncio.gather(*(call(organization) for organization in ("acme", "globex") * 30))
        assert served.count(True) >= 3
    async with AsyncExitStack() as stack:
        await hold(permits, stack, "acme", 2)
        await hold(permits, stack, "globex", 1)


async def test_a_permit_given_to_a_cancelled_caller_is_given_on() -> None:
    permits = FairSemaphore(limit=1, limit_per_organization=1)
    stack = AsyncExitStack()
    await hold(permits, stack, "acme", 1)
    second = asyncio.create_task(hold(permits, stack, "globex", 1))
    await asyncio.sleep(0)
    await stack.aclose()  # the second has the permit now, and does not know it yet
    second.cancel()
    await asyncio.wait({second})
    async with asyncio.timeout(PATIENCE_SECONDS), permits.permit("initech", PATIENCE_SECONDS):
        pass
