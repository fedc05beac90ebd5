"""Trust: what people's decisions teach about a source, field by field.

A source states how sure it is of each value. Where people have judged values of that source and field before,
the statement is corrected: the share that held is estimated from the decisions, with the source's own average
statement as the prior, worth OWN_WEIGHT decisions, and the odds of each statement are moved by as much as the
odds of that average. A source that always states the same figure c is thus believed exactly
(OWN_WEIGHT * c + accepted) / (OWN_WEIGHT + judged), the mean of the Beta posterior; one that is surer of some
values than of others keeps their order. Without history its own figure stands.

The weight is high because people judge disputed values only, which are harder than all that a source says: a
habit shows as a rule to accept (see `enrichment.learn.suggestions`) before it takes a sure source's word away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from enrichment.decide.merge import MOST_CONFIDENCE, Candidate
from enrichment.enums import EntityType
from enrichment.learn import beta
from enrichment.learn.reliability import Reliability
from enrichment.words import field_words

OWN_WEIGHT = 40.0
_LEAST = 0.01  # no average statement counts as more certain than this of either answer


@dataclass(frozen=True, slots=True)
class SourceTrust:
    """How people judged the values that one source gave for one field of one entity type.

    `accepted` and `rejected` in review; `overwritten` by the CRM or a reviewer after enrichment had written them.
    `stated`: the sum of the confidences (0-1) that those values came with, before anything was learned.
    """

    accepted: int = 0
    rejected: int = 0
    overwritten: int = 0
    stated: float = 0.0

    @property
    def judged(self) -> int:
        return self.accepted + self.rejected + self.overwritten

    @property
    def mean(self) -> float:
        """The expected chance (0-1) that people want a value of this source, from their decisions alone."""
        return beta.mean(self.accepted, self.judged - self.accepted)

    @property
    def interval(self) -> tuple[float, float]:
        """Where that chance lies with 95 % probability."""
        return beta.interval(self.accepted, self.judged - self.accepted)

    def believe(self, confidence: float) -> float:
        """What a statement of this confidence (0-1) is worth after what was learned."""
        if not self.judged:
            return confidence
        expected = min(max(self.stated / self.judged, _LEAST), 1.0 - _LEAST)
        learned = (OWN_WEIGHT * expected + self.accepted) / (OWN_WEIGHT + self.judged)
        raised = confidence * learned * (1.0 - expected)
        lowered = (1.0 - confidence) * (1.0 - learned) * expected
        return min(raised / (raised + lowered), MOST_CONFIDENCE)

    def words(self, name: str, field: str) -> str:
        """The figures in words, for the provider of this name; empty where nothing was judged."""
        sentences = []
        reviewed = self.accepted + self.rejected
        if reviewed:
            sentences.append(f"reviewers accepted {name}'s {field_words(field)} {self.accepted} of {reviewed} times")
        if self.overwritten:
            sentences.append(f"{self.overwritten} of its values were overwritten by people later")
        return "; ".join(sentences)


UNJUDGED = SourceTrust()
Key = tuple[str, EntityType, str]  # provider, entity type, field


@dataclass(frozen=True, slots=True)
class Trust:
    """What one organization's people taught about all its sources.

    `reliability`: what its records show of them, and of the CRM, by source; only what is recommended goes by it.
    """

    by_source: Mapping[Key, SourceTrust]
    reliability: Mapping[str, Reliability] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, provider: str, entity_type: EntityType, field: str) -> SourceTrust:
        return self.by_source.get((provider, entity_type, field), UNJUDGED)

    def items(self) -> list[tuple[Key, SourceTrust]]:
        """The trust in every source that was judged, in order of its key."""
        return sorted(self.by_source.items())

    def believed(self, entity_type: EntityType, candidates: Mapping[str, Candidate]) -> dict[str, Candidate]:
        """These candidates, by field, each as confident as it deserves; what its source stated is kept."""
        return {name: self._believed(entity_type, name, candidate) for name, candidate in candidates.items()}

    def _believed(self, entity_type: EntityType, field: str, candidate: Candidate) -> Candidate:
        source = self.of(candidate.provider, entity_type, field)
        if not source.judged:
            return candidate
        confidence = source.believe(candidate.stated)
        return replace(candidate, confidence=confidence, before_trust=candidate.stated)


NO_TRUST = Trust({})
