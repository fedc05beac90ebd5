"""Between a job and a provider: which questions must not be asked, and which found values must not be used."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from enrichment.identity import holds_identifier, is_identifier_field
from enrichment.waterfall.skip_reason import SkipReason
from providers.api import NotSent, Question, Withdrawn
from resolvers.erasure.kept_out import ProposedValues
from resolvers.suppression.check import Subject
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, ClearanceRequest, ClearanceResult
from workers.lookup.reply import LookupReply, skipped

_SKIP_REASONS = {
    ClearanceResult.SUPPRESSED: SkipReason.SUPPRESSED,
    ClearanceResult.WITHDRAWN: SkipReason.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A reply to a job's question, with values that may have to be withheld."""

    question: Question
    job: ClaimedJob
    reply: LookupReply


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
        return _blocked(await self._store.clear(_request(question, job)))

    async def blocked_of(self, asked: Sequence[tuple[Question, ClaimedJob]]) -> list[LookupReply | None]:
        """The same for many questions, with one look at the jobs and lists."""
        results = await self._store.clear_all([_request(question, job) for question, job in asked])
        return [
            skipped(SkipReason.SUPPRESSED) if job.found_suppressed else _blocked(result)
            for (_, job), result in zip(asked, results, strict=True)
        ]

    async def withhold(self, found: Sequence[Found]) -> None:
        """Take from these replies the values that are suppressed, or would bring an erased person back.

        They are neither stored nor shown. Where one that is suppressed is what the next question would be asked with,
        no other provider is asked.
        """
        await self._withhold_suppressed([item for item in found if item.reply.candidates])
        await self._withhold_erased([item for item in found if item.reply.candidates])

    async def _withhold_erased(self, found: Sequence[Found]) -> None:
        proposed = [(item, _values(item)) for item in found if item.job.has_erased]
        if not proposed:
            return  # who is erased meanwhile is found when the result is written
        kept_out = await self._store.kept_out(
            [
                ProposedValues(item.job.organization_id, item.question.entity_type, item.question.fields, values)
                for item, values in proposed
            ]
        )
        for (item, values), fields in zip(proposed, kept_out, strict=True):
            job, reply = item.job, item.reply
            if item.question.entity_type is job.entity_type:
                job.keep_out(values, fields)
                reply.withheld |= {name for name, value in values.items() if job.keeps_out(name, value)}
            else:
                reply.withheld |= fields.keys()
            for name in reply.withheld:
                reply.candidates.pop(name, None)

    async def _withhold_suppressed(self, found: Sequence[Found]) -> None:
        telling = list(_telling(found))
        if not telling:
            return
        listed = await self._store.suppressed([subject for _, subject in telling])
        for (item, subject), suppressed in zip(telling, listed, strict=True):
            job, candidates = item.job, item.reply.candidates
            for name, value in subject.fields.items() if suppressed else ():
                if not holds_identifier(subject.entity_type, name, value, suppressed):
                    continue
                candidate = candidates.pop(name)
                confident = candidate.confidence >= job.config.minimum(subject.entity_type, name)
                if confident and item.question.fields.get(name) is None:
                    job.found_suppressed = True


def _request(question: Question, job: ClaimedJob) -> ClearanceRequest:
    fields = question.fields
    if question.entity_type is not job.entity_type:
        # About the company of a person: of who is on a list nobody is asked that either.
        fields = {**job.record.state.fields, "companyDomain": question.fields.get("domain")}
    subject = Subject(job.organization_id, job.entity_type, fields, job.record.raw)
    return ClearanceRequest(job.lease, subject)


def _blocked(result: ClearanceResult) -> LookupReply | None:
    return skipped(_SKIP_REASONS[result]) if result in _SKIP_REASONS else None


def _values(found: Found) -> dict[str, object]:
    return {name: candidate.value for name, candidate in found.reply.candidates.items()}


def _telling(found: Sequence[Found]) -> Iterator[tuple[Found, Subject]]:
    """Those replies that hold identifiers, each with these."""
    for item in found:
        entity_type, candidates = item.question.entity_type, item.reply.candidates
        fields = {name: found.value for name, found in candidates.items() if is_identifier_field(entity_type, name)}
        if fields:
            yield item, Subject(item.job.organization_id, entity_type, fields)


@dataclass(slots=True)
class SendCheck:
    """A question's `before_send`: it asks the guard once more right before anything is sent.

    `blocked` is the guard's reply, once it stood in the way of sending; `passed` is called each time that it did not.
    """

    guard: SuppressionGuard
    question: Question
    job: ClaimedJob
    passed: Callable[[], None]
    blocked: LookupReply | None = None

    async def __call__(self) -> None:
        try:
            self.blocked = await self.guard.blocked(self.question, self.job)
        except Exception as error:
            raise NotSent from error
        if self.blocked is not None:
            raise Withdrawn
        self.passed()


def is_blocked(reply: LookupReply) -> bool:
    """Whether the guard stood in the way of this question."""
    return reply.skipped in _SKIP_REASONS.values()
