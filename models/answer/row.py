"""What a provider answered, stored so that the same question is not asked, or paid for, twice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import EPOCH, Instant, id_field
from models.db.rows import projection

Key = tuple[str, str, str]  # organization, provider, input key


class AnswerState(StrEnum):
    """What is known of a question."""

    ASKING = "asking"  # a job is asking it
    ANSWERED = "answered"
    PENDING = "pending"  # the provider answers later
    MAYBE_CHARGED = "maybe_charged"  # a call ended without a reply after it was sent


class Answer(Model):
    """One provider's answer to one question of one organization.

    `asking`: the job `asked_by` has the question to itself until `lease_until`; others with the same question wait.
    `answered`: `findings` (`{field, value, confidence, observedAt}`) may be reused while it is young enough for who
    asks (`answered_at`), a miss at the longest until `expires_at`; 0.1.0 goes by `expires_at` alone. `opted_out`: the
    person told the provider not to be processed, which holds for everyone until `expires_at`. `is_part`: it brings only
    a part of what was asked, and serves the asking job alone. `pending`:
    `findings` is what came at once; from `due_at` until `expires_at` the job asks for the rest with `token`.
    `maybe_charged`: the question is not asked again by itself before `expires_at`. `delivered` is what the provider
    sent by itself meanwhile, until the job has read it; `delivered_digest` (SHA-256) stays.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    provider = fields.CharField(max_length=64)
    input_key = fields.CharField(max_length=64)  # SHA-256 of the provider's input key
    state = fields.CharField(max_length=16)
    matched = fields.BooleanField(null=True)
    opted_out = fields.BooleanField(null=True)
    is_part = fields.BooleanField(null=True)
    findings = fields.JSONField[list[dict[str, Any]]](null=True)
    detail = fields.TextField(default="")
    asked_by = fields.CharField(max_length=36, null=True)
    fence = fields.BigIntField(null=True)  # of the asking job's lease: a later one of the same job goes before
    answers_since: datetime | None = Instant(null=True)  # no answer that was given before it served the asking job
    reservation_id = fields.CharField(max_length=36, null=True)  # of a call whose answer is pending
    token = fields.TextField(null=True)
    delivered = fields.TextField(null=True)  # JSON
    delivered_digest = fields.CharField(max_length=64, null=True)
    lease_until: datetime | None = Instant(null=True)
    due_at: datetime | None = Instant(null=True)
    answered_at: datetime | None = Instant(null=True)
    expires_at: datetime | None = Instant(null=True)

    class Meta:
        table = "answer"


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A question, and the job that is about to ask it. `input_key` is the SHA-256 of what decides the answer.

    `answers_since`: an answer serves the job that was given after this moment; its own always does. `insists`: a
    person asked for it, also where an earlier call may have been charged. `fence`: of the job's lease; what was leased
    to the same job under a later one is not changed any more.
    """

    organization_id: str
    provider: str
    input_key: str
    job_id: str
    answers_since: datetime = EPOCH
    insists: bool = False
    fence: int = 0

    @property
    def key(self) -> Key:
        return self.organization_id, self.provider, self.input_key


@projection(Answer)
class CachedAnswer:
    """What is known of a question (see `Answer`)."""

    organization_id: str
    provider: str
    input_key: str
    state: AnswerState
    matched: bool | None = None
    findings: list[dict[str, Any]] | None = None
    detail: str = ""
    asked_by: str | None = None
    reservation_id: str | None = None
    token: str | None = None
    delivered: str | None = None
    due_at: datetime | None = None
    answered_at: datetime | None = None
    expires_at: datetime | None = None
    opted_out: bool | None = None
    is_part: bool | None = None

    @property
    def key(self) -> Key:
        return self.organization_id, self.provider, self.input_key

    def serves(self, answers_since: datetime, now: datetime, *, job_id: str | None = None) -> bool:
        """Whether it is an answer that a job need not ask for again: see AnswerKey."""
        if self.state is not AnswerState.ANSWERED or self.answered_at is None or self.expires_at is None:
            return False
        if job_id is not None and self.asked_by == job_id:
            return True
        if self.is_part:
            return False
        if self.opted_out:
            return self.expires_at > now
        return self.answered_at > answers_since and (bool(self.matched) or self.expires_at > now)


@projection(Answer)
class AnswerResult:
    """What became of a question that the job `asked_by` holds: answered, pending, or maybe charged."""

    organization_id: str
    provider: str
    input_key: str
    asked_by: str
    state: AnswerState
    findings: list[dict[str, Any]]
    detail: str
    fence: int = 0
    matched: bool | None = None
    reservation_id: str | None = None
    token: str | None = None
    due_at: datetime | None = None
    answered_at: datetime | None = None
    expires_at: datetime | None = None
    opted_out: bool | None = None
    is_part: bool | None = None
