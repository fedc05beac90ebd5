"""Calls that may be charged and have not ended: each is written down before it goes out, with its reservation.

A row goes when the call is settled, by whoever saw its end. Where nobody did, because the worker died or was stopped,
the row says what is not known: `workers.upkeep.end_calls` ends it as maybe charged. While it is there nobody puts the
same question again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import EntityType, JobTrigger
from models.credit.entry import OpenReservation
from models.db.columns import Instant, id_field, to_micros
from models.db.rows import bulk, fetch, insert, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction


class CallIntent(Model):
    """A call that goes out, or has gone out, and may be charged. Its id is that of its reservation.

    `input_key`: the digest of the question; NULL once the record is erased. `fence`: of the job's lease under which
    it was reserved. `ends_by`: the moment at which the call is over in any case. `credits`: what is set aside.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    job_id = fields.CharField(max_length=36)
    fence = fields.BigIntField()
    record_id = fields.CharField(max_length=36, null=True)
    provider = fields.CharField(max_length=64)
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    trigger = fields.CharEnumField(JobTrigger, max_length=32, source_field="trigger_kind")
    credits = fields.BigIntField()
    input_key = fields.CharField(max_length=64, null=True)
    reserved_at: datetime = Instant()
    ends_by: datetime = Instant()

    class Meta:
        table = "call_intent"


@projection(CallIntent)
class IntentRow:
    """See CallIntent."""

    id: str
    organization_id: str
    job_id: str
    fence: int
    record_id: str | None
    provider: str
    entity_type: EntityType
    trigger: JobTrigger
    credits: int
    input_key: str | None
    reserved_at: datetime
    ends_by: datetime


PENDING_INTENT = (
    "EXISTS (SELECT 1 FROM answer a WHERE a.organization_id = call_intent.organization_id"
    " AND a.provider = call_intent.provider AND a.input_key = call_intent.input_key AND a.state = 'pending'"
    " AND a.reservation_id = call_intent.id)"
)
"""That the provider has taken the question in and answers later."""


async def write_intents(tx: Transaction, intents: Sequence[IntentRow]) -> None:
    """Write down calls that are about to go out."""
    await insert(tx, intents)


async def take_intents(tx: Transaction, wanted: Sequence[OpenReservation]) -> list[IntentRow]:
    """End the intents of these reservations of organizations. Returns those that had not ended."""
    if not wanted:
        return []
    source, parameter = bulk(wanted)
    return await fetch(
        IntentRow,
        f"DELETE FROM call_intent WHERE id IN (SELECT i.id FROM {source} JOIN call_intent i ON i.id = v.id"
        f" AND i.organization_id = v.organization_id) RETURNING {select(IntentRow)}",
        [parameter],
        using=tx,
    )


async def forget_questions(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Keep of what these jobs ask at this moment no more than what it may cost."""
    if job_ids:
        await execute(
            f"UPDATE call_intent SET input_key = NULL WHERE job_id IN ({marks(job_ids)})", list(job_ids), using=tx
        )


async def intents_of_question(
    organization_id: str, provider: str, input_key: str, job_id: str, *, using: Transaction | None = None
) -> list[IntentRow]:
    """The calls of a job with this question that have not ended."""
    return await fetch(
        IntentRow,
        f"SELECT {select(IntentRow)} FROM call_intent WHERE organization_id = ? AND job_id = ? AND provider = ?"
        " AND input_key = ?",
        [organization_id, job_id, provider, input_key],
        using=using,
    )


async def erased_intents(provider: str, job_id: str) -> list[IntentRow]:
    """The calls to a provider that have not ended, of a job whose record was erased meanwhile.

    Those about the record, and the one about a person's company, which is about an account.
    """
    return await fetch(
        IntentRow,
        f"SELECT {select(IntentRow)} FROM call_intent WHERE job_id = ? AND provider = ? AND input_key IS NULL",
        [job_id, provider],
    )


_UNREAD_ANSWER = (
    "EXISTS (SELECT 1 FROM answer a WHERE a.organization_id = call_intent.organization_id"
    " AND a.provider = call_intent.provider AND a.input_key = call_intent.input_key"
    " AND a.asked_by = call_intent.job_id AND a.state = 'asking' AND a.delivered IS NOT NULL)"
)


async def unseen_ends(now: datetime, limit: int) -> list[IntentRow]:
    """Calls that are over by now, and whose end the worker that made them will not write: it lost the job's lease.

    The first of them; those whose answer comes later, or has been sent and is still to be read, are left out.
    """
    moment = to_micros(now)
    return await fetch(
        IntentRow,
        f"SELECT {select(IntentRow)} FROM call_intent WHERE ends_by < ? AND NOT EXISTS (SELECT 1 FROM job"
        " WHERE job.id = call_intent.job_id AND job.fence = call_intent.fence AND job.status = 'in_progress'"
        f" AND job.lease_until >= ?) AND NOT {PENDING_INTENT} AND NOT {_UNREAD_ANSWER} ORDER BY ends_by LIMIT ?",
        [moment, moment, limit],
    )


_JOB_IS_AT_WORK = (
    "EXISTS (SELECT 1 FROM job WHERE job.id = {0}.job_id AND job.status = 'in_progress' AND job.lease_until >= ?)"
)
_STRAY = (
    "r.kind = 'reservation' AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)"
    " AND NOT EXISTS (SELECT 1 FROM call_intent i WHERE i.id = r.id)"
    " AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.organization_id = r.organization_id AND a.provider = r.provider"
    f" AND a.asked_by = r.job_id AND a.state = 'pending') AND NOT {_JOB_IS_AT_WORK.format('r')}"
)


async def calls_without_end(organization_id: str, now: datetime, grace: timedelta, limit: int) -> list[OpenReservation]:
    """Reservations of calls that were over before `grace` ago, and that nobody has settled. The first of them."""
    moment = to_micros(now)
    return await fetch(
        OpenReservation,
        f"SELECT {select(OpenReservation)} FROM call_intent WHERE organization_id = ? AND ends_by < ?"
        f" AND NOT {_JOB_IS_AT_WORK.format('call_intent')} AND NOT {PENDING_INTENT} ORDER BY id LIMIT ?",
        [organization_id, to_micros(now - grace), moment, limit],
    )


async def organizations_with_strays(organization_id: str | None = None) -> list[str]:
    """The organizations that have more reserved than the calls that are written down; of one, or of all."""
    of_one = "" if organization_id is None else " AND c.organization_id = ?"
    found = await query(
        "SELECT c.organization_id FROM credit_account c WHERE c.reserved > COALESCE((SELECT SUM(i.credits)"
        f" FROM call_intent i WHERE i.organization_id = c.organization_id), 0){of_one}",
        [] if organization_id is None else [organization_id],
    )
    return [row["organization_id"] for row in found]


async def strays(organization_id: str, now: datetime, limit: int) -> list[OpenReservation]:
    """Reservations that are not settled, and of which no call is written down: of older versions. The first of them.

    Those whose job is at work, or waits for the provider's answer, are left out.
    """
    sql = f"SELECT {select(OpenReservation, 'r')} FROM credit_entry r WHERE r.organization_id = ? AND {_STRAY}"
    return await fetch(OpenReservation, f"{sql} ORDER BY r.id LIMIT ?", [organization_id, to_micros(now), limit])
