"""Column kinds that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import tortoise.models
import uuid_utils
from tortoise import fields
from tortoise.models import Model

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _no_comments(cls: type[Model]) -> dict[str, str]:
    """Tortoise reads the source of every model for comments of its columns, which ours do not have, at every start."""
    return {}


tortoise.models._get_comments = _no_comments


def new_id() -> str:
    """A UUIDv7: unique, and in order of creation, so that the newest row has the greatest id."""
    return str(uuid_utils.uuid7())


def first_id_of(moment: datetime) -> str:
    """The least id that a row can have which is made at this moment, or later."""
    milliseconds = f"{max(to_micros(moment), 0) // 1000:012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-000000000000"


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970, exactly (no float on the way)."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(0, 0, micros)


class Instant(fields.Field[datetime], datetime):
    """A moment as BIGINT microseconds: sorts and compares the same on both databases."""

    SQL_TYPE = "BIGINT"

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return to_micros(value)

    def to_python_value(self, value: Any) -> datetime | None:
        return from_micros(value) if isinstance(value, int) else value


def id_field(**options: Any) -> Any:
    """A UUIDv7 primary key, as text."""
    return fields.CharField(max_length=36, primary_key=True, default=new_id, **options)
