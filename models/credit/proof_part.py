"""A part of a ledger, which is looked at by itself, and the conditions that pick it out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.db.columns import to_micros


@dataclass(frozen=True, slots=True)
class Part:
    """The lines after one up to another, by id; the jobs that they name, and those that ended since a moment.

    `audit_after`: the lines of the audit log after this number.
    """

    after: str
    until: str
    ended_since: datetime
    audit_after: int


def between(column: str, part: Part | None) -> tuple[str, list[Any]]:
    """A condition on the id of a line, and its values."""
    return ("", []) if part is None else (f" AND {column} > ? AND {column} <= ?", [part.after, part.until])


def lines_of(organization_id: str, part: Part) -> tuple[str, list[Any]]:
    """The lines of a part, for a SELECT of one of their columns, and the values that this takes."""
    condition, bounds = between("id", part)
    return f"FROM credit_entry WHERE organization_id = ?{condition}", [organization_id, *bounds]


def jobs_of(column: str, organization_id: str, part: Part | None) -> tuple[str, list[Any]]:
    """A condition on the id of a job: one of those that a part looks at."""
    if part is None:
        return "", []
    lines, values = lines_of(organization_id, part)
    ended = "SELECT id FROM job WHERE organization_id = ? AND finished_at >= ?"
    some = f" AND {column} IN (SELECT job_id {lines} AND job_id IS NOT NULL UNION {ended})"
    return some, [*values, organization_id, to_micros(part.ended_since)]
