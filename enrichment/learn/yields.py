"""What asking a source is likely to bring: how often it knows a record, and how often it then fills what is lacking.

Both are learned from the organization's last decisions, with a prior that counts like a few of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType, StepOutcome
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.waterfall.yields import SourceYield, Yields

LOOKED_AT = 300  # decisions of an organization, the last ones


@dataclass(slots=True)
class _Tally:
    answered: int = 0
    matched: int = 0
    lacking: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


def learned_yields(snapshots: Iterable[DecisionSnapshot]) -> dict[EntityType, Yields]:
    """What these decisions teach, by entity type; leads and contacts are people, and teach together.

    An answer that was kept from another job says nothing new of how often a source knows a record.
    """
    people: defaultdict[str, _Tally] = defaultdict(_Tally)
    tallies = {
        EntityType.LEAD: people,
        EntityType.CONTACT: people,
        EntityType.ACCOUNT: defaultdict[str, _Tally](_Tally),
    }
    for snapshot in snapshots:
        _count(snapshot, tallies[snapshot.entity_type])
    return {
        kind: Yields(
            {
                source: SourceYield(tally.answered, tally.matched, dict(tally.lacking), dict(tally.found))
                for source, tally in of_kind.items()
            }
        )
        for kind, of_kind in tallies.items()
    }


def _count(snapshot: DecisionSnapshot, tallies: defaultdict[str, _Tally]) -> None:
    values: Mapping[str, Any] = snapshot.state.fields
    lacking = {
        known.name
        for known in fields_of(snapshot.entity_type).values()
        if known.enrichable and values.get(known.name) is None
    }
    for source, given in snapshot.replies.items():
        reply = given.reply
        if not reply.outcome.is_answer:
            continue
        tally, is_match = tallies[source], reply.outcome is StepOutcome.MATCH
        if not reply.reused:
            tally.answered += 1
            tally.matched += is_match
        if is_match:
            tally.lacking.update(lacking)
            tally.found.update(lacking & reply.candidates.keys())
            lacking -= reply.candidates.keys()
