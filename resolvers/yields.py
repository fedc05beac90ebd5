"""What an organization's sources bring, learned from its last decisions."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrichment.enums import EntityType
from enrichment.learn.yields import LOOKED_AT, Decided, learned_yields
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.stored import StoredSnapshot, readable
from enrichment.waterfall.yields import Yields
from models.decision_log import SnapshotRow, newest_snapshots

ByType = Mapping[EntityType, Yields]
_RENEWED_AFTER = timedelta(minutes=10)
_MOST_KEPT = 1000  # organizations, in a process


async def yields_of(organization_id: str) -> ByType:
    """What the last decisions of the organization teach, by entity type."""
    return await asyncio.to_thread(_learned, await newest_snapshots(organization_id, LOOKED_AT))


def _learned(rows: Iterable[SnapshotRow]) -> ByType:
    stored = [StoredSnapshot(row.id, row.record_id, row.job_id, row.decided_at, row.stored) for row in rows]
    return learned_yields(_decided(snapshot.read()) for snapshot in readable(stored).snapshots)


def _decided(snapshot: DecisionSnapshot) -> Decided:
    replies = {source: given.reply for source, given in snapshot.replies.items()}
    return Decided(snapshot.entity_type, snapshot.state.fields, replies)


@dataclass(slots=True)
class RecentYields:
    """What was learned within the last minutes: jobs of a batch do not read their organization's history each time."""

    _kept: OrderedDict[str, tuple[datetime, ByType]] = field(default_factory=OrderedDict)

    async def of(self, organization_id: str, now: datetime) -> ByType:
        """As `yields_of`, at most ten minutes old."""
        kept = self._kept.get(organization_id)
        if kept is not None and now - kept[0] < _RENEWED_AFTER:
            return kept[1]
        found = await yields_of(organization_id)
        self._kept[organization_id] = now, found
        self._kept.move_to_end(organization_id)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found
