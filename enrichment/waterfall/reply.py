"""What asking one source came to. A worker's replies are of a class of their own, made of this one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from enrichment.decide.merge import Candidate
from enrichment.enums import AnsweredQuestion, StepOutcome
from enrichment.waterfall.skip_reason import SkipReason


class ReplyError(Protocol):
    """Why a source could not answer. `retryable`: the same question may work later."""

    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def retryable(self) -> bool: ...

    @property
    def retry_after_seconds(self) -> float | None: ...


@dataclass(slots=True)
class Reply:
    """What asking one source came to.

    `key` stands for all that the answer depends on: two questions of a source with the same key have the same
    answer. `reused`: it is a cached answer to an earlier question. `waits_until`: the answer is not there yet,
    and the job goes on then. `withheld`: the fields whose values would have brought an erased person back. `answered`:
    of two replies in one, of which the other failed, the question that was answered; the outcome speaks for all
    otherwise.
    """

    outcome: StepOutcome
    candidates: dict[str, Candidate] = field(default_factory=dict)
    skipped: SkipReason | None = None
    detail: str = ""
    latency_ms: int | None = None
    credits: int = 0
    error: ReplyError | None = None
    waits_until: datetime | None = None
    key: str | None = None
    reused: bool = False
    withheld: frozenset[str] = frozenset()
    answered: AnsweredQuestion | None = None

    @property
    def is_paid_match(self) -> bool:
        """Whether it is a match that cost credits, or a kept one that others paid for."""
        return self.outcome is StepOutcome.MATCH and (self.credits > 0 or self.reused)

    @property
    def was_asked(self) -> bool:
        """Whether the source counts as asked; in a replay or preview also where nobody knows what it would say."""
        if self.outcome is StepOutcome.SKIPPED:
            return self.skipped is SkipReason.UNKNOWN
        return self.error is None or self.error.code != "circuit_open"


def of_one_provider(of_record: Reply, of_company: Reply) -> Reply:
    """The replies of one provider, about a record and about its company, as one.

    An answer that is waited for goes first, then a match, a failure, and an answer without a match. Of two values for a
    field the more confident stays. A failure beside an answer stays as the error, with which of the two was answered.
    """
    replies = sorted((of_record, of_company), key=_rank)
    answered = _answered(of_record, of_company)
    shown = [reply.detail for reply in (of_record, of_company) if answered is None or reply.error is None]
    candidates = dict(of_record.candidates)
    for name, candidate in of_company.candidates.items():
        before = candidates.get(name)
        if before is None or candidate.confidence > before.confidence:
            candidates[name] = candidate
    latencies = [reply.latency_ms for reply in replies if reply.latency_ms is not None]
    return Reply(
        replies[0].outcome,
        candidates=candidates,
        skipped=replies[0].skipped,
        detail="; ".join(dict.fromkeys(filter(None, shown))),
        latency_ms=sum(latencies) if latencies else None,
        credits=sum(reply.credits for reply in replies),
        error=next((reply.error for reply in replies if reply.error is not None), None),
        waits_until=replies[0].waits_until,
        key=replies[0].key,
        reused=all(reply.reused for reply in replies if reply.outcome.is_answer),
        withheld=of_record.withheld | of_company.withheld,
        answered=answered,
    )


def _answered(of_record: Reply, of_company: Reply) -> AnsweredQuestion | None:
    if of_record.outcome.is_answer and of_company.error is not None:
        return AnsweredQuestion.RECORD
    if of_company.outcome.is_answer and of_record.error is not None:
        return AnsweredQuestion.COMPANY
    return None


def _rank(reply: Reply) -> int:
    if reply.waits_until is not None:
        return 0
    return {StepOutcome.MATCH: 1, StepOutcome.ERROR: 2, StepOutcome.NO_MATCH: 3}.get(reply.outcome, 4)
