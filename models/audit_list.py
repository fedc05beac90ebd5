"""Lists of the lines of the audit log, newest or oldest first, by what was done, by whom, to what and when.

Each finds its page by an index (see migrations 0040 and 0046), however long the log is and however little it finds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.audit import AuditEntry, AuditRow
from models.db.columns import to_micros
from models.db.paging import counted
from models.db.rows import fetch, select
from models.db.statements import query
from models.db.where import NOTHING, ORGANIZATION, Where, where

_CLOCKS_DIFFER = timedelta(days=1)  # at most, between two machines that add lines
_MOST_ACTIONS = 400  # of one organization; SQLite puts no more than 500 selections together
_LAST = 2**62


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines: all that is given must hold. `action` may be its first part alone (`config`). `before` excludes."""

    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    after: datetime | None = None
    before: datetime | None = None


async def list_lines(
    organization_id: str,
    wanted: AuditFilter,
    *,
    below: int | None,
    above: int | None,
    limit: int,
    oldest_first: bool,
) -> list[AuditRow]:
    """The organization's lines with numbers between these two, which are not included; newest first by default."""
    within = _condition(wanted) + where(AuditEntry, {"number__lt": below, "number__gt": above})
    order = f"ORDER BY number {'ASC' if oldest_first else 'DESC'} LIMIT {limit:d}"
    if wanted.action is not None:
        within = _newest_of(await _actions(organization_id, wanted.action), within, order)
    sql = f"SELECT {select(AuditRow)} FROM audit_entry WHERE organization_id = ?{within.sql} {order}"
    return await fetch(AuditRow, sql, [organization_id, *within.values_of(organization_id)])


async def count_lines(organization_id: str, wanted: AuditFilter) -> int:
    """How many lines there are, up to MOST_COUNTED + 1."""
    condition = _condition(wanted)
    if wanted.action is not None:
        actions = await _actions(organization_id, wanted.action)
        condition += where(AuditEntry, {"action__in": actions}) if actions else NOTHING
    return await counted("audit_entry", organization_id, condition)


async def _actions(organization_id: str, wanted: str) -> tuple[str, ...]:
    """The actions in the organization's log that the filter means: that one, and those of which it is the first part.

    One look into the index for each action that occurs.
    """
    found = await query(
        "SELECT action FROM (WITH RECURSIVE occurring AS ("
        "SELECT MIN(action) AS action FROM audit_entry WHERE organization_id = ? UNION ALL"
        " SELECT (SELECT MIN(action) FROM audit_entry WHERE organization_id = ? AND action > occurring.action)"
        " FROM occurring WHERE action IS NOT NULL) SELECT action FROM occurring LIMIT ?) AS found",
        [organization_id, organization_id, _MOST_ACTIONS],
    )
    actions = [row["action"] for row in found if row["action"] is not None]
    return tuple(action for action in actions if action == wanted or action.startswith(f"{wanted}."))


def _newest_of(actions: tuple[str, ...], within: Where, order: str) -> Where:
    """The condition that a line is on the page of the lines of these actions: each action gives its newest."""
    if not actions:
        return NOTHING
    one = (
        "SELECT number FROM (SELECT number FROM audit_entry WHERE organization_id = ? AND action = ?"
        f"{within.sql} {order}) AS of_action"
    )
    sql = f" AND number IN (SELECT number FROM ({' UNION ALL '.join([one] * len(actions))}) AS newest {order})"
    return Where(sql, tuple(value for action in actions for value in (ORGANIZATION, action, *within.values)))


def _condition(wanted: AuditFilter) -> Where:
    """What the filter says besides the action.

    Lines are numbered in the order in which they were added, which is that of their times but for the clocks of the
    machines: bounds of numbers let an index pass by nothing that came before or since.
    """
    condition = where(AuditEntry, {"actor": wanted.actor, "subject": wanted.subject})
    if wanted.after is not None:
        since = to_micros(wanted.after)
        condition += Where(
            " AND at + 0 >= ? AND number > COALESCE((SELECT number FROM audit_entry WHERE organization_id = ?"
            " AND at < ? ORDER BY at DESC LIMIT 1), 0)",
            (since, ORGANIZATION, since - _micros(_CLOCKS_DIFFER)),
        )
    if wanted.before is not None:
        until = to_micros(wanted.before)
        condition += Where(
            " AND at + 0 < ? AND number < COALESCE((SELECT number FROM audit_entry WHERE organization_id = ?"
            f" AND at >= ? ORDER BY at LIMIT 1), {_LAST})",
            (until, ORGANIZATION, until + _micros(_CLOCKS_DIFFER)),
        )
    return condition


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
