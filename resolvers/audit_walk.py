"""The walk along an organization's audit log: from its first line, or on from where a proof has got to.

A checkpoint is trusted because the lines up to it were walked when it was made: its own line must still be there and be
the same, and the checkpoint itself is sealed like the log where there is a key. One that is not, or that was made
without a key which is there now, is not gone on from. What was changed before it, a whole walk finds.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from models.audit import (
    AuditCheckpoint,
    AuditHeadRow,
    AuditRow,
    audit_checkpoint,
    head_of,
    line_at,
    lines_after,
    save_audit_checkpoint,
)
from models.db.columns import to_micros
from models.db.transaction import unit_of_work
from resolvers.audit_seal import AuditSeals, SealWalk

_READ_AT_ONCE = 2000
_HASHED = ("organization_id", "number", "at", "actor", "origin", "action", "subject", "details", "previous")


def hash_of(line: AuditRow) -> str:
    """The SHA-256 of what a line says and of the hash before it."""
    return hashlib.sha256(orjson.dumps([getattr(line, name) for name in _HASHED])).hexdigest()


@dataclass(slots=True)
class AuditWalk:
    """How far a walk has got: `count` lines are good, the last with the hash `previous`, unless there is a `fault`.

    `known` are the hashes that some lines must have, by number.
    """

    organization_id: str
    seals: SealWalk
    known: dict[int, str] = field(default_factory=dict)
    previous: str = ""
    count: int = 0
    fault: str | None = None

    async def run(self, last: AuditHeadRow | None) -> None:
        """Walk to the last line; `last` is the head, as it was read before."""
        await self.go_on()
        if self.fault is None and max(self.known, default=0) > self.count:
            self.fault = f"lines after {self.count} are missing"
        self.seals.end(last, self.count)

    async def go_on(self) -> None:
        """Walk until there are no more lines, or one is not what was written. The hashing does not hold up the loop."""
        while self.fault is None:
            lines = await lines_after(self.organization_id, self.count, _READ_AT_ONCE)
            await asyncio.to_thread(self._add, lines)
            if len(lines) < _READ_AT_ONCE:
                break

    def _add(self, lines: Sequence[AuditRow]) -> None:
        for line in lines:
            self.fault = self._fault_of(line)
            if self.fault is not None:
                break
            self.seals.add(line)
            self.previous, self.count = line.hash, line.number

    def _fault_of(self, line: AuditRow) -> str | None:
        number = self.count + 1
        if line.number != number:
            return f"line {number} is missing"
        if line.previous != self.previous or line.hash != hash_of(line):
            return f"line {number} is not what was written"
        if self.known.get(number, line.hash) != line.hash:
            return f"line {number} is another than the one that was noted"
        return None


async def walk_from(checkpoint: AuditCheckpoint, seals: AuditSeals) -> AuditWalk:
    """A walk that goes on after the last line of a checkpoint, which must be what it was."""
    walk = AuditWalk(checkpoint.organization_id, SealWalk(seals), previous=checkpoint.hash, count=checkpoint.number)
    line = await line_at(checkpoint.organization_id, checkpoint.number)
    if line is None:
        walk.fault = f"line {checkpoint.number} is missing"
    elif line.hash != checkpoint.hash or hash_of(line) != line.hash:
        walk.fault = f"line {checkpoint.number} is not what was written"
    else:
        walk.seals = SealWalk.resumed(seals, checkpoint.walked, line)
    return walk


async def advance_audit(organization_id: str, now: datetime, seals: AuditSeals) -> int:
    """Prove the lines since the last time, and seal how far that has got. Returns how many; after a fault none."""
    stored = await audit_checkpoint(organization_id)
    if stored is not None and is_forged(stored, seals):
        return 0
    before = stored if stored is not None and is_trusted(stored, seals) else None
    walk = AuditWalk(organization_id, SealWalk(seals)) if before is None else await walk_from(before, seals)
    start = walk.count
    await walk.go_on()
    if walk.fault is not None or walk.seals.fault is not None or walk.count == start:
        return 0
    checkpoint = AuditCheckpoint(organization_id, walk.count, walk.previous, walk.seals.state(), now)
    seal = seals.of_checkpoint(_content(checkpoint))
    if seal is not None:
        checkpoint = AuditCheckpoint(
            organization_id, walk.count, walk.previous, checkpoint.walked, now, seal.seal, seal.key_id
        )
    await unit_of_work(save_audit_checkpoint)(checkpoint)
    return walk.count - start


async def head_and_checkpoint(organization_id: str) -> tuple[AuditHeadRow | None, AuditCheckpoint | None]:
    """The head, which is read first: lines may be added while somebody walks. And how far the proof has got."""
    return await head_of(organization_id), await audit_checkpoint(organization_id)


def is_forged(checkpoint: AuditCheckpoint, seals: AuditSeals) -> bool:
    """Whether its seal is of a key that is there, and not of what it says."""
    return seals.checkpoint_holds(_content(checkpoint), checkpoint.seal, checkpoint.seal_key_id) is False


def is_trusted(checkpoint: AuditCheckpoint, seals: AuditSeals) -> bool:
    """Whether a walk may go on from it: no key is there that would show more of the lines before."""
    if not seals.keys:
        return True
    holds = seals.checkpoint_holds(_content(checkpoint), checkpoint.seal, checkpoint.seal_key_id)
    return holds is True and not seals.keys.keys() & set(checkpoint.walked["missing"])


def _content(checkpoint: AuditCheckpoint) -> bytes:
    said = [
        checkpoint.organization_id,
        checkpoint.number,
        checkpoint.hash,
        checkpoint.walked,
        to_micros(checkpoint.proved_at),
    ]
    return b"audit" + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
