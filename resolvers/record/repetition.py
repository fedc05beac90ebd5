"""What a CRM sends again unchanged: told from what is held of the records, without reading its values once more."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from enrichment.enums import EntityType
from enrichment.repetition import repetition
from models.record.row import RecordRow, find_by_external_id
from resolvers.record.input import RecordInput
from resolvers.record.observation import UNDATED
from resolvers.record.store import held_record

RecordKey: TypeAlias = tuple[EntityType, str]


async def held_records(organization_id: str, records: Sequence[tuple[int, RecordInput]]) -> dict[RecordKey, RecordRow]:
    """Those of the records that are known, by entity type and external id."""
    ids: dict[EntityType, list[str]] = {}
    for _, record in records:
        ids.setdefault(record.entity_type, []).append(record.external_id)
    return {
        (row.entity_type, row.external_id): row
        for entity_type, external_ids in ids.items()
        for row in await find_by_external_id(organization_id, entity_type, external_ids)
    }


def repetitions(
    held: Mapping[RecordKey, RecordRow], records: Sequence[tuple[int, RecordInput]]
) -> dict[int, tuple[RecordRow, dict[str, tuple[Any, str]]]]:
    """Those that change nothing, by index: what is held, and what of the message cannot be read, with the reason.

    What is dated may date what is held, and is left to be looked at.
    """
    found: dict[int, tuple[RecordRow, dict[str, tuple[Any, str]]]] = {}
    for index, record in records:
        row = held.get((record.entity_type, record.external_id))
        if row is None or record.observed is not UNDATED:
            continue
        refused = repetition(record.entity_type, record.fields, held_record(row, {}))
        if refused is not None:
            found[index] = row, refused
    return found
