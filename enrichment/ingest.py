"""What a CRM's message changes in our copy of a record.

The CRM repeats itself: a value it sent before, or one that means the same as ours, is no change, even where
enrichment or a reviewer has replaced it since. What it newly sends wins; a value it sent before and now
sends empty is cleared; a field it does not mention is left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment.catalogue import Clean, fields_of, is_equivalent
from enrichment.enums import EntityType


@dataclass(slots=True)
class RecordChange:
    """A record after the message. `written` maps each field that the CRM now holds to its value (None: cleared).

    `replaced` holds what a cleared field held. `matters` says whether an identifying or an enrichable field
    really changed, so that a job may start.
    """

    fields: dict[str, Any]
    received: dict[str, Any]
    written: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)
    matters: bool = False
    unknown_changed: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.written and not self.unknown_changed


def apply_message(
    entity_type: EntityType,
    message: Clean,
    fields: Mapping[str, Any],
    received: Mapping[str, Any],
) -> RecordChange:
    """The record's `fields` and what the CRM last sent (`received`), after `message`."""
    change = RecordChange(fields=dict(fields), received=dict(received))
    known = fields_of(entity_type)
    for name, value in message.values.items():
        before = received.get(name)
        change.received[name] = value
        current = fields.get(name)
        if value in (current, before):
            continue
        if current is not None and is_equivalent(entity_type, name, current, value):
            continue
        change.fields[name] = value
        change.written[name] = value
        change.matters = change.matters or known[name].identifying or known[name].enrichable
    for name in message.cleared:
        if change.received.pop(name, None) is not None and name in change.fields:
            change.replaced[name] = change.fields.pop(name)
            change.written[name] = None
            change.matters = change.matters or known[name].enrichable
    for name, value in message.unknown.items():
        if name not in fields or fields[name] != value:
            change.fields[name] = value
            change.unknown_changed = True
    return change
