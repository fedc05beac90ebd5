"""The states of records, for whoever decides on them: workers and previews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from enrichment.record_state import RecordState
from models.conflict.rejection import rejections_of
from models.record.value import current_values


class StoredRecord(Protocol):
    """What a row of a record must have: whichever row the caller has read."""

    @property
    def id(self) -> str: ...

    @property
    def fields(self) -> Mapping[str, Any]: ...

    @property
    def last_enriched_at(self) -> datetime | None: ...


async def record_states(records: Sequence[StoredRecord]) -> dict[str, RecordState]:
    """The states of these records, by id."""
    ids = [record.id for record in records]
    values = await current_values(ids)
    rejected = await rejections_of(ids)
    return {
        record.id: RecordState(
            fields=record.fields,
            current={name: value.to_current() for name, value in values[record.id].items()},
            rejected=frozenset(rejected[record.id]),
            last_enriched_at=record.last_enriched_at,
        )
        for record in records
    }
