"""What asking a source is likely to bring: how often it knows a record, and how often it then fills what is lacking.

Both are learned from the organization's last decisions, with a prior that counts like a few of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType, StepOutcome
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.yields import LATER, SourceYield, Yields

LOOKED_AT = 300  # decisions of an organization, the last ones


class Decided(NamedTuple):
    """What one decision shows of its sources: the record's values as it found them, and by source what was replied."""

    entity_type: EntityType
    fields: Mapping[str, Any]
    replies: Mapping[str, Reply]


@dataclass(slots=True)
class _Tally:
    answered: int = 0
    matched: int = 0
    lacking: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


def learned_yields(decisions: Iterable[Decided]) -> dict[EntityType, Yields]:
    """What these decisions teach, by entity type; leads and contacts are people, and teach together.

    An answer that was kept from another job says nothing new of how often a source knows a record.
    """
    people: defaultdict[str, _Tally] = defaultdict(_Tally)
    tallies = {
        EntityType.LEAD: people,
        EntityType.CONTACT: people,
        EntityType.ACCOUNT: defaultdict[str, _Tally](_Tally),
    }
    for decided in decisions:
        _count(decided, tallies[decided.entity_type])
    return {
        kind: Yields(
            {
                source: SourceYield(tally.answered, tally.matched, dict(tally.lacking), dict(tally.found))
                for source, tally in of_kind.items()
            }
        )
        for kind, of_kind in tallies.items()
    }


def _count(decided: Decided, tallies: defaultdict[str, _Tally]) -> None:
    lacking = {
        known.name
        for known in fields_of(decided.entity_type).values()
        if known.enrichable and decided.fields.get(known.name) is None
    }
    later = False
    for source, reply in decided.replies.items():
        if not reply.outcome.is_answer:
            continue
        tally, is_match = tallies[source], reply.outcome is StepOutcome.MATCH
        if not reply.reused:
            tally.answered += 1
            tally.matched += is_match
        if is_match:
            filled = tallies[source + LATER] if later else tally
            filled.lacking.update(lacking)
            filled.found.update(lacking & reply.candidates.keys())
            lacking -= reply.candidates.keys()
            later = later or reply.is_paid_match
