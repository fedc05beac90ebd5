"""Who changed what, when and from where: an append-only log of each organization, chained line to line.

The hash of a line is the SHA-256 of the hash before it and of everything the line says, so that a line that is
changed, removed or slipped in breaks the chain from there on. The number and hash of the last line are also kept
apart: without them, lines removed at the end would not show. Details hold ids, names and counts, and what a
configuration was; never a value of a record.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.db.columns import from_micros, to_micros
from models.db.statements import execute, query
from models.db.transaction import Transaction
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.paging import Page, PageArgs, check_id, read_cursor
from resolvers.validation import MAX_NAME, check_text

_READ_AT_ONCE = 2000


async def record_audit(
    tx: Transaction,
    organization_id: str,
    *,
    action: str,
    subject: str,
    actor: str | None,
    origin: str | None,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one line in the caller's transaction; call it last there, since the log is locked until its end.

    `action` is a noun and what happened to it (`config.changed`), `subject` the id of what it happened to.
    The organization must exist.
    """
    head = await _lock_head(tx, organization_id)
    number = head["number"] + 1
    line = {
        "organization_id": organization_id,
        "number": number,
        "at": to_micros(now),
        "actor": actor,
        "origin": origin,
        "action": action,
        "subject": subject,
        "details": orjson.dumps(dict(details or {}), option=orjson.OPT_SORT_KEYS).decode(),
        "previous": head["hash"],
    }
    line["hash"] = _hash(line)
    await execute(
        f"INSERT INTO audit_entry ({', '.join(line)}) VALUES ({', '.join('?' * len(line))})",
        list(line.values()),
        using=tx,
    )
    await execute(
        "UPDATE audit_head SET number = ?, hash = ? WHERE organization_id = ?",
        [number, line["hash"], organization_id],
        using=tx,
    )


async def note_change(
    tx: Transaction, ctx: Context, action: str, subject: str, details: Mapping[str, Any] | None = None
) -> None:
    """As `record_audit`, for what the caller of this request did now."""
    caller = ctx.require(Role.VIEWER)
    await record_audit(
        tx,
        caller.organization_id,
        action=action,
        subject=subject,
        actor=caller.user,
        origin=ctx.origin,
        now=ctx.services.now(),
        details=details,
    )


async def _lock_head(tx: Transaction, organization_id: str) -> dict[str, Any]:
    lock = "UPDATE audit_head SET number = number WHERE organization_id = ? RETURNING number, hash"
    found = await query(lock, [organization_id], using=tx)
    if not found:
        first = "INSERT INTO audit_head (organization_id) VALUES (?) ON CONFLICT DO NOTHING"
        await execute(first, [organization_id], using=tx)
        found = await query(lock, [organization_id], using=tx)
    return found[0]


_HASHED = ("organization_id", "number", "at", "actor", "origin", "action", "subject", "details", "previous")


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([line[name] for name in _HASHED])).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line. `number` counts from 1 without gaps; `previous` is the hash of the line before."""

    number: int
    at: datetime
    actor: str | None
    origin: str | None
    action: str
    subject: str
    details: dict[str, Any]
    previous: str
    hash: str

    @property
    def id(self) -> str:
        """The number in the form of an id, as cursors hold it."""
        return str(UUID(int=self.number))


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines: all that is given must hold. `action` may be its first part alone (`config`). `before` excludes."""

    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    after: datetime | None = None
    before: datetime | None = None


async def list_audit(ctx: Context, wanted: AuditFilter, args: PageArgs) -> Page[AuditEntry]:
    """The organization's log, newest first."""
    caller = ctx.require(Role.VIEWER)
    condition, values = _condition(caller.organization_id, wanted)
    size = args.size()
    backwards = args.last is not None
    index = ""
    at: list[str | int] = list(values)
    if args.after is not None:
        index += " AND number < ?"
        at.append(_number(args.after, "after"))
    if args.before is not None:
        index += " AND number > ?"
        at.append(_number(args.before, "before"))
    order = "ASC" if backwards else "DESC"
    sql = f"SELECT * FROM audit_entry WHERE {condition}{index} ORDER BY number {order} LIMIT {size + 1}"
    found = [_entry(row) for row in await query(sql, at)]
    more, items = len(found) > size, found[:size]

    async def count() -> int:
        rows = await query(f"SELECT COUNT(*) AS counted FROM audit_entry WHERE {condition}", values)
        return int(rows[0]["counted"])

    if backwards:
        return Page(items[::-1], has_next=args.before is not None, has_previous=more, count=count)
    return Page(items, has_next=more, has_previous=args.after is not None, count=count)


