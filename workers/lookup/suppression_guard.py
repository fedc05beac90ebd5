"""Between a job and a provider: which questions must not be asked, and which found values must not be used."""

from dataclasses import dataclass

from enrichment.identity import holds_identifier, is_identifier_field
from enrichment.waterfall.skip_reason import SkipReason
from providers.api import Question, Withdrawn
from resolvers.erasure.kept_out import ProposedValues
from resolvers.suppression.check import Subject
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, ClearanceRequest, ClearanceResult
from workers.lookup.reply import LookupReply, skipped

_SKIP_REASONS = {
    ClearanceResult.SUPPRESSED: SkipReason.SUPPRESSED,
    ClearanceResult.WITHDRAWN: SkipReason.WITHDRAWN,
}


class SuppressionGuard:
    """Holds back suppressed and erased people, and the questions of jobs that are cancelled or erased.

    One for each worker.
    """

    def __init__(self, store: BatchedStore) -> None:
        self._store = store

    async def blocked(self, question: Question, job: ClaimedJob) -> LookupReply | None:
        """The reply to a question that must not be asked; None where it may, as lists and job are at this moment."""
        if job.found_suppressed:
            return skipped(SkipReason.SUPPRESSED)
        subject = Subject(job.organization_id, job.entity_type, question.fields, job.record.raw)
        clearance = await self._store.clear(ClearanceRequest(job.lease, subject))
        return skipped(_SKIP_REASONS[clearance]) if clearance in _SKIP_REASONS else None

    async def withhold(self, question: Question, job: ClaimedJob, reply: LookupReply) -> LookupReply:
        """The reply without the values that are suppressed, or would bring an erased person back.

        They are neither stored nor shown. Where one that is suppressed is what the next question would be asked with,
        no other provider is asked.
        """
        await self._withhold_suppressed(question, job, reply)
        await self._withhold_erased(question, job, reply)
        return reply

    async def _withhold_erased(self, question: Question, job: ClaimedJob, reply: LookupReply) -> None:
        values = {name: candidate.value for name, candidate in reply.candidates.items()}
        if not values or not job.has_erased:
            return  # who is erased meanwhile is found when the result is written
        found = await self._store.kept_out(
            ProposedValues(job.organization_id, job.entity_type, question.fields, values)
        )
        job.keep_out(values, found)
        reply.withheld |= {name for name, value in values.items() if job.keeps_out(name, value)}
        for name in reply.withheld:
            reply.candidates.pop(name, None)

    async def _withhold_suppressed(self, question: Question, job: ClaimedJob, reply: LookupReply) -> None:
        entity_type, candidates = job.entity_type, reply.candidates
        telling = {name: found.value for name, found in candidates.items() if is_identifier_field(entity_type, name)}
        if not telling:
            return
        suppressed = await self._store.suppressed(Subject(job.organization_id, entity_type, telling))
        if not suppressed:
            return
        for name, value in telling.items():
            if not holds_identifier(entity_type, name, value, suppressed):
                continue
            candidate = candidates.pop(name)
            confident = candidate.confidence >= job.config.minimum(entity_type, name)
            if confident and question.fields.get(name) is None:
                job.found_suppressed = True


@dataclass(slots=True)
class SendCheck:
    """A question's `before_send`: it asks the guard once more right before anything is sent.

    `blocked` is the guard's reply, once it stood in the way of sending.
    """

    guard: SuppressionGuard
    question: Question
    job: ClaimedJob
    blocked: LookupReply | None = None

    async def __call__(self) -> None:
        self.blocked = await self.guard.blocked(self.question, self.job)
        if self.blocked is not None:
            raise Withdrawn


def is_blocked(reply: LookupReply) -> bool:
    """Whether the guard stood in the way of this question."""
    return reply.skipped in _SKIP_REASONS.values()
