"""Survivorship: from what several sources say of one field, the value to believe and how much.

Sources that say the same are counted together: the confidence in a value is one minus the chance that all of its
sources are wrong, each taken as independent. It never reaches certainty. A source that saw the value earlier than the
last of them counts by the chance that it held until then.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.decide.belief import Decay
from enrichment.enums import EntityType
from enrichment.learn.freshness import freshness
from enrichment.normalize.contact.url import registrable_domain

MOST_CONFIDENCE = 0.99
Same = Callable[[Any, Any], bool]


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class Candidate:
    """One source's value for one field. `value` is canonical; `confidence` is 0 to 1, trust included.

    `confidence` is that of the moment of the observation, before any decay. `before_trust` is the confidence before
    what people's decisions taught (None: they taught nothing). `earlier` is the value as earlier versions wrote it,
    where that is another: what was decided on it then counts. `raw` is the value as the source gave it, where what it
    means depends on the record's country.
    """

    provider: str
    value: Any
    confidence: float
    observed_at: datetime
    before_trust: float | None = None
    earlier: Any = field(default=None, compare=False)
    raw: Any = field(default=None, compare=False)

    @property
    def observed_at_known(self) -> bool:
        """A source that does not date its answer says what holds when it is asked."""
        return True

    @property
    def stated(self) -> float:
        """How confident the source itself is, 0 to 1."""
        return self.confidence if self.before_trust is None else self.before_trust


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class Proposal:
    """The value that survives: from its most believed source, with all that support it (best first).

    `confidence` is that of all of them at `observed_at`, when the last of them saw it; `freshness` (0-1) the chance
    that it holds still.
    """

    value: Any
    confidence: float
    observed_at: datetime
    support: tuple[Candidate, ...]
    freshness: float = 1.0

    @property
    def belief(self) -> float:
        """How much (0-1) the value is believed at the moment of the decision."""
        return self.confidence * self.freshness

    @property
    def observed_at_known(self) -> bool:
        """What a source observed is never of unknown age."""
        return True

    @property
    def provider(self) -> str:
        return self.support[0].provider


def agreed_confidence(confidences: Sequence[float]) -> float:
    """Belief (0 to 0.99) in a value that independent sources give with these confidences."""
    doubt = 1.0
    for confidence in confidences:
        doubt *= 1.0 - confidence
    return min(1.0 - doubt, max(MOST_CONFIDENCE, *confidences)) if confidences else 0.0


def survivors(candidates: Sequence[Candidate], is_equivalent: Same, decay: Decay | None = None) -> list[Proposal]:
    """The different values among `candidates`, most believed first.

    `decay` is how values of the field age (None: they do not). `candidates` come in order of priority, which decides
    between equals: of values that their sources were as sure of, the one that was observed later is no equal. A source
    counts once for a value. A value joins those that it is the same as, each of them: a range holds 60 and 150, which
    are not one.
    """
    if len(candidates) == 1:
        return [alone(candidates[0], decay)]
    groups: list[list[Candidate]] = []
    for candidate in candidates:
        group = next(
            (group for group in groups if all(is_equivalent(other.value, candidate.value) for other in group)), None
        )
        if group is None:
            groups.append([candidate])
        elif all(other.provider != candidate.provider for other in group):
            group.append(candidate)
    proposals = [_proposal(group, decay) for group in groups]
    proposals.sort(key=lambda proposal: -proposal.belief)  # stable: priority decides between equals
    return proposals


_ADDRESSES = frozenset({"domain", "companyDomain", "website"})  # each tells the others


def discount(
    entity_type: EntityType,
    candidates: Mapping[str, Candidate],
    asked_with: Mapping[str, Any],
    borrowed: Mapping[str, float],
) -> dict[str, Candidate]:
    """What a source says that was asked with identifiers which other sources had found.

    `borrowed` maps those identifiers to their confidence. A source that gives one back, or another form of the
    same address, is an echo and no second opinion; all else it says is believed no more than they are.
    """
    belief = max(borrowed.values())
    return {
        name: replace(
            candidate,
            confidence=candidate.confidence * belief,
            before_trust=None if candidate.before_trust is None else candidate.before_trust * belief,
        )
        for name, candidate in candidates.items()
        if not _is_echo(entity_type, name, candidate.value, asked_with, borrowed)
    }


def _is_echo(
    entity_type: EntityType, name: str, value: Any, asked_with: Mapping[str, Any], borrowed: Mapping[str, float]
) -> bool:
    if name in borrowed:
        return is_equivalent(entity_type, name, value, asked_with.get(name))
    if name not in _ADDRESSES:
        return False
    domain = registrable_domain(value) if isinstance(value, str) else None
    borrowed_ids = [
        asked_with[other] for other in borrowed.keys() & _ADDRESSES if isinstance(asked_with.get(other), str)
    ]
    return domain is not None and any(registrable_domain(other) == domain for other in borrowed_ids)


def alone(candidate: Candidate, decay: Decay | None = None) -> Proposal:
    """What survives of a single candidate: as of several, in short, because most values come from one source."""
    return Proposal(
        candidate.value,
        agreed_confidence((candidate.confidence,)),
        candidate.observed_at,
        (candidate,),
        1.0 if decay is None else freshness(candidate.observed_at, decay.now, decay.half_life_days),
    )


def _proposal(group: list[Candidate], decay: Decay | None) -> Proposal:
    if len(group) == 1:
        return alone(group[0], decay)
    half_life_days = math.inf if decay is None else decay.half_life_days
    last = max(candidate.observed_at for candidate in group)
    believed = {
        candidate.provider: candidate.confidence * freshness(candidate.observed_at, last, half_life_days)
        for candidate in group
    }
    support = tuple(sorted(group, key=lambda candidate: -believed[candidate.provider]))
    return Proposal(
        value=support[0].value,
        confidence=agreed_confidence([believed[candidate.provider] for candidate in support]),
        observed_at=last,
        support=support,
        freshness=1.0 if decay is None else freshness(last, decay.now, half_life_days),
    )
