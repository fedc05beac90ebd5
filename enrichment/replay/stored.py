"""Decision snapshots as they are stored: read one by one, because a period may hold thousands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.snapshot_format import UnknownSnapshotFormat, parse_snapshot
from enrichment.replay.snapshot_json import questions_of, read_snapshot, to_moment


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """The questions of a snapshot: of each its source, its key, whether it was answered, and the credits paid."""

    asked_at: datetime
    config_version: int
    questions: Sequence[tuple[str, str, bool, int]]


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A stored snapshot, unread: `body` is packed, or the JSON text of an earlier version."""

    id: str
    record_id: str
    job_id: str
    decided_at: datetime
    body: str | bytes

    def read(self) -> DecisionSnapshot:
        """The whole. Raises UnknownSnapshotFormat."""
        return read_snapshot(parse_snapshot(self.body))

    def summary(self) -> SnapshotSummary:
        """What was asked, without reading the rest. Raises UnknownSnapshotFormat."""
        stored = parse_snapshot(self.body)
        return SnapshotSummary(to_moment(stored["askedAt"]), stored["config"], questions_of(stored))


@dataclass(frozen=True, slots=True)
class Readable:
    """Those of some stored snapshots that this version can read, and how many it cannot, with one's error."""

    snapshots: list[StoredSnapshot]
    unreadable: int = 0
    error: UnknownSnapshotFormat | None = None


def readable(snapshots: Iterable[StoredSnapshot]) -> Readable:
    """Leave out the snapshots whose format this version does not know."""
    known: list[StoredSnapshot] = []
    errors: list[UnknownSnapshotFormat] = []
    for snapshot in snapshots:
        try:
            parse_snapshot(snapshot.body)
        except UnknownSnapshotFormat as error:
            errors.append(error)
        else:
            known.append(snapshot)
    return Readable(known, len(errors), errors[-1] if errors else None)
