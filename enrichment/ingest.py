"""What a CRM's message changes in our copy of a record.

Whether the CRM changed a field is told by its raw value, compared as text: what it repeats is no change, also where
enrichment or a reviewer has replaced it since. A new raw value is the owner's edit and wins, however near it is to what
the field holds; one that cannot be read is kept as it was sent. What the CRM sent before and now sends empty is
cleared; a field that it does not mention is left alone. A value that comes back exactly as we show it while enrichment
or a reviewer holds it is an echo: it is noted as received.

A record from before raw values were kept takes the first one in silence where it means what was received before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from enrichment.catalogue import fields_of, reads_by_country
from enrichment.clean import Clean, clean_as_before
from enrichment.enums import SOURCE_CRM, EntityType
from enrichment.record_state import Unreadable


def as_sent(raw: Any) -> str:
    """The text by which raw values are compared: 22, `22` and ` 22 ` are one."""
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode() if not isinstance(raw, int) else str(raw).lower()


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record as a message finds it; `raw` is None for an old record.

    `sources` tells who holds each filled field, of those that are to be looked at (`fields_to_look_at`).
    """

    fields: Mapping[str, Any]
    received: Mapping[str, Any]
    raw: Mapping[str, Any] | None
    unreadable: Mapping[str, Unreadable]
    sources: Mapping[str, str]


def may_be_readable(entity_type: EntityType, name: str, record: HeldRecord) -> bool:
    """Whether what could not be read when it came may be readable by the country that the record has since."""
    return name in record.unreadable and "country" in record.fields and reads_by_country(entity_type, name)


@dataclass(slots=True)
class RecordChange:
    """A record after the message.

    `written` maps each field that the CRM now holds to its value; None: cleared, or unreadable. `replaced` holds what
    these fields held. `changed` names those whose canonical value is another now; `noted` those whose text cannot be
    read, which is only noted, and fills an empty field. `matters` says whether an identifying or an enrichable field
    really changed, so that a job may start.
    """

    fields: dict[str, Any]
    received: dict[str, Any]
    raw: dict[str, Any]
    unreadable: dict[str, Unreadable]
    written: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    matters: bool = False
    unknown_changed: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.written and not self.unknown_changed


def apply_message(entity_type: EntityType, message: Clean, record: HeldRecord) -> RecordChange:
    """The record after `message`."""
    return _Message(entity_type, message, record).apply()


def first_change(entity_type: EntityType, message: Clean) -> RecordChange:
    """The change that makes a record of a message: as `apply_message` to a record that holds nothing."""
    known, values = fields_of(entity_type), message.values
    unreadable = {name: _unreadable(raw, why) for name, (raw, why) in message.refused.items() if name in known}
    written = {name: values.get(name) for name in message.raw if name in values or name in unreadable}
    return RecordChange(
        fields={**values, **message.unknown},
        received=dict(values),
        raw={name: raw for name, raw in message.raw.items() if name in known},
        unreadable=unreadable,
        written=written,
        changed=set(values),
        matters=True,
        unknown_changed=bool(message.unknown),
    )


