"""When the CRM saw what it sends: of a record as a whole, and of single fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from resolvers.errors import Fault

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = "must be a moment in ISO 8601, such as 2026-11-24T07:00:00Z"


@dataclass(frozen=True, slots=True)
class Observation:
    """When the CRM saw the values of a record, as it says. A field's own moment goes before the record's."""

    of_record: datetime | None = None
    by_field: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, name: str) -> datetime | None:
        """When it saw this field; None: it does not say."""
        return self.by_field.get(name, self.of_record)

    def until(self, now: datetime) -> "Observation":
        """The same, where a moment to come counts as now."""
        if self is UNDATED:
            return self
        of_record = None if self.of_record is None else min(self.of_record, now)
        return Observation(of_record, {name: min(moment, now) for name, moment in self.by_field.items()})


UNDATED = Observation()


def read_observation(
    raw: Mapping[str, Any], entity_type: EntityType | None, path: str, faults: list[Fault]
) -> Observation:
    """`observedAt` and `observedAtByField` of one record. Faults are noted by their paths."""
    of_record = _moment(raw.get("observedAt"), f"{path}.observedAt", faults)
    given = raw.get("observedAtByField")
    if given is None:
        return UNDATED if of_record is None else Observation(of_record)
    path = f"{path}.observedAtByField"
    if not isinstance(given, Mapping):
        faults.append(Fault(path, "must be an object: moments by field name"))
        return UNDATED
    known = {} if entity_type is None else fields_of(entity_type)
    by_field: dict[str, datetime] = {}
    for name, value in given.items():
        where = f"{path}.{str(name)[:64]}"
        if entity_type is not None and name not in known:
            faults.append(Fault(where, "unknown field"))
        elif (moment := _moment(value, where, faults)) is not None:
            by_field[name] = moment
    return Observation(of_record, by_field)


def _moment(raw: Any, path: str, faults: list[Fault]) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(_text(raw))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        faults.append(Fault(path, _FORM))
        return None
    if moment < _FIRST:
        faults.append(Fault(path, "must not be before 1970"))
        return None
    return moment


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or "-" not in raw:
        raise ValueError(_FORM)
    return raw.strip()
