"""An empty field of which one source gave a value is decided in short, and as any other field is."""

from datetime import UTC, datetime, timedelta

import pytest

from enrichment.config import parse_config
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, FieldOutcomeReason, StepOutcome
from enrichment.waterfall.planner import Want

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RULES = {
    "minConfidence": 0.6,
    "fieldPolicies": {"account": {"default": "review", "fields": {"phone": {"policy": "never"}}}},
}


@pytest.mark.parametrize(
    ("name", "value", "confidence", "reason"),
    [
        ("foundedYear", 1998, 0.8, FieldOutcomeReason.WRITTEN),
        ("foundedYear", 1998, 0.5, FieldOutcomeReason.BELOW_THRESHOLD),
        ("industry", "Technology", 0.8, FieldOutcomeReason.WRITTEN),  # too wide to differ, and not to fill a field
        ("phone", "+492118876543", 0.9, FieldOutcomeReason.PROTECTED),
    ],
)
def test_it_ends_as_a_field_for_which_something_was_turned_down_once(
    name: str, value: object, confidence: float, reason: FieldOutcomeReason
) -> None:
    candidate = Candidate("directory", value, confidence, NOW - timedelta(days=400))
    answer = SourceResult("directory", StepOutcome.MATCH, frozenset({name}), {name: candidate})
    in_short, at_length = (
        decide_fields(
            DecisionInput(
                entity_type=EntityType.ACCOUNT,
                config=parse_config(RULES, ["directory"]),
                current={},
                wants={name: Want.FILL},
                results=[answer],
                rejected=rejected,
                asked_at=NOW,
            )
        )[name]
        for rejected in (None, lambda *_: False)
    )
    assert in_short == at_length
    assert in_short.reason is reason
