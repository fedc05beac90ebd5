"""How a job ends, by what the providers replied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from enrichment.config import Config
from enrichment.decide.decision import Decision
from enrichment.decide.start import NotStarted
from enrichment.enums import JobStatus, StepOutcome
from enrichment.waterfall.backoff import wait_seconds
from enrichment.waterfall.planner import Want
from enrichment.waterfall.reply import Reply, ReplyError
from enrichment.waterfall.session import WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason

LONGEST_PATIENCE = timedelta(days=1)  # with a provider that keeps telling a job to come back later
SUPPRESSED = ("suppressed", "the record holds an e-mail address, a phone number or a domain that is suppressed")
_OPTED_OUT = ("opted_out", "the person asked a provider not to be processed, so that no other was asked")
_DISABLED = ("disabled", "enrichment is switched off for this entity type")
SHORT = frozenset({SkipReason.INSUFFICIENT_CREDITS, SkipReason.PROVIDER_DAILY_LIMIT})


@dataclass(slots=True)
class JobOutcome:
    """How a job ends, or goes back to wait (`status` pending, with `next_attempt_at`).

    `matched`: whether a source knew the record; None when none answered. `counts`: whether the attempt uses up
    one of the job's.
    """

    status: JobStatus
    matched: bool | None = None
    short_of_credits: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_retryable: bool | None = None
    next_attempt_at: datetime | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a job: the `number`th (1 is the first) of at most `most`, ending `at`.

    `wrote_before`: whether an earlier one wrote a value. `spread` (0 to 1, drawn by the caller) keeps jobs that
    failed together from coming back together.
    """

    number: int
    most: int
    created_at: datetime
    at: datetime
    wrote_before: bool = False
    spread: float = 0.5


def skipped_outcome(reason: NotStarted, config: Config) -> JobOutcome:
    """How a job ends that asks nobody because it may not start."""
    code, message = {
        NotStarted.DISABLED: _DISABLED,
        NotStarted.ENTITY_TYPE_OFF: _DISABLED,
        NotStarted.SUPPRESSED: SUPPRESSED,
        NotStarted.COOLDOWN: ("cooldown", f"enriched within the last {config.cooldown_hours} hours"),
    }[reason]
    return JobOutcome(JobStatus.SKIPPED, error_code=code, error_message=message, error_retryable=False)


def job_outcome(
    session: WaterfallSession, decisions: Mapping[str, Decision], config: Config, attempt: Attempt
) -> JobOutcome:
    """How this attempt ends, once no provider is left to ask."""
    replies = list(session.results.values())
    answered = [reply for reply in replies if reply.outcome.is_answer]
    end = JobOutcome(
        JobStatus.COMPLETED,
        matched=any(reply.outcome is StepOutcome.MATCH for reply in answered) if answered else None,
        short_of_credits=any(reply.skipped in SHORT for reply in replies),
    )
    wrote = attempt.wrote_before or any(decision.write for decision in decisions.values())
    troubles = [reply.error for reply in replies if reply.error is not None]
    waits = [reply.waits_until for reply in replies if reply.waits_until is not None]
    if waits:
        end.status, end.next_attempt_at, end.counts = JobStatus.PENDING, min(waits), False
    elif troubles:
        _fail(end, troubles, config, attempt, wrote=wrote)
    elif end.short_of_credits:
        _blame(end, "insufficient_credits", "there were not enough credits to ask a paid provider", retryable=True)
        end.status = JobStatus.PARTIAL if wrote else JobStatus.FAILED
    elif not answered:
        _skip(end, session, replies)
    elif any(reply.skipped is SkipReason.BUDGET for reply in replies):
        # Else the record would seem enriched, and cool down before whoever was passed by is asked.
        _blame(end, "budget", "the credits that the request allowed were used up before a paid provider was asked")
        end.status = JobStatus.PARTIAL if wrote else JobStatus.SKIPPED
    return end


def _skip(end: JobOutcome, session: WaterfallSession, replies: Sequence[Reply]) -> None:
    end.status = JobStatus.SKIPPED
    reasons = {reply.skipped for reply in replies}
    if SkipReason.SUPPRESSED in reasons:
        _blame(end, *SUPPRESSED)
    elif SkipReason.OPTED_OUT in reasons:
        _blame(end, *_OPTED_OUT)
    elif SkipReason.NOT_ENOUGH_INPUT in reasons:
        _blame(end, "not_enough_input", "the record has nothing that a provider could be asked with")
    elif reasons & {SkipReason.BUDGET, SkipReason.PER_RECORD_MAX}:
        _blame(end, "budget", "the credits allowed for this record or request do not reach")
    elif session.waterfall.sources or all(why is Want.NONE for why in session.waterfall.wants.values()):
        _blame(end, "nothing_to_fill", "no provider could add anything that the policies allow")
    else:
        _blame(end, "no_provider", "no provider is switched on")


def _fail(end: JobOutcome, troubles: Sequence[ReplyError], config: Config, attempt: Attempt, *, wrote: bool) -> None:
    worst = min(troubles, key=lambda trouble: (not trouble.retryable, trouble.code == "rate_limited"))
    _blame(end, worst.code, worst.message, retryable=worst.retryable)
    # A provider's pace is nobody's failure, but does not hold a job for ever.
    end.counts = worst.code != "rate_limited" or attempt.at - attempt.created_at > LONGEST_PATIENCE
    if worst.retryable and (attempt.number < attempt.most or not end.counts):
        waits = [
            wait_seconds(config.backoff, attempt.number, spread=attempt.spread, retry_after=trouble.retry_after_seconds)
            for trouble in troubles
            if trouble.retryable
        ]
        end.status = JobStatus.PENDING
        end.next_attempt_at = attempt.at + timedelta(seconds=max(waits))
    else:
        end.status = JobStatus.PARTIAL if wrote else JobStatus.FAILED


def _blame(end: JobOutcome, code: str, message: str, *, retryable: bool = False) -> None:
    end.error_code, end.error_message, end.error_retryable = code, message, retryable
