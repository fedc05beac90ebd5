"""What is recommended for the CRM's values in records whose right answers are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, Recommendation
from enrichment.learn.agreement import estimate
from enrichment.learn.reliability import Compared
from enrichment.learn.trust import NO_TRUST
from enrichment.provenance import Current
from enrichment.recommend.compare import compare
from service.score.conflicts import wrong_fields
from service.score.disputes import Answered, Disputed, dispute
from service.score.recommendations import RecommendationScore, RecommendationTally
from service.score.trial import Outcome

Row = Mapping[str, str]
FITTED, UNSEEN = "known records, fitted on", "known records, not fitted on"
LEARNED = "not fitted on, sources learned"
_LEARNED_BY = 600  # decisions, as many as an organization's estimate reads


def is_fitted_on(record_id: str) -> bool:
    """Whether the numbers of the recommendation were fitted on the record: half of those with known answers."""
    return record_id[-1:] in {"0", "2", "4", "6", "8"}


def note_known(
    score: RecommendationScore, record_id: str, outcome: Outcome, truth: Row, answers: Mapping[str, Sequence[Any]]
) -> None:
    """Count what is recommended for the values of one record. `answers` are the right values by field, where known.

    A value is wrong where the truth says so, or where it means none of the right ones. What to take in its place is
    known where there is a right answer; where the truth says only that it is wrong, any other value is right.
    """
    _note(score.tally(FITTED if is_fitted_on(record_id) else UNSEEN), Known(outcome, truth, answers))


@dataclass(frozen=True, slots=True)
class Known:
    """What became of a record whose right answers are known."""

    outcome: Outcome
    truth: Row
    answers: Mapping[str, Sequence[Any]]


@dataclass(slots=True)
class OnceLearned:
    """The records that the numbers were not fitted on, decided once more by what all of them show of the sources.

    An organization learns it from its last decisions, of which an even part stands for them here; of the truth it
    knows nothing.
    """

    known: list[Known] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, record_id: str, known: Known) -> None:
        """Keep a record to learn from it, and to decide on it."""
        self.outcomes.append(known.outcome)
        if not is_fitted_on(record_id):
            self.known.append(known)

    def note(self, score: RecommendationScore) -> None:
        """Count what is recommended then."""
        step = max(len(self.outcomes) // _LEARNED_BY, 1)
        said = (_compared(outcome) for outcome in self.outcomes[::step])
        trust = replace(NO_TRUST, reliability=estimate(chain.from_iterable(said)))
        for each in self.known:
            if any(decision.question is not None for decision in each.outcome.decisions.values()):
                each = replace(each, outcome=each.outcome.with_trust(trust))
            _note(score.tally(LEARNED), each)


def _compared(outcome: Outcome) -> Iterator[Compared]:
    given = outcome.given
    said = {result.source: result.candidates for result in given.results if result.candidates}
    return compare(outcome.entity_type, given.current, said, given.asked_at, {})


def _note(tally: RecommendationTally, known_record: Known) -> None:
    outcome, truth, answers = known_record.outcome, known_record.truth, known_record.answers
    wrong = wrong_fields(truth) or set()
    for name, value in outcome.cleaned.values.items():
        known = answers.get(name, ())
        if not known and name not in wrong:
            continue
        held_right = name not in wrong and _is_one_of(outcome, name, value, known)
        question = outcome.decisions[name].question if name in outcome.decisions else None
        if question is None:
            tally.counts["unasked"] += held_right
            continue
        recommended = question.recommended
        right = recommended is not None and (not known or _is_one_of(outcome, name, recommended.value, known))
        advice = Recommendation.ACCEPT if recommended is not None else question.recommendation
        if recommended is None and advice is Recommendation.ACCEPT:
            advice = Recommendation.KEEP  # the whole is recommended, which leaves this part as it is
        tally.note(advice, right, held_right=held_right)


def _is_one_of(outcome: Outcome, name: str, value: Any, known: Sequence[Any]) -> bool:
    return any(is_equivalent(outcome.entity_type, name, value, answer) for answer in known)


def known_disputes(outcome: Outcome, truth: Row, answers: Mapping[str, Sequence[Any]]) -> Iterator[Disputed]:
    """What is to be weighed of each value of a record that raised a conflict and is known to be right or wrong."""
    now = datetime.now(UTC)
    answered = Answered(
        outcome.entity_type,
        {name: Current(value, SOURCE_CRM, 1.0, now, now, False) for name, value in outcome.cleaned.values.items()},
        {
            provider: {
                finding.field: Candidate(provider, finding.value, finding.confidence, finding.observed_at or now)
                for finding in answer.findings
            }
            for provider, answer in outcome.answers.items()
        },
        now,
    )
    wrong = wrong_fields(truth) or set()
    for name, value in outcome.cleaned.values.items():
        known, decision = answers.get(name, ()), outcome.decisions.get(name)
        if decision is not None and decision.question is not None and (known or name in wrong):
            yield dispute(answered, name, _Truth(outcome, name, known, value if name in wrong else None).allows)


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is right for one field: one of the `known` answers, or, where none is, anything but the `wrong` value."""

    outcome: Outcome
    name: str
    known: Sequence[Any]
    wrong: Any

    def allows(self, value: Any) -> bool:
        if self.wrong is not None and value == self.wrong:
            return False
        return not self.known or _is_one_of(self.outcome, self.name, value, self.known)
