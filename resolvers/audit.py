"""Who changed what, when and from where: an append-only log of each organization, chained line to line.

The hash of a line is the SHA-256 of the hash before it and of everything the line says, so that a line that is
changed, removed or slipped in breaks the chain from there on. The number and hash of the last line are also kept
apart: without them, lines removed at the end would not show. Where a key is set, lines and head are sealed with it
(`audit_seal.py`), so that a chain that was written anew shows too. Details hold ids, names and counts, and what a
configuration was; never a value of a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.audit import (
    AuditCheckpoint,
    AuditRow,
    append,
    first_sealed,
    line_at,
    lock_head,
)
from models.audit_list import AuditFilter, count_lines, list_lines
from models.db.columns import from_micros, to_micros
from models.db.transaction import Transaction
from resolvers.audit_seal import AuditSeals, SealWalk
from resolvers.audit_walk import AuditWalk, hash_of, head_and_checkpoint, is_forged, is_trusted, walk_from
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.paging import Page, PageArgs, check_id, read_cursor
from resolvers.turns import one_at_a_time
from resolvers.validation import MAX_NAME, check_text


async def record_audit(
    tx: Transaction,
    organization_id: str,
    *,
    action: str,
    subject: str,
    actor: str | None,
    origin: str | None,
    now: datetime,
    seals: AuditSeals,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one line in the caller's transaction; call it last there, since the log is locked until its end.

    `action` is a noun and what happened to it (`config.changed`), `subject` the id of what it happened to; `seals` are
    the installation's (`Services.audit_seals`). The organization must exist.
    """
    head = await lock_head(tx, organization_id)
    line = AuditRow(
        organization_id=organization_id,
        number=head.number + 1,
        at=to_micros(now),
        actor=actor,
        origin=origin,
        action=action,
        subject=subject,
        details=orjson.dumps(dict(details or {}), option=orjson.OPT_SORT_KEYS).decode(),
        previous=head.hash,
        hash="",
    )
    line = replace(line, hash=hash_of(line))
    seal, head_seal = seals.of_line(head, line), seals.of_head(organization_id, line.number, line.hash)
    if seal is not None:
        line = replace(line, seal=seal.seal, seal_key_id=seal.key_id)
    await append(
        tx,
        line,
        head_seal=None if head_seal is None else head_seal.seal,
        head_key_id=None if head_seal is None else head_seal.key_id,
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
        seals=ctx.services.audit_seals,
        details=details,
    )


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line. `number` counts from 1 without gaps; `previous` is the hash of the line before.

    `seal_key_id` is the id of the key with which it is sealed; None: it is not.
    """

    number: int
    at: datetime
    actor: str | None
    origin: str | None
    action: str
    subject: str
    details: dict[str, Any]
    previous: str
    hash: str
    seal_key_id: str | None

    @property
    def id(self) -> str:
        """The number in the form of an id, as cursors hold it."""
        return str(UUID(int=self.number))


_LIST = "auditEntries"  # as its cursors name it


async def list_audit(ctx: Context, wanted: AuditFilter, args: PageArgs) -> Page[AuditEntry]:
    """The organization's log, newest first."""
    caller = ctx.require(Role.VIEWER)
    _check(wanted)
    size = args.size()
    backwards = args.last is not None
    found = await list_lines(
        caller.organization_id,
        wanted,
        below=None if args.after is None else _number(args.after, "after"),
        above=None if args.before is None else _number(args.before, "before"),
        limit=size + 1,
        oldest_first=backwards,
    )
    more, items = len(found) > size, [_entry(line) for line in found[:size]]

    async def count() -> int:
        return await count_lines(caller.organization_id, wanted)

    if backwards:
        return Page(items[::-1], has_next=args.before is not None, has_previous=more, count=count, of=_LIST)
    return Page(items, has_next=more, has_previous=args.after is not None, count=count, of=_LIST)


def _check(wanted: AuditFilter) -> None:
    """Raises ValidationFailed for a text that no line can have."""
    for name, text in (("actor", wanted.actor), ("subject", wanted.subject), ("action", wanted.action)):
        if text is not None:
            check_text(text, name, longest=MAX_NAME)


