"""How reliable an organization's sources are, by how their values agree: estimated from its last decisions."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from enrichment.decide.merge import Candidate
from enrichment.learn.agreement import estimate
from enrichment.learn.reliability import Compared, Reliability
from enrichment.recommend.compare import compare
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.stored import StoredSnapshot, readable
from enrichment.waterfall.planner import provider_of
from models.db.transaction import unit_of_work
from models.decision_log import newest_snapshots
from models.source_reliability import ReliabilityRow, estimate_age, reliabilities_of, save_reliability

MOST_DECISIONS = 600  # the last ones, of which a record's newest counts
ENOUGH_RECORDS = 200  # by which an estimate hardly changes any more from one day to the next
_RENEWED_EVERY, _AT_FIRST_EVERY = timedelta(days=1), timedelta(minutes=10)
_DIGITS = 4
_FIGURES = frozenset(field.name for field in fields(Reliability))


async def reliability_of(organization_ids: Collection[str]) -> dict[str, dict[str, Reliability]]:
    """What each of these organizations has learned of its sources, and of its CRM, by source; one query for all."""
    found: dict[str, dict[str, Reliability]] = {organization_id: {} for organization_id in organization_ids}
    for row in await reliabilities_of(sorted(found)):
        found[row.organization_id] = {
            source: Reliability(**{name: stored[name] for name in _FIGURES})
            for source, stored in row.sources.items()
            if stored.keys() >= _FIGURES  # else another version estimated it, and this one will soon
        }
    return found


async def renew_reliability(organization_id: str, now: datetime) -> bool:
    """Estimate anew, where it is time to: once a day, and more often while there are few records. Whether it was."""
    age = await estimate_age(organization_id)
    if age.decided_at is None:
        return False
    if age.estimated_at is not None:
        every = _AT_FIRST_EVERY if (age.records or 0) < ENOUGH_RECORDS else _RENEWED_EVERY
        if age.decided_at <= age.estimated_at or now < age.estimated_at + every:
            return False
    found = await newest_snapshots(organization_id, MOST_DECISIONS)
    newest = {
        row.record_id: StoredSnapshot(row.id, row.record_id, row.job_id, row.decided_at, row.stored)
        for row in reversed(found)
    }
    sources = await asyncio.to_thread(_estimated, list(newest.values()))
    await unit_of_work(save_reliability)(ReliabilityRow(organization_id, sources, len(newest), now))
    return True


def _estimated(snapshots: Sequence[StoredSnapshot]) -> dict[str, Any]:
    found = estimate(item for snapshot in readable(snapshots).snapshots for item in _compared(snapshot.read()))
    return {source: _to_json(reliability) for source, reliability in found.items()}


def _compared(snapshot: DecisionSnapshot) -> Iterator[Compared]:
    """What the record held and its sources said in a decision, in order of their priority."""
    replies = {**snapshot.restored, **{source: given.reply for source, given in snapshot.replies.items()}}
    said: dict[str, dict[str, Candidate]] = {}
    for source, reply in replies.items():
        if reply.candidates:
            of_provider = said.setdefault(provider_of(source), {})
            of_provider.update({name: found for name, found in reply.candidates.items() if name not in of_provider})
    return compare(snapshot.entity_type, snapshot.state.current, said, snapshot.asked_at, snapshot.half_lives)


def _to_json(reliability: Reliability) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in asdict(reliability).items()}


def _rounded(value: float | Mapping[str, float]) -> float | dict[str, float]:
    if isinstance(value, Mapping):
        return {name: round(each, _DIGITS) for name, each in value.items()}
    return round(value, _DIGITS)
