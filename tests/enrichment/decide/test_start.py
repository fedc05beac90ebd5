"""Why no job starts for a record: one rule, and how a job that may not start ends."""

from datetime import UTC, datetime, timedelta

import pytest

from enrichment.config import Config, EntityTypes
from enrichment.decide.job_outcome import skipped_outcome
from enrichment.decide.start import NotStarted, why_not_started
from enrichment.enums import EntityType, JobStatus

AT = datetime(2026, 3, 1, tzinfo=UTC)


def why(config: Config, *, forced: bool = False, last: datetime | None = None, suppressed: bool = False) -> str | None:
    return why_not_started(config, EntityType.LEAD, forced=forced, last_enriched_at=last, at=AT, suppressed=suppressed)


def test_a_record_cools_down_for_the_hours_of_the_config_unless_the_request_is_forced() -> None:
    config = Config(cooldown_hours=24)
    assert why(config, last=AT - timedelta(hours=23, minutes=59)) is NotStarted.COOLDOWN
    assert why(config, last=AT - timedelta(hours=24)) is None
    assert why(config, last=AT, forced=True) is None
    assert why(config) is None


def test_force_lifts_the_cooldown_alone() -> None:
    assert why(Config(enabled=False), forced=True) is NotStarted.DISABLED
    assert why(Config(entity_types=EntityTypes(lead=False)), forced=True) is NotStarted.ENTITY_TYPE_OFF
    assert why(Config(), forced=True, suppressed=True) is NotStarted.SUPPRESSED


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (NotStarted.DISABLED, "disabled"),
        (NotStarted.ENTITY_TYPE_OFF, "disabled"),
        (NotStarted.SUPPRESSED, "suppressed"),
        (NotStarted.COOLDOWN, "cooldown"),
    ],
)
def test_a_job_that_may_not_start_is_skipped_and_says_why(reason: NotStarted, code: str) -> None:
    outcome = skipped_outcome(reason, Config())
    assert (outcome.status, outcome.error_code, outcome.error_retryable) == (JobStatus.SKIPPED, code, False)
