"""What of a message only repeats what the CRM sent before, told by its raw values, without reading them again."""

from collections.abc import Mapping
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.clean import country_sent
from enrichment.enums import EntityType
from enrichment.ingest import HeldRecord, as_sent, may_be_readable


def repetition(
    entity_type: EntityType, sent: Mapping[str, Any], record: HeldRecord
) -> dict[str, tuple[Any, str]] | None:
    """Whether `apply_message` would find nothing new, seen without reading the values again.

    Returns what of it cannot be read, with the reason, as `Clean.refused` has it. None: it must be looked at; that may
    also be where nothing is new.
    """
    if record.raw is None or _is_moved(sent, record):
        return None
    known, before, unreadable = fields_of(entity_type), record.raw, record.unreadable
    refused: dict[str, tuple[Any, str]] = {}
    for name, raw in sent.items():
        if name not in known:
            if name not in record.fields or record.fields[name] != raw:
                return None
        elif name not in before or not _is_as_before(raw, before[name]):
            return None
        elif name not in record.received:
            if may_be_readable(entity_type, name, record):
                return None
            if name in unreadable:
                refused[name] = raw, unreadable[name]["reason"]
            elif not _is_blank(raw):
                return None
    return refused


def fields_to_look_at(entity_type: EntityType, sent: Mapping[str, Any], record: HeldRecord) -> list[str]:
    """The fields of a message whose holders `apply_message` asks for: what is no plain repetition."""
    known, before = fields_of(entity_type), record.raw
    if before is None or _is_moved(sent, record):
        return [name for name in sent if name in known]
    return [
        name
        for name, raw in sent.items()
        if name in known
        and not (name in before and _is_as_before(raw, before[name]) and not may_be_readable(entity_type, name, record))
    ]


def _is_moved(sent: Mapping[str, Any], record: HeldRecord) -> bool:
    """As `_Message.moved`."""
    country = country_sent(sent)
    return country is not None and country != record.received.get("country")


def _is_as_before(raw: Any, before: Any) -> bool:
    """As comparing what `as_sent` makes of both."""
    if raw.__class__ is str and before.__class__ is str:
        return bool(raw == before or raw.strip() == before.strip())
    return as_sent(raw) == as_sent(before)


def _is_blank(raw: Any) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())
