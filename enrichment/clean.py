"""A record's raw fields, sorted into canonical values, cleared, unknown and refused ones."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.normalize.earlier import earlier
from enrichment.normalize.field_kind import FieldKind, canonical
from enrichment.normalize.text.text import Refused

_DOMAINS = frozenset({FieldKind.DOMAIN, FieldKind.COMPANY_DOMAIN})
_Read = Callable[[FieldKind, Any, str | None], Any | None]


@dataclass(slots=True)
class Clean:
    """What became of the raw fields of a record."""

    values: dict[str, Any] = field(default_factory=dict)  # canonical, known, not empty
    cleared: tuple[str, ...] = ()  # known fields sent empty or as a placeholder
    unknown: dict[str, Any] = field(default_factory=dict)  # as they were sent
    refused: dict[str, tuple[Any, str]] = field(default_factory=dict)  # the raw value, and why
    raw: Mapping[str, Any] = field(default_factory=dict)  # all fields, as they were sent

    def without(self, names: Collection[str]) -> "Clean":
        """The same message without these fields."""
        if not names:
            return self
        return Clean(
            {name: value for name, value in self.values.items() if name not in names},
            tuple(name for name in self.cleared if name not in names),
            {name: value for name, value in self.unknown.items() if name not in names},
            {name: why for name, why in self.refused.items() if name not in names},
            {name: value for name, value in self.raw.items() if name not in names},
        )


def clean(entity_type: EntityType, raw: Mapping[str, Any], *, country: str | None = None) -> Clean:
    """Sort a record's raw fields into canonical values, cleared, unknown and refused ones.

    Never raises for a bad value. An unknown field is refused only where it could not be stored: a NUL, half a
    surrogate pair, a number that JSON does not have. `country` is the record's, for a message that does not name it.
    """
    return _sorted(entity_type, raw, canonical, country)


def clean_as_before(entity_type: EntityType, raw: Mapping[str, Any]) -> Clean:
    """As `clean`, by the rules of earlier versions."""
    return _sorted(entity_type, raw, earlier, None)


def country_sent(raw: Mapping[str, Any]) -> str | None:
    """The country that raw fields name in a way that can be read."""
    return _country(raw, canonical) if "country" in raw else None


def is_domain(entity_type: EntityType, name: str) -> bool:
    """Whether a field of the catalogue holds a domain."""
    return fields_of(entity_type)[name].kind in _DOMAINS


def own_before(entity_type: EntityType, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `clean_as_before` that tell a record from others.

    Not the domain of another's site, for which an earlier version took a page there: it is not the record's.
    """
    values = clean_as_before(entity_type, raw).values
    return {name: value for name, value in values.items() if not is_domain(entity_type, name)}


def _sorted(entity_type: EntityType, raw: Mapping[str, Any], read: _Read, country: str | None) -> Clean:
    fields = fields_of(entity_type)
    result = Clean(raw=raw)
    if "country" in raw:
        country = _country(raw, read)
    cleared = []
    for name, value in raw.items():
        known = fields.get(name)
        try:
            if known is None:
                _check_storable(value)
                result.unknown[name] = value
            elif (found := read(known.kind, value, country)) is not None:
                result.values[name] = found
            else:
                cleared.append(name)
        except Refused as refusal:
            result.refused[name] = (value, str(refusal))
    result.cleared = tuple(cleared)
    return result


def _country(raw: Mapping[str, Any], read: _Read) -> str | None:
    try:
        found = read(FieldKind.COUNTRY, raw["country"], None)
    except Refused:
        return None
    return found if isinstance(found, str) else None


_DEEPEST = 20


def _check_storable(value: Any, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise Refused("nested too deeply")
    if isinstance(value, str):
        _check_characters(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refused("not a finite number")
    elif isinstance(value, list):
        for item in value:
            _check_storable(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_characters(name)
            _check_storable(item, depth + 1)


def _check_characters(text: str) -> None:
    if "\x00" in text:
        raise Refused("contains a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused("contains broken characters") from None