@dataclass
class _Message:
    """One message on its way into one record."""

    entity_type: EntityType
    message: Clean
    record: HeldRecord

    def __post_init__(self) -> None:
        record = self.record
        self.known = fields_of(self.entity_type)
        self.change = RecordChange(
            dict(record.fields), dict(record.received), dict(record.raw or {}), dict(record.unreadable)
        )

    @cached_property
    def before(self) -> Clean:
        """The message as earlier versions read it."""
        return clean_as_before(self.entity_type, self.message.raw)

    @cached_property
    def moved(self) -> bool:
        """Whether the CRM sends another country than before: by it, what it repeats may mean something else."""
        country = self.message.values.get("country")
        return country is not None and country != self.record.received.get("country")

    def apply(self) -> RecordChange:
        change, message = self.change, self.message
        for name, raw in message.raw.items():
            if name in self.known:
                self._apply(name, raw)
        for name, value in message.unknown.items():
            if name not in self.record.fields or self.record.fields[name] != value:
                change.fields[name] = value
                change.unknown_changed = True
        if not change.is_empty:
            self._take_what_was_noted()
        return change

    def _apply(self, name: str, raw: Any) -> None:
        if self._is_repeated(name, raw):
            if (self.moved and reads_by_country(self.entity_type, name)) or may_be_readable(
                self.entity_type, name, self.record
            ):
                self._read_again(name, raw)
        elif self._is_echo(name, raw):
            self.change.raw[name] = raw
            self.change.received[name] = self.record.fields[name]
            self.change.unreadable.pop(name, None)
        elif self._is_known_from_before(name):
            self._note(name, raw)
        else:
            self._take(name, raw)

    def _is_repeated(self, name: str, raw: Any) -> bool:
        sent = self.record.raw
        return sent is not None and name in sent and as_sent(sent[name]) == as_sent(raw)

    def _is_echo(self, name: str, raw: Any) -> bool:
        fields, sources = self.record.fields, self.record.sources
        return (
            name in fields
            and sources.get(name, SOURCE_CRM) != SOURCE_CRM
            and as_sent(fields[name]) == as_sent(raw)
            and name not in self.message.cleared
        )

    def _is_known_from_before(self, name: str) -> bool:
        """Whether a raw value, the first of its field, means what an earlier version received, or refused."""
        record, message = self.record, self.message
        if record.raw is not None and name in record.raw:
            return False
        if name in record.received:
            received = record.received[name]
            return received in (message.values.get(name), self.before.values.get(name)) or (
                # Refused before, so that what was received still was what it had been.
                record.raw is None and name in message.refused and name in self.before.refused
            )
        return record.raw is None and name not in self.before.values and name not in message.cleared

    def _note(self, name: str, raw: Any) -> None:
        """Remember what was sent; that is no change."""
        change, message = self.change, self.message
        change.raw[name] = raw
        if name in message.values:
            change.received[name] = message.values[name]
        elif name in message.refused and name in self.before.refused:
            change.unreadable[name] = _unreadable(raw, message.refused[name][1])
            change.noted.add(name)

    def _read_again(self, name: str, raw: Any) -> None:
        """A repeated value that means something else, or something at all, in the country that the record now has."""
        value = self.message.values.get(name)
        holder = self.record.sources.get(name, SOURCE_CRM)
        if value is not None and value != self.record.received.get(name) and holder == SOURCE_CRM:
            self._take(name, raw)

    def _take(self, name: str, raw: Any) -> None:
        """The CRM's edit: what it sends is what the field holds."""
        change, message = self.change, self.message
        old, text = change.fields.pop(name, None), change.unreadable.pop(name, None)
        sent_before = change.received.pop(name, None) is not None or text is not None
        change.raw[name] = raw
        value = message.values.get(name)
        if value is not None:
            change.fields[name] = change.received[name] = value
        elif name in message.refused:
            change.unreadable[name] = _unreadable(raw, message.refused[name][1])
        elif not sent_before or (old is None and text is None):
            if old is not None:
                change.fields[name] = old  # it is not the CRM's, which sends nothing
            return
        change.written[name] = value
        if old is not None:
            change.replaced[name] = old
        emptied = value is None and name not in change.unreadable
        if value != old or emptied:
            change.changed.add(name)
            known = self.known[name]
            change.matters = change.matters or known.enrichable or (known.identifying and not emptied)

    def _take_what_was_noted(self) -> None:
        """What an earlier version could not read is taken with the next change."""
        change = self.change
        for name, value in change.received.items():
            if name in self.known and name in change.raw and name not in change.fields | change.unreadable:
                change.fields[name] = change.written[name] = value
                change.changed.add(name)


def _unreadable(raw: Any, reason: str) -> Unreadable:
    return {"raw": raw, "reason": reason}


def forget_echo(
    received: dict[str, Any],
    raw: dict[str, Any] | None,
    name: str,
    *,
    shown: Iterable[Any],
    own: tuple[Any, Any] | None,
    current: Any,
) -> None:
    """Forget, in `received` and `raw`, that the CRM sent back a value that is undone: sent again, it is an edit.

    `shown` are the values that enrichment and reviewers gave the field, `own` is the value that the CRM sent last as
    its own, with its raw form (None: not noted); `current` is what the field holds from now on. None: nothing.
    """
    last = raw.get(name) if raw is not None and name in raw else received.get(name)
    text = as_sent(last)
    if last is None or text == as_sent(current) or text not in map(as_sent, shown):
        return
    value, sent = own or (None, None)
    if text == as_sent(value if sent is None else sent):
        return
    received.pop(name, None)
    if value is not None:
        received[name] = value
    if raw is not None:
        raw.pop(name, None)
        if sent is not None:
            raw[name] = sent
