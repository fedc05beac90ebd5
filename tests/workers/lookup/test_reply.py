"""What a provider's answer comes to for a job."""

from datetime import UTC, datetime, timedelta

import pytest

from enrichment.enums import EntityType
from providers.api import Answer, Finding, Pending, Question
from tests.support.factories import StandIn
from workers.lookup.reply import reply_of

NOW = datetime(2026, 11, 2, tzinfo=UTC)
QUESTION = Question(EntityType.ACCOUNT, {"domain": "acme.com"}, frozenset({"industry"}))


def observed(observed_at: datetime | None) -> Answer:
    return Answer(matched=True, findings=(Finding("industry", "Software", 0.9, observed_at),))


@pytest.mark.parametrize(
    ("stated", "believed"),
    [
        (NOW + timedelta(days=400), NOW),
        (NOW + timedelta(seconds=1), NOW),
        (NOW - timedelta(days=400), NOW - timedelta(days=400)),
        (None, NOW),
    ],
)
def test_a_source_s_date_in_the_future_is_cut_to_now(stated: datetime | None, believed: datetime) -> None:
    provider = StandIn(gives={EntityType.ACCOUNT: frozenset({"industry"})})
    whole = reply_of(provider, QUESTION, observed(stated), NOW)
    assert whole.candidates["industry"].observed_at == believed
    partial = reply_of(provider, QUESTION, Pending("token", 5.0, so_far=observed(stated)), NOW)
    assert partial.candidates["industry"].observed_at == believed
