"""How long a job goes on after providers that could not answer, and how it ends then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from enrichment.config import Config
from enrichment.decide.job_outcome import LONGEST_PATIENCE, Attempt, JobOutcome, job_outcome
from enrichment.enums import EntityType, JobStatus, JobTrigger, StepOutcome
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, WaterfallSession

CREATED = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Trouble:
    code: str
    message: str = "later"
    retryable: bool = True
    retry_after_seconds: float | None = None


def outcome(trouble: Trouble, *, number: int = 1, most: int = 5, age: timedelta = timedelta()) -> JobOutcome:
    """How a job ends whose only provider failed so, at its `number`th of `most` attempts and this age."""
    subject = JobContext(
        entity_type=EntityType.ACCOUNT,
        config=Config(),
        trigger=JobTrigger.RECORD_CREATED,
        forced=False,
        fields={"domain": "acme.com"},
        current={},
        rejected=frozenset(),
        asked_at=CREATED,
    )
    session = WaterfallSession(subject, [Source("a", frozenset({"industry"}), 0)])
    session.next_question()
    session.record_reply("a", Reply(StepOutcome.ERROR, error=trouble))
    return job_outcome(session, session.decide(), Config(), Attempt(number, most, CREATED, CREATED + age))


def test_waiting_for_a_providers_rate_limit_uses_up_no_attempt_for_a_day() -> None:
    waits = outcome(Trouble("rate_limited"), number=5, most=5, age=LONGEST_PATIENCE)
    assert (waits.status, waits.counts) == (JobStatus.PENDING, False)


def test_after_a_day_of_rate_limits_attempts_count_and_the_last_one_fails_the_job() -> None:
    late = LONGEST_PATIENCE + timedelta(seconds=1)
    again = outcome(Trouble("rate_limited"), number=4, most=5, age=late)
    assert (again.status, again.counts) == (JobStatus.PENDING, True)
    last = outcome(Trouble("rate_limited"), number=5, most=5, age=late)
    assert (last.status, last.error_code, last.next_attempt_at) == (JobStatus.FAILED, "rate_limited", None)


@pytest.mark.parametrize(("retryable", "status"), [(True, JobStatus.PENDING), (False, JobStatus.FAILED)])
def test_a_job_tries_again_only_after_a_failure_that_may_pass(retryable: bool, status: JobStatus) -> None:
    end = outcome(Trouble("unavailable", retryable=retryable))
    assert (end.status, end.counts, end.error_retryable) == (status, True, retryable)


def test_the_next_attempt_is_not_before_the_moment_that_the_provider_names() -> None:
    end = outcome(Trouble("rate_limited", retry_after_seconds=3600.0))
    assert end.next_attempt_at == CREATED + timedelta(hours=1)