def _condition(organization_id: str, wanted: AuditFilter) -> tuple[str, list[str | int]]:
    parts = ["organization_id = ?"]
    values: list[str | int] = [organization_id]
    exact: dict[str, Any] = {"actor": wanted.actor, "subject": wanted.subject}
    for column, text in exact.items():
        if text is not None:
            parts.append(f"{column} = ?")
            values.append(check_text(text, column, longest=MAX_NAME))
    if wanted.action is not None:
        action = check_text(wanted.action, "action", longest=MAX_NAME)
        parts.append("(action = ? OR SUBSTR(action, 1, ?) = ?)")
        values += [action, len(action) + 1, f"{action}."]
    times: dict[str, datetime | None] = {"at >= ?": wanted.after, "at < ?": wanted.before}
    for part, moment in times.items():
        if moment is not None:
            parts.append(part)
            values.append(to_micros(moment))
    return " AND ".join(parts), values


def _number(cursor: str, path: str) -> int:
    number = UUID(check_id(read_cursor(cursor, path), path=path)).int
    if number >= 2**63:
        raise BadRequest(f"{path}: not a cursor of this list", faults=[Fault(path, "not a cursor")])
    return number


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        number=row["number"],
        at=from_micros(row["at"]),
        actor=row["actor"],
        origin=row["origin"],
        action=row["action"],
        subject=row["subject"],
        details=orjson.loads(row["details"]),
        previous=row["previous"],
        hash=row["hash"],
    )


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """How many lines were checked, the hash of the last, and the first fault, in plain words."""

    entries: int
    head: str
    fault: str | None

    @property
    def intact(self) -> bool:
        return self.fault is None


async def verify_audit(ctx: Context, *, number: int | None = None, head: str | None = None) -> AuditCheck:
    """Walk the whole chain. Whoever noted the `number` and `head` of an earlier check can hand them in: that line
    must still be there and be the same.
    """
    caller = ctx.require(Role.VIEWER)
    if (number is None) != (head is None):
        raise BadRequest("number and head belong together", faults=[Fault("head", "needs number, and number head")])
    kept = await query("SELECT number, hash FROM audit_head WHERE organization_id = ?", [caller.organization_id])
    known = {row["number"]: row["hash"] for row in kept}  # read first: lines may be added while we walk
    if number is not None and head is not None and known.setdefault(number, head) != head:
        return AuditCheck(0, "", f"line {number} is another than the one that was noted")
    previous, count = "", 0
    while True:
        lines = await query(
            f"SELECT * FROM audit_entry WHERE organization_id = ? AND number > ? ORDER BY number LIMIT {_READ_AT_ONCE}",
            [caller.organization_id, count],
        )
        for line in lines:
            fault = _fault(line, count + 1, previous, known)
            if fault is not None:
                return AuditCheck(count, previous, fault)
            previous, count = line["hash"], line["number"]
        if len(lines) < _READ_AT_ONCE:
            break
    missing = max(known, default=0) > count
    return AuditCheck(count, previous, f"lines after {count} are missing" if missing else None)


def _fault(line: Mapping[str, Any], number: int, previous: str, known: Mapping[int, str]) -> str | None:
    if line["number"] != number:
        return f"line {number} is missing"
    if line["previous"] != previous or line["hash"] != _hash(line):
        return f"line {number} is not what was written"
    if known.get(number, line["hash"]) != line["hash"]:
        return f"line {number} is another than the one that was noted"
    return None
