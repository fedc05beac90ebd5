"""The proof of a ledger, part by part: each part is looked at once, and a checkpoint says how far that has got.

A checkpoint is trusted because its lines are append-only, and were compared with everything else when it was made.
It is sealed with the key of the audit log (`AuditSeals`); where there is a key and a checkpoint has no seal of one that
is there, the proof begins anew. A change of what lies before it, in lines or in ended jobs, is found by a whole walk,
which compares the digest of the lines, and everything with everything.

No lock is held: lines do not change, and what they are compared with has been written with them. The youngest lines
are left to whoever asks: others with lesser ids may still be on their way.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from enrichment.credits import month_of
from enrichment.enums import CreditKind
from models.audit import head_of
from models.credit import proof
from models.credit.checkpoint import (
    AMOUNT,
    CREATED_AT,
    KIND,
    RESERVED,
    LedgerCheckpoint,
    find_checkpoint,
    lines_between,
    save_checkpoint,
)
from models.credit.proof_part import Part
from models.db.columns import first_id_of, to_micros
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit_seal import AuditSeals

PART_LINES = 2000
CLOCKS_DIFFER = timedelta(minutes=15)  # and a transaction takes its time
_DAYS_KEPT = 70  # the month of the account, and the one before
_LONGEST_MONTH = timedelta(days=31)
_MICROS_OF_DAY = 86_400_000_000


def settled_before(now: datetime) -> str:
    """The id up to which no line is added any more."""
    return first_id_of(now - CLOCKS_DIFFER)


async def advance(organization_id: str, now: datetime, seals: AuditSeals) -> int:
    """Prove the next part of the lines. Returns how many; fewer than PART_LINES: there are no more for now."""
    stored = await find_checkpoint(organization_id)
    if stored is not None and is_forged(stored, seals):
        return 0  # it stays as it is found, for whoever asks
    before = stored if stored is not None and is_trusted(stored, seals) else None
    after = "" if before is None else before.through_id
    lines = await lines_between(organization_id, after, settled_before(now), PART_LINES)
    if not lines:
        return 0
    sums = _Sums.of(before)
    await asyncio.to_thread(sums.add, lines)
    head = await head_of(organization_id)  # before the grants are compared: what follows is looked at the next time
    audit_after = -1 if before is None else before.audit_number
    ended_since = now if before is None else before.proved_at
    part = Part(after, lines[-1][0], ended_since - CLOCKS_DIFFER, audit_after)
    faults = [*(() if before is None else before.faults), *await faults_of_lines(None, organization_id, part)]
    checkpoint = LedgerCheckpoint(
        organization_id,
        part.until,
        sums.entries,
        sums.balance,
        sums.reserved,
        sums.kept_days(),
        audit_after if head is None else head.number,
        sums.digest,
        list(dict.fromkeys(faults))[: proof.MOST],
        now,
        None if before is None else before.whole_at,
    )
    await unit_of_work(save_checkpoint)(_sealed(checkpoint, seals), before=stored)
    return len(lines)


@dataclass(slots=True)
class _Sums:
    """What lines add up to, from the first one on."""

    entries: int = 0
    balance: int = 0
    reserved: int = 0
    digest: str = ""
    charged: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, checkpoint: LedgerCheckpoint | None) -> "_Sums":
        if checkpoint is None:
            return cls()
        charged = Counter({int(day): credits for day, credits in checkpoint.charged_by_day.items()})
        return cls(checkpoint.entries, checkpoint.balance, checkpoint.reserved, checkpoint.digest, charged)

    def add(self, lines: Sequence[Sequence[Any]]) -> None:
        for line in lines:
            self.entries += 1
            self.balance += line[AMOUNT]
            self.reserved += line[RESERVED]
            self.digest = sha256(self.digest.encode() + orjson.dumps(line)).hexdigest()
            if line[KIND] == CreditKind.CHARGE:
                self.charged[line[CREATED_AT] // _MICROS_OF_DAY] -= line[AMOUNT]

    def kept_days(self) -> dict[str, int]:
        first = max(self.charged, default=0) - _DAYS_KEPT
        return {str(day): credits for day, credits in sorted(self.charged.items()) if day > first}


async def walk_proved(checkpoint: LedgerCheckpoint) -> bool:
    """Whether the lines up to a checkpoint are those that were proved: all of them are read again."""
    sums, after = _Sums(), ""
    while True:
        lines = await lines_between(checkpoint.organization_id, after, checkpoint.through_id, PART_LINES)
        if not lines:
            break
        await asyncio.to_thread(sums.add, lines)
        after = lines[-1][0]
    return (sums.entries, sums.balance, sums.reserved, sums.digest) == (
        checkpoint.entries,
        checkpoint.balance,
        checkpoint.reserved,
        checkpoint.digest,
    )


async def renew_faults(checkpoint: LedgerCheckpoint, faults: list[str], now: datetime, seals: AuditSeals) -> None:
    """Let a checkpoint say what a whole walk has found just now; what was mended since is no fault any more."""
    renewed = replace(checkpoint, faults=faults[: proof.MOST], whole_at=now)
    await unit_of_work(save_checkpoint)(_sealed(renewed, seals), before=checkpoint)


def is_forged(checkpoint: LedgerCheckpoint, seals: AuditSeals) -> bool:
    """Whether its seal is of a key that is there, and not of what it says."""
    return seals.checkpoint_holds(_content(checkpoint), checkpoint.seal, checkpoint.seal_key_id) is False


def is_trusted(checkpoint: LedgerCheckpoint, seals: AuditSeals) -> bool:
    """Whether the proof may go on from it: it is sealed, where there is a key."""
    return (
        not seals.keys or seals.checkpoint_holds(_content(checkpoint), checkpoint.seal, checkpoint.seal_key_id) is True
    )


def _sealed(checkpoint: LedgerCheckpoint, seals: AuditSeals) -> LedgerCheckpoint:
    seal = seals.of_checkpoint(_content(checkpoint))
    return checkpoint if seal is None else replace(checkpoint, seal=seal.seal, seal_key_id=seal.key_id)


def _content(checkpoint: LedgerCheckpoint) -> bytes:
    said = [
        checkpoint.organization_id,
        checkpoint.through_id,
        checkpoint.entries,
        checkpoint.balance,
        checkpoint.reserved,
        sorted(checkpoint.charged_by_day.items()),
        checkpoint.audit_number,
        checkpoint.digest,
        checkpoint.faults,
        to_micros(checkpoint.proved_at),
    ]
    return b"ledger" + orjson.dumps(said)


async def faults_of_lines(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    """What of the lines of a part, or of all, does not add up or is not what other tables say, in plain words."""
    return [
        *await _wrong_budgets(tx, organization_id, part),
        *await _wrong_lines(tx, organization_id, part),
        *await _wrong_jobs(tx, organization_id, part),
        *await _wrong_grants(tx, organization_id, part),
    ]


async def _wrong_budgets(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    return [
        f"budget {budget.id} says {budget.held} used or reserved, its lines say {budget.charged}"
        for budget in await proof.wrong_budgets(tx, organization_id, part)
    ]


async def _wrong_lines(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    unsettled = await proof.wrong_settlements(tx, organization_id, part)
    others = await proof.settled_for_others(tx, organization_id, part)
    misdated = await proof.misdated(tx, organization_id, part)
    return [
        *(f"line {entry_id} settles no reservation of its price" for entry_id in unsettled),
        *(f"line {entry_id} settles a reservation of another job, provider or later time" for entry_id in others),
        *(f"line {entry_id} is dated before the line that was added before it" for entry_id in misdated),
    ]


async def _wrong_jobs(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    jobs = await proof.jobs_with_other_credits(tx, organization_id, part)
    steps = await proof.steps_with_other_credits(tx, organization_id, part)
    return [
        *(f"job {job_id} shows other credits than were charged for it" for job_id in jobs),
        *(
            f"job {step.job_id} shows {step.shown} credits for {step.provider}, its lines say {step.charged}"
            for step in steps
        ),
    ]


async def _wrong_grants(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    faults = [
        f"grant {entry_id} is not in the audit log with its amount and person"
        for entry_id in await proof.grants_without_audit(tx, organization_id, part)
    ]
    for entry_id in await proof.audited_without_grant(tx, organization_id, part):
        faults.append(f"grant {entry_id} of the audit log is not in the ledger")
    return faults + await _wrong_monthly_grants(tx, organization_id, part)


async def _wrong_monthly_grants(tx: Transaction | None, organization_id: str, part: Part | None) -> list[str]:
    since = None if part is None else await proof.first_monthly_grant(tx, organization_id, part)
    if part is not None and since is None:
        return []
    faults: list[str] = []
    granted: set[str] = set()
    for grant in await proof.monthly_grants(tx, organization_id, since=since and since - _LONGEST_MONTH):
        month = month_of(grant.created_at)
        if part is None or grant.id > part.after:
            if grant.note != f"grant of {month}":
                faults.append(f"grant {grant.id} is of nobody, and not the grant of its month")
            elif month in granted:
                faults.append(f"grant {grant.id} is a second one of {month}")
        granted.add(month)
    return faults
