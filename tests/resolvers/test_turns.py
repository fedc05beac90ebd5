"""One at a time for an organization, and few who wait; another organization waits for nobody."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.conflict.queries import ConflictFilter
from resolvers.audit import verify_audit
from resolvers.conflict.api import try_resolution
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.verify import verify_ledger
from resolvers.errors import RateLimited
from resolvers.job.enrich import RecordSelection
from resolvers.turns import MOST_WAITING, one_at_a_time
from resolvers.undo.api import preview_undo_enrichment, preview_undo_job
from resolvers.undo.scope import UndoScope
from tests.support.factories import StandIn, context, services


async def test_one_is_under_way_few_wait_and_the_next_is_told(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    under_way: list[str] = []
    most: list[int] = []
    gate = asyncio.Event()

    @one_at_a_time
    async def heavy(ctx: Context) -> None:
        assert ctx.caller is not None
        under_way.append(ctx.caller.organization_id)
        most.append(len(under_way))
        await gate.wait()
        under_way.remove(ctx.caller.organization_id)

    tasks = [asyncio.ensure_future(heavy(context(shared))) for _ in range(1 + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await heavy(context(shared))
    other = asyncio.ensure_future(heavy(context(shared, org="other")))
    await asyncio.sleep(0)
    assert under_way == ["acme", "other"]
    gate.set()
    await asyncio.gather(*tasks, other)
    assert max(most) == 2
    await heavy(context(shared))


ALL = RecordSelection(EntityType.ACCOUNT)
OF_SELECTIONS: dict[str, Callable[[Context], Awaitable[object]]] = {
    "estimate": lambda ctx: estimate_enrichment(ctx, ALL),
    "preview": lambda ctx: preview_enrichment(ctx, ALL),
    "preview of an undo": lambda ctx: preview_undo_enrichment(ctx, UndoScope(provider="standin")),
    "preview of a job's undo": lambda ctx: preview_undo_job(ctx, "a job"),
    "preview of a resolution": lambda ctx: try_resolution(ctx, ConflictFilter(), None),
    "proof of the ledger": lambda ctx: verify_ledger(ctx),
    "proof of the audit log": lambda ctx: verify_audit(ctx),
}


@pytest.mark.parametrize("kind", OF_SELECTIONS)
async def test_whatever_reads_a_whole_selection_takes_turns(redis: ArqRedis, kind: str) -> None:
    ctx, gate = context(services(redis, StandIn())), asyncio.Event()

    @one_at_a_time
    async def heavy(_: Context) -> None:
        await gate.wait()

    tasks = [asyncio.ensure_future(heavy(ctx)) for _ in range(1 + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await OF_SELECTIONS[kind](ctx)
    gate.set()
    await asyncio.gather(*tasks)
