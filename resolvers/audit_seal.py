"""Keyed seals of the audit log: a chain that somebody with the database in their hands wrote anew shows by itself.

The seal of a line is an HMAC-SHA256 of its hash, which covers the line and all before it, under a key that the
database does not have; the head, which says what the last line is, has one of its own. Each seal says with which key it
was made, so that keys can be rotated: the first of the keys seals, all verify.

A line's seal also says how it follows the one before, as far as the process knew that made it (`Mark`). So neither
lines at the end nor seals at the beginning are removed without a trace, also when a genuine line follows.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.audit import AuditHeadRow, AuditRow


class Mark(StrEnum):
    """How a sealed line follows the one before it."""

    FIRST = "first"  # no line before it was sealed
    NEXT = "next"  # the head was as it had been sealed
    AGAIN = "again"  # the head was another: lines were added without a seal, or removed
    UNKNOWN = "unknown"  # the head was sealed with a key that this process did not have


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal, and the id of its key."""

    seal: str
    key_id: str


@dataclass(frozen=True, slots=True)
class AuditSeals:
    """The keys by their ids, in order: the first seals. Without any nothing is sealed."""

    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def of_line(self, head: AuditHeadRow, line: AuditRow) -> Seal | None:
        """The seal of a line that follows this head; None without a key."""
        return self._seal(_line_text(line, self._mark(head)))

    def of_head(self, organization_id: str, number: int, line_hash: str) -> Seal | None:
        """The seal of the head that names this line as the last; None without a key."""
        return self._seal(_head_text(organization_id, number, line_hash))

    def of_checkpoint(self, content: bytes) -> Seal | None:
        """The seal of how far a proof has got; None without a key."""
        return self._seal(b"checkpoint" + content)

    def checkpoint_holds(self, content: bytes, seal: str | None, key_id: str | None) -> bool | None:
        """Whether a checkpoint is what was sealed; None: it cannot be told, because a key or the seal is missing."""
        if seal is None or key_id is None or key_id not in self.keys:
            return None
        return hmac.compare_digest(self._digest(key_id, b"checkpoint" + content), seal)

    def _mark(self, head: AuditHeadRow) -> Mark:
        if head.seal is None:
            return Mark.FIRST
        holds = self.head_holds(head)
        return Mark.UNKNOWN if holds is None else Mark.NEXT if holds else Mark.AGAIN

    def head_holds(self, head: AuditHeadRow) -> bool | None:
        """Whether the head is what was sealed; None where its key is not there."""
        if head.seal is None or head.seal_key_id is None:
            return False
        if head.seal_key_id not in self.keys:
            return None
        text = _head_text(head.organization_id, head.number, head.hash)
        return hmac.compare_digest(self._digest(head.seal_key_id, text), head.seal)

    def mark_of(self, line: AuditRow) -> Mark | None:
        """How a line whose key is there follows the one before; None: its seal is not what was written."""
        if line.seal is None or line.seal_key_id is None:
            return None
        found = [
            mark
            for mark in Mark
            if hmac.compare_digest(self._digest(line.seal_key_id, _line_text(line, mark)), line.seal)
        ]
        return found[0] if found else None

    def _seal(self, text: bytes) -> Seal | None:
        for key_id in self.keys:
            return Seal(self._digest(key_id, text), key_id)
        return None

    def _digest(self, key_id: str, text: bytes) -> str:
        return hmac.digest(self.keys[key_id], text, "sha256").hex()


def _line_text(line: AuditRow, mark: Mark) -> bytes:
    return orjson.dumps(["line", mark.value, line.organization_id, line.number, line.hash])


def _head_text(organization_id: str, number: int, line_hash: str) -> bytes:
    return orjson.dumps(["head", organization_id, number, line_hash])


