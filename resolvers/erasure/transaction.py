"""One erasure in its transaction: what goes, what stays for others, and what keeps the person from coming back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enrichment.erasure import NAME, marks_left
from models.answer.row import AnswerState
from models.db.columns import new_id, to_micros
from models.db.scrub import out_of_reach
from models.db.statements import load, query
from models.db.transaction import Transaction
from models.erasure_rows import (
    HOLDINGS,
    answers_about,
    count_holdings,
    delete_answers,
    delete_record,
    hold_intake,
    insert_erasure,
    lock_jobs,
)
from models.record.row import lock_records
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.credit.settle import release_open
from resolvers.erasure.reimport_guard import hash_of
from resolvers.erasure.related_answers import RelatedAnswers, is_of_company
from resolvers.errors import NotFound
from resolvers.keyed_hash import KeyedHash

_BEYOND = (
    "what providers keep of the questions that they were asked",
    "what the CRM holds",
    "values that running processes still have in their memory",
    "lines of the credit ledger and of the audit log: they hold ids and amounts alone",
)
_IN_HAND = {AnswerState.ASKING.value, AnswerState.PENDING.value}


class RecordChanged(Exception):
    """The record is not what it was when its traces were gathered."""


@dataclass(slots=True)
class ErasureDone:
    """What an erasure did: its certificate, and the jobs and conflicts that are gone."""

    certificate: dict[str, Any]
    jobs: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ErasureTransaction:
    """One erasure in its transaction."""

    ctx: Context
    prints: KeyedHash
    row: Mapping[str, Any]
    traces: RelatedAnswers
    reason: str | None
    block_domain: bool

    async def run(self, tx: Transaction) -> ErasureDone:
        ctx, record_id, organization_id = self.ctx, self.row["id"], self.row["organization_id"]
        now = ctx.services.now()
        await hold_intake(tx, organization_id, alone=True)
        version = (await lock_records(tx, [record_id])).get(record_id)
        if version is None:
            raise NotFound(f"no {self.row['entity_type'].value} with this external id")
        if version != self.traces.version:
            raise RecordChanged
        jobs = await lock_jobs(tx, record_id)
        conflicts = await query("SELECT id FROM conflict WHERE record_id = ?", [record_id], using=tx)
        counted = await count_holdings(tx, record_id)
        grant = ctx.services.monthly_credit_grant
        released = await release_open(tx, jobs, now=now, monthly_grant=grant, with_pending=True)
        answers = await self._forget_answers(tx, jobs)
        await delete_record(tx, organization_id, record_id)
        certificate = self._certificate(counted, answers=answers, released=released)
        tombstones = self._tombstones(certificate["id"])
        await insert_erasure(tx, certificate, tombstones)
        removed = certificate["removed"]
        await note_change(
            tx,
            ctx,
            "record.erased",
            certificate["id"],
            {"entityType": self.row["entity_type"].value, "record": record_id, "removed": removed},
        )
        return ErasureDone(certificate, jobs, [row["id"] for row in conflicts])

    def _certificate(self, counted: Mapping[str, int], *, answers: int, released: int) -> dict[str, Any]:
        removed = [{"where": "record", "count": 1}]
        removed += [{"where": HOLDINGS[table][0], "count": count} for table, count in counted.items() if count]
        removed += [{"where": "kept answers of providers", "count": answers}] if answers else []
        removed += [{"where": "reservations of credits, given back", "count": released}] if released else []
        return {
            "id": new_id(),
            "organization_id": self.row["organization_id"],
            "entity_type": self.row["entity_type"].value,
            "reason": self.reason,
            "erased_at": to_micros(self.ctx.services.now()),
            "erased_by": self.ctx.require(Role.ADMIN).user,
            "removed": removed,
            "not_reached": [*_BEYOND, out_of_reach()],
        }

    async def _forget_answers(self, tx: Transaction, jobs: Sequence[str]) -> int:
        """Remove what providers answered of this record; what they said of its company stays for others."""
        found = await answers_about(tx, self.row["organization_id"], jobs, self.traces.keys)
        gone = [row["id"] for row in found if self._is_about(row, set(jobs))]
        return await delete_answers(tx, gone)

    def _is_about(self, row: Mapping[str, Any], jobs: set[str]) -> bool:
        if row["state"] in _IN_HAND:
            return row["asked_by"] in jobs  # another record's job is asking at this moment
        of_company = is_of_company(self.row["entity_type"], load(row["findings"]) or ())
        return not of_company or (row["provider"], row["input_key"]) not in self.traces.shared

    def _tombstones(self, erasure_id: str) -> list[dict[str, Any]]:
        organization_id = self.row["organization_id"]
        left = marks_left(
            self.row["entity_type"], self.row["external_id"], self.traces.own, with_domain=self.block_domain
        )
        named = any(mark.kind == NAME for mark in left)
        return [
            {
                "id": new_id(),
                "organization_id": organization_id,
                "erasure_id": erasure_id,
                "kind": mark.kind,
                "hash": hash_of(self.prints, organization_id, mark),
                "shared": not mark.sure,
                "named": named,
            }
            for mark in sorted(left, key=lambda mark: (mark.kind, mark.value))
        ]
