"""What reviewers decided, and what is still open: the material of suggested rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import ConflictReason, EntityType, FieldUnit
from models.conflict.table import Conflict
from models.db.rows import fetch, projection, select
from models.db.statements import marks


@projection(Conflict)
class ReviewRow:
    """A conflict as rules see it. `resolution` is None while it is open."""

    id: str
    record_id: str
    entity_type: EntityType
    field: str
    unit: FieldUnit | None
    created_at: datetime
    reason: ConflictReason
    current: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    resolution: dict[str, Any] | None


async def latest_decisions(organization_id: str, most: int) -> list[ReviewRow]:
    """The latest conflicts that people resolved, `most` of them, newest first."""
    return await fetch(
        ReviewRow,
        f"SELECT {select(ReviewRow)} FROM conflict WHERE organization_id = ? AND status = 'resolved' AND NOT by_rule"
        " ORDER BY resolved_at DESC, id DESC LIMIT ?",
        [organization_id, most],
    )


async def newest_open(organization_id: str, fields: Sequence[tuple[str, str]], most: int) -> list[ReviewRow]:
    """The newest open conflicts about these (entity type, field), or units with such parts; `most`, newest first."""
    if not fields:
        return []
    names = [f"{entity_type}/{field}" for entity_type, field in fields]
    of_units = " OR entity_type || '/' || part_names LIKE ?" * len(fields)
    patterns = [f"{entity_type}/% {field} %" for entity_type, field in fields]
    return await fetch(
        ReviewRow,
        f"SELECT {select(ReviewRow)} FROM conflict WHERE organization_id = ? AND status = 'open'"
        f" AND (entity_type || '/' || field IN ({marks(names)}){of_units}) ORDER BY id DESC LIMIT ?",
        [organization_id, *names, *patterns, most],
    )
