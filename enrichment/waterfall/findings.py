"""Candidates in the form in which a cached answer keeps them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from enrichment.decide.merge import Candidate


def finding_json(name: str, candidate: Candidate) -> dict[str, Any]:
    """A field's candidate as JSON: `{field, value, confidence, observedAt}`, and `earlier` and `raw` if it has them."""
    found = {
        "field": name,
        "value": candidate.value,
        "confidence": candidate.confidence,
        "observedAt": candidate.observed_at.isoformat(),
    }
    more = {"earlier": candidate.earlier, "raw": candidate.raw}
    return found | {key: value for key, value in more.items() if value is not None}


def read_findings(source: str, findings: Iterable[Mapping[str, Any]]) -> dict[str, Candidate]:
    """A source's candidates by field, from what `finding_json` made of them."""
    return {
        finding["field"]: Candidate(
            source,
            finding["value"],
            finding["confidence"],
            datetime.fromisoformat(finding["observedAt"]),
            earlier=finding.get("earlier"),
            raw=finding.get("raw"),
        )
        for finding in findings
    }
