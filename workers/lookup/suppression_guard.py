"""Between a job and a provider: what must not be asked, and what of an answer must not be heard."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enrichment.decide.merge import Candidate
from enrichment.identity import is_telling, tells
from enrichment.waterfall.planner import SkipReason
from providers.api import LAST_WORD, Question, Withdrawn
from resolvers.suppression.check import Subject
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, ClearanceRequest, ClearanceResult

BARRED = frozenset({SkipReason.SUPPRESSED, SkipReason.WITHDRAWN})


@dataclass(slots=True)
class SendCheck:
    """What stood in the way of a call when it was about to be sent, if anything did."""

    barred: SkipReason | None = None


class SuppressionGuard:
    """Holds back suppressed people, and the questions of jobs that are cancelled or erased. One for each worker."""

    def __init__(self, store: BatchedStore) -> None:
        self._store = store

    async def reason(self, question: Question, job: ClaimedJob) -> SkipReason | None:
        """Why this question must not be asked, as the lists and the job are at this moment."""
        if job.snapshot.found_suppressed:
            return SkipReason.SUPPRESSED
        suspect = Subject(job.organization_id, job.entity_type, question.fields)
        clearance = await self._store.clear(ClearanceRequest(job.lease, suspect))
        return {ClearanceResult.SUPPRESSED: SkipReason.SUPPRESSED, ClearanceResult.WITHDRAWN: SkipReason.WITHDRAWN}.get(
            clearance
        )

    async def withhold(self, question: Question, job: ClaimedJob, candidates: dict[str, Candidate]) -> None:
        """Take out of what was found the values that are suppressed: they are neither kept nor shown.

        Where one is what the next question would be asked with, nobody else is asked.
        """
        entity_type = job.entity_type
        telling = {name: one.value for name, one in candidates.items() if is_telling(entity_type, name)}
        if not telling:
            return
        what = await self._store.suppressed(Subject(job.organization_id, entity_type, telling))
        for name in [name for name, value in telling.items() if what and tells(entity_type, name, value, what)]:
            candidate = candidates.pop(name)
            sure = candidate.confidence >= job.config.minimum(entity_type, name)
            if sure and question.fields.get(name) is None:
                job.snapshot.found_suppressed = True

    @contextmanager
    def watching(self, question: Question, job: ClaimedJob) -> Iterator[SendCheck]:
        """While the block runs, whatever goes over HTTP is looked at once more right before it is sent."""
        watch = SendCheck()

        async def look() -> None:
            watch.barred = await self.reason(question, job)
            if watch.barred is not None:
                raise Withdrawn

        before = LAST_WORD.set(look)
        try:
            yield watch
        finally:
            LAST_WORD.reset(before)
