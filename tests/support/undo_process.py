"""An undo and an erasure, slowly, in a process of their own: `python -m tests.support.undo_process DATABASE REDIS`."""

import asyncio
import sys
from typing import Any

from enrichment.enums import EntityType
from models.db import connection
from resolvers.erasure.api import erase_records
from resolvers.operation import OperationRun
from resolvers.undo import scope as undo_scope
from resolvers.undo.api import undo_enrichment
from resolvers.undo.scope import UndoScope
from service.redis_pool import redis_at
from tests.support.factories import StandIn, context, services

ERASED = 20
PAUSE_SECONDS = 0.02


async def run(database_url: str, redis_url: str) -> None:
    await connection.connect(database_url)
    undo_scope.RECORDS_AT_ONCE = 1
    advance: Any = OperationRun.advance

    async def slowly(run: OperationRun, *arguments: Any) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        await advance(run, *arguments)

    OperationRun.advance = slowly  # type: ignore[assignment,method-assign] # the test must find it at work
    ctx = context(services(redis_at(redis_url, tries=10), StandIn(id="paid")))
    await asyncio.gather(
        undo_enrichment(ctx, UndoScope(provider="paid")),
        erase_records(ctx, EntityType.LEAD, [f"L{number}" for number in range(ERASED)]),
    )
    await connection.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2]))
