"""Trust in the sources: people's decisions are counted as judgements when they happen, and read back as trust."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.enums import HUMAN_SOURCES, EntityType
from enrichment.learn.trust import Key, SourceTrust, Trust
from models.conflict.table import Conflict
from models.record.value import CurrentValue
from models.trust import Judgement, ReviewVerdict, trust_counts


async def trust_of(organization_ids: Collection[str]) -> dict[str, Trust]:
    """What each of these organizations has learned, with one query for all."""
    found: dict[str, dict[Key, SourceTrust]] = {organization_id: {} for organization_id in organization_ids}
    for row in await trust_counts(sorted(found)):
        key = (row.provider, row.entity_type, row.field)
        found[row.organization_id][key] = SourceTrust(row.accepted, row.rejected, row.overwritten, row.stated)
    return {organization_id: Trust(by_source) for organization_id, by_source in found.items()}


def judged_in_review(conflict: Conflict, candidates: Sequence[Mapping[str, Any]], chosen: Any) -> list[Judgement]:
    """How a reviewer's choice (None: the field stays empty) judges the sources of a conflict.

    A candidate that means the same as the choice is accepted, any other rejected. The current value, where a
    source gave it, is accepted when it stays and overwritten when it goes.
    """

    def judgement(provider: str, verdict: ReviewVerdict, stated: float) -> Judgement:
        return Judgement(conflict.organization_id, provider, conflict.entity_type, conflict.field, verdict, stated)

    def is_chosen(value: Any) -> bool:
        return not keeps_unreadable(conflict.current, chosen) and is_equivalent(
            conflict.entity_type, conflict.field, value, chosen
        )

    judged = [
        judgement(
            candidate["provider"],
            ReviewVerdict.ACCEPTED if is_chosen(candidate["value"]) else ReviewVerdict.REJECTED,
            stated_confidence(candidate),
        )
        for candidate in candidates
    ]
    current = conflict.current
    if current and current["source"] not in HUMAN_SOURCES:
        verdict = ReviewVerdict.ACCEPTED if is_chosen(current["value"]) else ReviewVerdict.OVERWRITTEN
        judged.append(judgement(current["source"], verdict, current["confidence"]))
    return judged


def keeps_unreadable(current: Mapping[str, Any] | None, chosen: Any) -> bool:
    """Whether a decision keeps what the CRM sent and cannot be read. `current` is a conflict's current value."""
    return current is not None and current.get("unreadable") is not None and chosen == current["value"]


def judged_by_the_crm(
    organization_id: str, entity_type: EntityType, replaced: Mapping[str, CurrentValue]
) -> list[Judgement]:
    """The values of sources that the CRM replaced or cleared: `replaced` has their provenance, by field."""
    return [
        Judgement(organization_id, value.source, entity_type, name, ReviewVerdict.OVERWRITTEN, value.confidence)
        for name, value in replaced.items()
        if value.source not in HUMAN_SOURCES
    ]


def stated_confidence(candidate: Mapping[str, Any]) -> float:
    """The confidence (0-1) that the source of a stored candidate stated itself."""
    stated: float = candidate.get("statedConfidence", candidate["confidence"])
    return stated
