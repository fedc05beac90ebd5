"""Whatever the order in which answers, edits and choices come: the later observation holds the field.

Each history is played through the decision itself, and an oracle that knows only what was seen when says what must
hold after every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.config import Rule
from enrichment.decide.belief import Decay, decay_of
from enrichment.decide.case import FieldCase
from enrichment.decide.decision import Decision
from enrichment.decide.field import decide
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import EntityType, FieldOutcomeReason, FieldPolicy, Strategy
from enrichment.provenance import Current

START = datetime(2026, 1, 1, tzinfo=UTC)
MINIMUM = 0.6
EVERY_POLICY = [policy for policy in FieldPolicy if policy is not FieldPolicy.NEVER]
DAYS = st.integers(min_value=-3000, max_value=0)


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def same(a: object, b: object) -> bool:
    return a == b


@dataclass(frozen=True)
class Answer:
    """What a source says, seen `seen` days after START."""

    source: str
    value: str
    confidence: float
    seen: int


@dataclass(frozen=True)
class Edit:
    """What the CRM sends; `seen`: days after START, None: it does not say."""

    value: str
    seen: int | None


@dataclass(frozen=True)
class Choice:
    """What a reviewer chooses."""

    value: str


Event = Answer | Edit | Choice
CONFIDENCES = st.sampled_from([0.5, 0.7, 0.7, 0.9, 0.95])
VALUES = st.sampled_from(["x", "y", "z"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Answer, st.sampled_from(["a", "b"]), VALUES, CONFIDENCES, DAYS),
    st.builds(Edit, VALUES, st.none() | DAYS),
    st.builds(Choice, VALUES),
)
HISTORIES = st.lists(EVENTS, min_size=2, max_size=5)
HALF_LIVES = st.sampled_from([30.0, 365.0, 1461.0, 36525.0])


def decided(
    policy: FieldPolicy, current: Current | None, answers: list[Candidate], now: datetime, half_life_days: float
) -> Decision:
    decay = Decay(now, half_life_days)
    return decide(
        FieldCase(
            rule=Rule(policy=policy),
            minimum=MINIMUM,
            strategy=Strategy.WATERFALL,
            current=current,
            proposals=survivors(answers, same, decay),
            is_equivalent=same,
            rejected=lambda value, source: False,
            asked_at=now,
            half_life_days=half_life_days,
        )
    )


def after(current: Current | None, event: Edit | Choice, now: datetime) -> Current:
    """The field after an edit or a choice: what the CRM and a reviewer say is theirs."""
    if isinstance(event, Choice):
        return Current(event.value, "reviewer", 1.0, now, now)
    if event.seen is not None:
        return Current(event.value, "crm", 1.0, days(event.seen), now)
    edited_at = None if current is None else now
    return Current(event.value, "crm", 1.0, now, now, observed_at_known=False, edited_at=edited_at)


# Of each part one: in every order, under every policy, with every half-life.
OF_A = [Answer("a", "x", confidence, seen) for confidence in (0.5, 0.7, 0.95) for seen in (-1000, -20)]
OF_B = [Answer("b", "y", confidence, seen) for confidence in (0.7, 0.95) for seen in (-500, -20)]
OF_CRM: list[Event] = [Edit("z", seen) for seen in (None, -700, -10)]
MORE: list[Event | None] = [None, Edit("x", None), Choice("w")]


@pytest.mark.parametrize("policy", EVERY_POLICY)
@pytest.mark.parametrize("half_life_days", [30.0, 1461.0, 36525.0])
def test_the_later_observation_holds_the_field_in_every_order(policy: FieldPolicy, half_life_days: float) -> None:
    for parts in product(OF_A, OF_B, OF_CRM, MORE):
        for history in permutations([event for event in parts if event is not None]):
            play(history, policy, half_life_days)


@given(HISTORIES, st.sampled_from(EVERY_POLICY), HALF_LIVES)
def test_the_later_observation_holds_the_field_in_any_history(
    history: list[Event], policy: FieldPolicy, half_life_days: float
) -> None:
    play(history, policy, half_life_days)


def play(history: Sequence[Event], policy: FieldPolicy, half_life_days: float) -> None:
    """One event a day, from an empty field on; the oracle is asked after each answer."""
    current: Current | None = None
    for number, event in enumerate(history, 1):
        now = days(number)
        if not isinstance(event, Answer):
            current = after(current, event, now)
            continue
        answer = Candidate(event.source, event.value, event.confidence, days(event.seen))
        decision = decided(policy, current, [answer], now, half_life_days)
        check(decision, current, answer, policy, now, half_life_days)
        if decision.write is not None:
            current = Current(
                decision.write.value, event.source, decision.write.confidence, decision.write.observed_at, now
            )


def check(
    decision: Decision,
    current: Current | None,
    answer: Candidate,
    policy: FieldPolicy,
    now: datetime,
    half_life_days: float,
) -> None:
    """What must hold, by what was seen when alone."""
    if current is None or current.value == answer.value:
        return
    writes = decision.write is not None
    set_at = current.observed_at if current.observed_at_known else current.edited_at
    if set_at is not None and answer.observed_at < set_at:
        assert not writes, "an older observation replaced a newer one, or an edit made since"
    if current.source == "reviewer":
        assert not writes, "a reviewer's choice was replaced without review"
    if current.source == "crm" and policy is not FieldPolicy.OVERWRITE:
        assert not writes, "the CRM's value was replaced without review"
    if current.source in {"a", "b"} and policy in {FieldPolicy.TRACKED, FieldPolicy.REVIEW}:
        newer, as_sure = answer.observed_at > current.observed_at, answer.confidence >= current.confidence
        if newer and as_sure and answer.confidence >= MINIMUM:
            assert writes, "at equal standing the newer observation wins"
    aged = answer.confidence * 0.5 ** ((now - answer.observed_at) / timedelta(days=half_life_days))
    if policy is FieldPolicy.OVERWRITE:
        if aged < MINIMUM:
            assert not writes, "what has aged below the minimum replaced a value"
        elif current.source != "reviewer" and (set_at is None or answer.observed_at >= set_at):
            assert writes, "overwrite left what was not newer"


@given(st.sampled_from(EVERY_POLICY), CONFIDENCES, DAYS, HALF_LIVES, st.integers(0, 2000), st.integers(0, 2000))
def test_a_value_of_unknown_age_neither_wins_nor_loses_by_its_arrival(
    policy: FieldPolicy, confidence: float, seen: int, half_life_days: float, one: int, other: int
) -> None:
    answer, now = Candidate("a", "x", confidence, days(seen)), days(1)

    def arrived(days_ago: int) -> Decision:
        at = now - timedelta(days=days_ago)
        current = Current("y", "crm", 1.0, at, at, observed_at_known=False)
        return decided(policy, current, [answer], now, half_life_days)

    assert arrived(one) == arrived(other)


@given(CONFIDENCES.filter(lambda confidence: confidence >= MINIMUM), DAYS, DAYS, HALF_LIVES, st.booleans())
def test_in_one_run_the_newer_of_equals_is_believed_whatever_the_priority(
    confidence: float, one: int, other: int, half_life_days: float, swapped: bool
) -> None:
    answers = [Candidate("a", "x", confidence, days(one)), Candidate("b", "y", confidence, days(other))]
    proposals = survivors(answers[::-1] if swapped else answers, same, Decay(days(1), half_life_days))
    if one != other:
        assert proposals[0].value == ("x" if one > other else "y")
    else:
        assert proposals[0].value == ("y" if swapped else "x")
    decision = decided(FieldPolicy.TRACKED, None, answers, days(1), half_life_days)
    assert decision.write is not None
    assert decision.write.value == proposals[0].value or one == other


def test_a_fact_of_2019_does_not_beat_one_of_this_week() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    old = Candidate("a", "CTO", 0.95, datetime(2019, 3, 1, tzinfo=UTC))
    new = Candidate("b", "CEO", 0.7, now - timedelta(days=3))
    half_life_days = decay_of(EntityType.CONTACT, "title", now).half_life_days
    for policy in EVERY_POLICY:
        filled = decided(policy, None, [old, new], now, half_life_days)
        assert filled.write is not None
        assert filled.write.value == "CEO"
    held = Current("CEO", "b", 0.7, new.observed_at, now)
    for policy in EVERY_POLICY:
        assert decided(policy, held, [old], now, half_life_days).write is None
    stale = Current("CTO", "a", 0.95, old.observed_at, now)
    for policy in (FieldPolicy.TRACKED, FieldPolicy.REVIEW, FieldPolicy.OVERWRITE):
        assert decided(policy, stale, [new], now, half_life_days).reason is FieldOutcomeReason.WRITTEN


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_overwrite_asks_nobody_about_what_was_observed_before_the_value(confidence: float) -> None:
    old = Candidate("a", "x", confidence, days(-100))
    for held in (Current("y", "crm", 1.0, days(-50), days(0)), Current("y", "b", 0.7, days(-50), days(0))):
        decision = decided(FieldPolicy.OVERWRITE, held, [old], days(1), 1461.0)
        assert decision.reason is FieldOutcomeReason.PROTECTED
    newer = Candidate("a", "x", 0.5, days(-20))
    asked = decided(FieldPolicy.OVERWRITE, Current("y", "crm", 1.0, days(-50), days(0)), [newer], days(1), 1461.0)
    assert asked.reason is FieldOutcomeReason.CONFLICT
