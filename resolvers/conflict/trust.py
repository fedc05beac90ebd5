"""Trust in the sources: people's decisions are counted as judgements when they happen, and read back as trust."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from enrichment.catalogue import is_equivalent
from enrichment.enums import HUMAN_SOURCES, EntityType
from enrichment.learn.trust import Key, SourceTrust, Trust
from models.record.value import CurrentValue
from models.trust import Judgement, ReviewVerdict, trust_counts
from resolvers.conflict.stored import ConflictRow, FieldQuestion, questions_of, stated_confidence
from resolvers.reliability import reliability_of


async def trust_of(organization_ids: Collection[str]) -> dict[str, Trust]:
    """What each of these organizations has learned, with two queries for all."""
    found: dict[str, dict[Key, SourceTrust]] = {organization_id: {} for organization_id in organization_ids}
    for row in await trust_counts(sorted(found)):
        key = (row.provider, row.entity_type, row.field)
        found[row.organization_id][key] = SourceTrust(row.accepted, row.rejected, row.overwritten, row.stated)
    reliability = await reliability_of(found)
    return {
        organization_id: Trust(by_source, reliability[organization_id]) for organization_id, by_source in found.items()
    }


class JudgedConflict(ConflictRow, Protocol):
    """A conflict whose decision judges its sources."""

    @property
    def organization_id(self) -> str: ...


def judged_in_review(conflict: JudgedConflict, chosen: Mapping[str, Any]) -> list[Judgement]:
    """How a reviewer's choice judges the sources of a conflict; `chosen` has the value of each field, None: none.

    A candidate that means the same as the choice is accepted, any other rejected. The current value, where a
    source gave it, is accepted when it stays and overwritten when it goes. A part of a unit in which nobody says
    otherwise than the record judges nobody.
    """
    return [
        judgement
        for question in questions_of(conflict)
        if question.is_asked and question.field in chosen
        for judgement in _judged(conflict, question, chosen[question.field])
    ]


def _judged(conflict: JudgedConflict, question: FieldQuestion, chosen: Any) -> Iterator[Judgement]:
    def judgement(provider: str, verdict: ReviewVerdict, stated: float) -> Judgement:
        return Judgement(conflict.organization_id, provider, conflict.entity_type, question.field, verdict, stated)

    for candidate in question.candidates:
        accepted = is_chosen(conflict.entity_type, question, candidate["value"], chosen)
        verdict = ReviewVerdict.ACCEPTED if accepted else ReviewVerdict.REJECTED
        yield judgement(candidate["provider"], verdict, stated_confidence(candidate))
    current = question.current
    if current and current["source"] not in HUMAN_SOURCES:
        stays = is_chosen(conflict.entity_type, question, current["value"], chosen)
        verdict = ReviewVerdict.ACCEPTED if stays else ReviewVerdict.OVERWRITTEN
        yield judgement(current["source"], verdict, current["confidence"])


def is_chosen(entity_type: EntityType, question: FieldQuestion, value: Any, chosen: Any) -> bool:
    """Whether a value means the same as what was chosen for its field (None: nothing was)."""
    return not keeps_unreadable(question.current, chosen) and is_equivalent(entity_type, question.field, value, chosen)


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
