"""After an upgrade: open conflicts about single parts of an address or an employment become one about the whole."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.conflict.open_row import records_with_open
from models.conflict.queue import ConflictId
from models.db.transaction import Transaction, unit_of_work
from models.event.of_conflict import superseded
from models.event.write import add_events
from models.record.row import lock_records
from resolvers.conflict.merge import DISPUTING, merge_parts
from resolvers.context import Services
from resolvers.events.publisher import announce

RECORDS_AT_ONCE = 200
_BATCHES = 50  # in one run; the next one goes on


async def merge_conflicts(ctx: dict[str, Any]) -> int:
    """Merge what versions without units have asked part by part. Returns how many conflicts changed.

    Where nothing is left to merge it reads one index. Safe to run at any time, any number at once.
    """
    services: Services = ctx["services"]
    changed, last = 0, ""
    for _ in range(_BATCHES):
        record_ids = await records_with_open(sorted(DISPUTING), last, RECORDS_AT_ONCE)
        if not record_ids:
            break
        last = record_ids[-1]
        merged = await _merge(record_ids, services.now())
        changed += len(merged)
        for organization_id in {conflict.organization_id for conflict in merged}:
            ids = [conflict.id for conflict in merged if conflict.organization_id == organization_id]
            await announce(services.redis, organization_id, conflicts=ids)
    return changed


@unit_of_work
async def _merge(tx: Transaction, record_ids: Sequence[str], now: datetime) -> list[ConflictId]:
    await lock_records(tx, record_ids)  # the records first, as everyone who writes both does
    merged = await merge_parts(tx, record_ids, now)
    await add_events(tx, superseded(merged, now))
    return merged
