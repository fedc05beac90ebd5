"""The candidates of a step as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enrichment.decide.merge import Candidate
from resolvers.conflict.stored import stated_confidence


def candidate_json(candidate: Candidate, name: str) -> dict[str, Any]:
    """A candidate for the field `name` as a step stores it. `observedAt` is in ISO 8601."""
    return {
        "field": name,
        "value": candidate.value,
        "confidence": candidate.confidence,
        "statedConfidence": candidate.stated,
        "observedAt": candidate.observed_at.isoformat().replace("+00:00", "Z"),
    }


def read_candidate(provider: str, stored: Mapping[str, Any]) -> Candidate:
    """A candidate as `candidate_json` wrote it."""
    observed_at = datetime.fromisoformat(stored["observedAt"])
    return Candidate(provider, stored["value"], stored["confidence"], observed_at, stated_confidence(stored))
