"""The records of a request as the CRM sent them, with their values cleaned."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.catalogue import Clean, clean
from enrichment.enums import EntityType

_CLEANED_AT_ONCE = 50  # records, between two turns of the event loop


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """One record as the CRM sent it, checked for form. `index` is its position in the request."""

    index: int
    entity_type: EntityType
    external_id: str
    cleaned: Clean

    @property
    def key(self) -> tuple[EntityType, str]:
        return self.entity_type, self.external_id


async def clean_all(inputs: Sequence[tuple[int, EntityType, str, Mapping[str, Any]]]) -> list[RecordMessage]:
    """Clean the fields of many records without keeping the event loop to themselves."""
    messages: list[RecordMessage] = []
    for count, (index, entity_type, external_id, fields) in enumerate(inputs, 1):
        messages.append(RecordMessage(index, entity_type, external_id, clean(entity_type, fields)))
        if count % _CLEANED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return messages
