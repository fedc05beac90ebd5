"""What the decision about one field depends on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.config import ReviewRule, Rule
from enrichment.decide.belief import Decay, Observed
from enrichment.decide.edition import LATEST, Edition
from enrichment.decide.merge import Proposal, Same
from enrichment.enums import SOURCE_REVIEWER, Strategy
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.provenance import Current
from enrichment.recommend.record import RecordAround
from enrichment.words import NameOf, source_name


def _never(a: Any, b: Any) -> bool:
    return False


@dataclass(slots=True)  # not frozen, which makes it in a third of the time: every field of every record has one
class FieldCase:
    """All that a decision about one field depends on.

    `name` is the field's. `proposals` are the surviving values, most believed first; `minimum` is the least confidence
    to write. `asked_at` is when the sources were asked: a person's edit after that is newer than any of their answers,
    and ages are counted up to then. `half_life_days` is the field's, infinite where age does not count.
    `rejected(value, source)` tells whether a reviewer turned this value of this source down before; None: nothing
    was turned down. `rules()` are the review rules about the field, `trust_in(provider)` tells how people judged its
    values of a provider. `is_contradiction` tells whether two values differ so much that a source which is unsure of
    its own still contradicts the other. `name_of(source)` names the CRM, a reviewer or a provider in a sentence.
    `around()` is the rest of the record with all that the sources said of it.
    """

    rule: Rule
    minimum: float
    strategy: Strategy
    current: Current | None
    proposals: Sequence[Proposal]
    is_equivalent: Same
    rejected: Callable[[Any, str], bool] | None
    asked_at: datetime
    name: str = "value"
    rules: Callable[[], Sequence[ReviewRule]] = tuple
    trust_in: Callable[[str], SourceTrust] = lambda _: UNJUDGED
    is_contradiction: Same = _never
    half_life_days: float = math.inf
    name_of: NameOf = source_name
    edition: Edition = LATEST
    around: Callable[[], RecordAround] = RecordAround

    @property
    def now(self) -> datetime:
        """The moment up to which ages are counted: an answer that came while the job ran is as new as can be."""
        return self.asked_at

    @property
    def decay(self) -> Decay:
        """How the values of the field age."""
        return Decay(self.now, self.half_life_days)

    def belief(self, held: Observed) -> float:
        """How much (0-1) a candidate, a proposal or the current value is believed now."""
        return self.decay.belief(held)

    def confirms(self, value: Any) -> bool:
        """Whether a value means the same as the current one; what cannot be read means the same as no other."""
        current = self.current
        return current is not None and current.unreadable is None and self.is_equivalent(current.value, value)

    @property
    def may_replace(self) -> bool:
        """Whether the current value may give way without a person."""
        chosen_by_hand = self.current is not None and self.current.source == SOURCE_REVIEWER
        return not chosen_by_hand and not self.edited_meanwhile

    @property
    def edited_meanwhile(self) -> bool:
        """Whether a person changed the field after the sources were asked."""
        current = self.current
        if current is None or not current.is_a_persons:
            return False
        by_arrival = self.edition < Edition.OBSERVATION or not current.observed_at_known
        return (current.written_at if by_arrival else current.observed_at) > self.asked_at

    @property
    def seen_at(self) -> datetime | None:
        """When the current value was observed last, or set; None where there is none, or nobody knows."""
        return None if self.current is None else self.current.seen_at

    def is_outdated(self, proposal: Proposal) -> bool:
        """Whether the current value was observed, or set, after what the sources of this proposal saw."""
        seen_at = self.seen_at
        return seen_at is not None and proposal.observed_at < seen_at