def _number(cursor: str, path: str) -> int:
    number = UUID(check_id(read_cursor(cursor, path, _LIST), path=path)).int
    if number >= 2**63:
        raise BadRequest(f"{path}: not a cursor of this list", faults=[Fault(path, "not a cursor")])
    return number


def _entry(line: AuditRow) -> AuditEntry:
    return AuditEntry(
        number=line.number,
        at=from_micros(line.at),
        actor=line.actor,
        origin=line.origin,
        action=line.action,
        subject=line.subject,
        details=orjson.loads(line.details),
        previous=line.previous,
        hash=line.hash,
        seal_key_id=line.seal_key_id,
    )


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """How many lines were checked, the hash of the last, and the first fault, in plain words.

    `sealed_from` is the number of the first sealed line, `key_ids` are those of the keys of all seals, and
    `missing_key_ids` those of them that are not there. `seals_hold`: every line from then on is sealed and is what was
    written; None: it cannot be told, because there is no key, not every key, or nothing sealed. `seal_note` says it in
    words. `whole`: whether every line was walked; else those after the first `proved_entries`, which were proved at
    `proved_at`.
    """

    entries: int
    head: str
    fault: str | None
    sealed_from: int | None = None
    key_ids: tuple[str, ...] = ()
    missing_key_ids: tuple[str, ...] = ()
    seals_hold: bool | None = None
    seal_note: str = ""
    whole: bool = True
    proved_entries: int = 0
    proved_at: datetime | None = None

    @property
    def intact(self) -> bool:
        return self.fault is None


@one_at_a_time
async def verify_audit(
    ctx: Context, *, number: int | None = None, head: str | None = None, whole: bool = False
) -> AuditCheck:
    """Walk the chain, on from the last proof or `whole`. Whoever noted the `number` and `head` of an earlier check can
    hand them in: that line must still be there and be the same.
    """
    caller = ctx.require(Role.VIEWER)
    organization_id, seals = caller.organization_id, ctx.services.audit_seals
    if (number is None) != (head is None):
        raise BadRequest("number and head belong together", faults=[Fault("head", "needs number, and number head")])
    last, checkpoint = await head_and_checkpoint(organization_id)
    known = {} if last is None else {last.number: last.hash}
    if number is not None and head is not None and known.setdefault(number, head) != head:
        return AuditCheck(0, "", f"line {number} is another than the one that was noted")
    forged = checkpoint is not None and is_forged(checkpoint, seals)
    if checkpoint is None or whole or forged or not is_trusted(checkpoint, seals):
        walk, checkpoint = AuditWalk(organization_id, SealWalk(seals), known), None
    else:
        walk = await walk_from(checkpoint, seals)
        walk.known = known
        walk.fault = walk.fault or await _noted_fault(organization_id, known, checkpoint.number)
    await walk.run(last)
    if forged and walk.fault is None:
        walk.fault = "how far the proof had got is not what was written"
    return await _check_of(walk, checkpoint)


async def _noted_fault(organization_id: str, known: Mapping[int, str], proved: int) -> str | None:
    """What is wrong with a line that somebody noted and that is proved already."""
    for number, line_hash in known.items():
        line = await line_at(organization_id, number) if number <= proved else None
        if number <= proved and (line is None or line.hash != line_hash):
            return f"line {number} is another than the one that was noted"
    return None


async def _check_of(walk: AuditWalk, checkpoint: AuditCheckpoint | None) -> AuditCheck:
    fault, seals = walk.fault, walk.seals
    if fault is not None and seals.sealed_from is None:
        seals.sealed_from = await first_sealed(walk.organization_id)  # the walk ended before it
    return AuditCheck(
        walk.count,
        walk.previous,
        fault or seals.fault,
        sealed_from=seals.sealed_from,
        key_ids=tuple(seals.key_ids),
        missing_key_ids=tuple(seals.missing_keys),
        seals_hold=seals.holds() if fault is None else False if seals.sealed_from is not None else None,
        seal_note=seals.note()
        if fault is None or not seals.seals.keys
        else f"seals verified up to line {walk.count} alone, since {fault}",
        whole=checkpoint is None,
        proved_entries=0 if checkpoint is None else checkpoint.number,
        proved_at=None if checkpoint is None else checkpoint.proved_at,
    )
