"""The records of a request as the CRM sent them, with their values cleaned."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, reads_by_country
from enrichment.clean import Clean, clean
from enrichment.enums import EntityType
from resolvers.record.input import RecordInput
from resolvers.record.observation import UNDATED, Observation

_CLEANED_AT_ONCE = 50  # records, between two turns of the event loop


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """One record as the CRM sent it, checked for form. `index` is its position in the request."""

    index: int
    entity_type: EntityType
    external_id: str
    cleaned: Clean
    observed: Observation = UNDATED

    def read_in(self, country: Any) -> Clean:
        """What was sent, read as of this country of the record where the message does not name one."""
        raw = self.cleaned.raw
        if not isinstance(country, str) or "country" in raw:
            return self.cleaned
        known = fields_of(self.entity_type)
        if not any(name in known and reads_by_country(self.entity_type, name) for name in raw):
            return self.cleaned
        return clean(self.entity_type, raw, country=country)

    @property
    def key(self) -> tuple[EntityType, str]:
        return self.entity_type, self.external_id


async def clean_all(inputs: Sequence[tuple[int, RecordInput]], now: datetime) -> list[RecordMessage]:
    """Clean the fields of many records without keeping the event loop to themselves."""
    messages: list[RecordMessage] = []
    for count, (index, record) in enumerate(inputs, 1):
        cleaned = clean(record.entity_type, record.fields)
        observed = record.observed.until(now)
        messages.append(RecordMessage(index, record.entity_type, record.external_id, cleaned, observed))
        if count % _CLEANED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return messages