def derived_key(secret: bytes) -> tuple[str, bytes]:
    """The id of the key that follows from ENCRYPTION_KEY, which differs with it, and the key."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"auto-enrichment audit seals").derive(secret)
    return f"encryption-key-{sha256(b'id of ' + key).hexdigest()[:8]}", key


@dataclass(slots=True)
class SealWalk:
    """What a walk along all lines in order, from the first, finds of their seals.

    `fault` is what cannot have happened by itself, in plain words; `unsealed` are the first and the last number of
    lines between sealed ones that have no seal.
    """

    seals: AuditSeals
    sealed_from: int | None = None
    key_ids: dict[str, None] = field(default_factory=dict)
    unsealed: tuple[int, int] | None = None
    fault: str | None = None
    _gap: tuple[int, int] | None = None  # since the last sealed line
    _before: AuditRow | None = None  # the line before, where it is sealed

    def state(self) -> dict[str, Any]:
        """What a walk that goes on after the last line has to know, as JSON. There must be no fault."""
        return {
            "sealedFrom": self.sealed_from,
            "keyIds": list(self.key_ids),
            "missing": self.missing_keys,
            "unsealed": self.unsealed,
            "gap": self._gap,
        }

    @classmethod
    def resumed(cls, seals: AuditSeals, state: Mapping[str, Any], last: AuditRow) -> "SealWalk":
        """A walk that goes on after this line, where another stood so (`state`)."""
        unsealed, gap = state["unsealed"], state["gap"]
        return cls(
            seals,
            state["sealedFrom"],
            dict.fromkeys(state["keyIds"]),
            tuple(unsealed) if unsealed else None,
            None,
            tuple(gap) if gap else None,
            last if last.seal is not None and last.seal_key_id is not None else None,
        )

    @property
    def missing_keys(self) -> list[str]:
        """The ids of keys that lines were sealed with and that are not there."""
        return [key_id for key_id in self.key_ids if key_id not in self.seals.keys]

    def add(self, line: AuditRow) -> None:
        """Look at the next line. After a fault nothing more is said."""
        if line.seal is None or line.seal_key_id is None:
            if self.sealed_from is not None:
                self._gap = (line.number if self._gap is None else self._gap[0], line.number)
            return
        self.key_ids[line.seal_key_id] = None
        if self.fault is None and line.seal_key_id in self.seals.keys:
            self.fault = self._fault_of(line, line.seal_key_id)
        if self.sealed_from is None:
            self.sealed_from = line.number
        if self._gap is not None and self.unsealed is None:
            self.unsealed = self._gap
        self._gap, self._before = None, line

    def _fault_of(self, line: AuditRow, key_id: str) -> str | None:
        mark = self.seals.mark_of(line)
        if mark is None:
            return f"the seal of line {line.number} is not what was written"
        if (mark is Mark.FIRST) != (self.sealed_from is None):
            where = "before" if mark is not Mark.FIRST else "at"
            return f"seals {where} line {line.number} were removed"
        if mark is Mark.NEXT and self._gap is not None:
            return f"the seals of lines {self._gap[0]} to {self._gap[1]} were removed"
        same_key = self._before is not None and self._before.seal_key_id == key_id
        removed = mark is Mark.AGAIN or (mark is Mark.UNKNOWN and same_key)
        if removed and self._gap is None:
            return f"lines before line {line.number} were removed"
        return None

    def end(self, head: AuditHeadRow | None, last: int) -> None:
        """Look at the head, as it was before the walk; `last` is the number of the last line."""
        if self.fault is not None or self.sealed_from is None or not self.seals.keys:
            return
        if self._gap is not None:
            first, final = self._gap
            self.fault = f"lines {first} to {final} are not sealed" if first != final else f"line {first} is not sealed"
        elif head is None or self.seals.head_holds(head) is False:
            self.fault = f"the head is not what was written: lines after {last} may be missing"

    def holds(self) -> bool | None:
        """Whether all lines since the first sealed one are sealed and what was written; None: it cannot be told."""
        if self.fault is not None or self.unsealed is not None:
            return False
        return None if self.sealed_from is None or self.missing_keys else True

    def note(self) -> str:
        """The same in plain words."""
        if not self.seals.keys:
            return f"no key is set: lines are not sealed{'' if self.sealed_from is None else ', seals not verified'}"
        if self.fault is not None:
            return self.fault
        if self.sealed_from is None:
            return "no line is sealed yet: the next one will be"
        if self.unsealed is not None:
            first, last = self.unsealed
            return f"lines {first} to {last} are not sealed: a process without a key wrote them, or somebody else"
        if self.missing_keys:
            return f"not to be verified without the key {', '.join(self.missing_keys)}"
        return f"sealed from line {self.sealed_from} on"


def read_seal_keys(text: str) -> dict[str, bytes]:
    """Keys given as `id:secret,id2:secret2`. Raises ValueError, which repeats no secret."""
    keys: dict[str, bytes] = {}
    for number, pair in enumerate(text.split(","), 1):
        key_id, sign, secret = (part.strip() for part in pair.partition(":"))
        if not sign or not _is_id(key_id):
            raise ValueError(f"key {number} should be id:secret, the id of letters, digits, -, _ and ., 32 at most")
        if len(secret.encode()) < 32:
            raise ValueError(f"the secret of {key_id} should be 32 bytes or more")
        if secret.startswith("//"):
            raise ValueError(f"the secret of {key_id} should not begin like an address")
        if key_id in keys:
            raise ValueError(f"two keys are called {key_id}")
        keys[key_id] = secret.encode()
    return keys


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 32 and text.isascii() and all(letter.isalnum() or letter in "-_." for letter in text)


NO_SEALS: AuditSeals = AuditSeals()
