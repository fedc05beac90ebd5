"""The first values of records that are new: nothing was there before, so that they are only added."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from enrichment.enums import SOURCE_CRM
from models.db.columns import new_id, to_micros
from models.db.copying import add_encoded
from models.db.rows import projection
from models.db.statements import dump
from models.db.transaction import Transaction
from models.record.table import FieldValue


@projection(FieldValue)
class _FirstValue:
    id: str
    organization_id: str
    record_id: str
    field: str
    value: Any
    raw_value: Any | None
    unreadable: str | None
    source: str
    confidence: float
    observed_at: datetime
    observed_at_known: bool
    written_at: datetime


class FirstMessage(Protocol):
    """What the CRM sent of a record that is new: by field its value (None: unreadable), the raw one and why not."""

    @property
    def record_id(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...

    @property
    def raw(self) -> Mapping[str, Any]: ...

    @property
    def unreadable(self) -> Mapping[str, Mapping[str, Any]]: ...

    def observed_at(self, name: str) -> datetime | None:
        """When the CRM saw it; None: nobody knows."""


async def add_first_values(
    tx: Transaction, organization_id: str, messages: Iterable[FirstMessage], now: datetime
) -> None:
    """Make what the CRM sent the current values of records that were added in this transaction."""
    moment = to_micros(now)
    rows: list[tuple[Any, ...]] = []
    for message in messages:
        record_id, raws, unreadable = message.record_id, message.raw, message.unreadable
        for name, value in message.values.items():
            text = dump(value)
            raw = raws.get(name)
            raw_text = None if raw is None else text if raw == value and raw.__class__ is str else dump(raw)
            why = unreadable[name]["reason"] if name in unreadable else None
            observed = message.observed_at(name)
            at = moment if observed is None else to_micros(observed)
            key = (new_id(), organization_id, record_id, name)
            rows.append((*key, text, raw_text, why, SOURCE_CRM, 1.0, at, observed is not None, moment))
    await add_encoded(tx, _FirstValue, rows)
