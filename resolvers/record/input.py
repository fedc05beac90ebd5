"""One record as the CRM sends it, checked for form before it is ingested."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from resolvers.errors import Fault, ValidationFailed
from resolvers.record.observation import UNDATED, Observation, read_observation
from resolvers.validation import MAX_EXTERNAL_ID

MOST_FIELDS = 300
MOST_BYTES = 65_536
MOST_DEPTH = 12


@dataclass(frozen=True, slots=True)
class RecordInput:
    """One record as the CRM has it."""

    entity_type: EntityType
    external_id: str
    fields: Mapping[str, Any]
    observed: Observation = UNDATED


_LEAST = ("entityType", "externalId", "fields")
_KEYS = frozenset({*_LEAST, "observedAt", "observedAtByField"})


_TYPES: Mapping[Any, EntityType] = {
    spelling: kind for kind in EntityType for spelling in (kind, kind.value, kind.value.upper(), kind.value.title())
}
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NUL = b"\\u0000"  # as JSON writes it; a text may say the same


def record_input(raw: Any, index: int) -> RecordInput:
    """One `{entityType, externalId, fields}`, which may say when it was observed.

    Raises ValidationFailed naming every fault.
    """
    return _usual(raw) or _checked(raw, index)


def _usual(raw: Any) -> RecordInput | None:
    """A record as most are: its keys known, its fields plain, no moments. None: it must be looked at closely."""
    if raw.__class__ is not dict or len(raw) != len(_LEAST):
        return None
    try:
        entity_type, external_id, fields = _TYPES[raw["entityType"]], raw["externalId"], raw["fields"]
    except (KeyError, TypeError):
        return None
    if fields.__class__ is not dict or len(fields) > MOST_FIELDS or not _SCALARS.issuperset(map(type, fields.values())):
        return None
    if external_id.__class__ is not str or not 0 < len(external_id) <= MAX_EXTERNAL_ID or not external_id.isprintable():
        return None
    try:
        written = orjson.dumps(fields)
    except (TypeError, ValueError):
        return None
    are_named = fields_of(entity_type).keys() >= fields.keys() or _are_names(fields)
    if len(written) > MOST_BYTES or _NUL in written or not are_named:
        return None
    external_id = external_id.strip()
    return RecordInput(entity_type, external_id, fields) if external_id else None


def _are_names(fields: Mapping[str, Any]) -> bool:
    return all(0 < len(name) <= 128 and name.isprintable() for name in fields)


def _checked(raw: Any, index: int) -> RecordInput:
    faults: list[Fault] = []
    path = f"records[{index}]"
    if not isinstance(raw, Mapping):
        raise ValidationFailed("not a record", faults=[Fault(path, "must be an object")])
    faults += [Fault(f"{path}.{str(name)[:64]}", "unknown key") for name in raw if name not in _KEYS]
    entity_type = _entity_type(raw.get("entityType"), f"{path}.entityType", faults)
    external_id = _external_id(raw.get("externalId"), f"{path}.externalId", faults)
    fields = raw.get("fields")
    if not isinstance(fields, Mapping):
        faults.append(Fault(f"{path}.fields", "must be an object"))
    else:
        _check_fields(fields, f"{path}.fields", faults)
    observed = read_observation(raw, entity_type, path, faults)
    if faults:
        raise ValidationFailed("the record is not valid", faults=faults)
    assert entity_type is not None  # or there was a fault
    assert external_id is not None
    assert isinstance(fields, Mapping)
    return RecordInput(entity_type, external_id, fields, observed)


def _entity_type(raw: Any, path: str, faults: list[Fault]) -> EntityType | None:
    folded = raw.strip().lower() if isinstance(raw, str) else ""
    if folded in set(EntityType):
        return EntityType(folded)
    faults.append(Fault(path, "must be lead, contact or account"))
    return None


def _external_id(raw: Any, path: str, faults: list[Fault]) -> str | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    text = raw.strip() if isinstance(raw, str) else ""
    if not text or len(text) > MAX_EXTERNAL_ID or not text.isprintable():
        faults.append(Fault(path, f"must be a text of 1 to {MAX_EXTERNAL_ID} printable characters"))
        return None
    return text


def _check_fields(fields: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    if len(fields) > MOST_FIELDS:
        faults.append(Fault(path, f"at most {MOST_FIELDS} fields"))
        return
    if not _are_names(fields):
        faults.append(Fault(path, "field names must be texts of 1 to 128 printable characters"))
        return
    if not _is_shallow(fields, MOST_DEPTH):
        faults.append(Fault(path, f"nested deeper than {MOST_DEPTH} levels"))
        return
    try:
        size = len(orjson.dumps(fields))
    except (TypeError, ValueError):
        faults.append(Fault(path, "holds something that JSON in UTF-8 cannot say"))
        return
    if size > MOST_BYTES:
        faults.append(Fault(path, f"larger than {MOST_BYTES} bytes"))
    elif _holds_nul(fields):
        faults.append(Fault(path, "holds a NUL character"))


def _is_shallow(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value)
    return True


def _holds_nul(value: Any) -> bool:
    """PostgreSQL's JSONB cannot store NUL, in names or values."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(name) or _holds_nul(part) for name, part in value.items())
    return isinstance(value, list) and any(_holds_nul(part) for part in value)
