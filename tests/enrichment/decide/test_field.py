"""Which value survives, and what may be done with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment import catalogue
from enrichment.config import Backoff, Config, ProviderRule, Rule
from enrichment.decide.belief import Decay
from enrichment.decide.case import FieldCase
from enrichment.decide.decision import Decision
from enrichment.decide.field import decide
from enrichment.decide.merge import MOST_CONFIDENCE, Candidate, agreed_confidence, survivors
from enrichment.enums import ConflictReason, EntityType, FieldOutcomeReason, FieldPolicy, JobTrigger, Strategy
from enrichment.provenance import Current
from enrichment.waterfall.backoff import wait_seconds
from enrichment.waterfall.planner import Source, Want, Waterfall, refreshes, want
from enrichment.waterfall.skip_reason import SkipReason

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OLD = NOW - timedelta(days=900)
DECAY = Decay(NOW - timedelta(minutes=1), 1500.0)


def same(a: Any, b: Any) -> bool:
    return bool(a == b)


def candidate(value: Any = "new", confidence: float = 0.9, provider: str = "p", seen: datetime = NOW) -> Candidate:
    return Candidate(provider, value, confidence, seen)


def held(source: str, value: Any = "old", confidence: float = 0.7, *, written: datetime = OLD) -> Current:
    return Current(value, source, confidence, OLD, written, observed_at_known=source != "crm")


def outcome(
    policy: FieldPolicy, current: Current | None, *candidates: Candidate, strategy: Strategy = Strategy.WATERFALL,
    rejected: tuple[tuple[Any, str], ...] = (),
) -> Decision:  # fmt: skip
    return decide(
        FieldCase(
            rule=Rule(policy=policy), minimum=0.6, strategy=strategy, current=current,
            proposals=survivors(candidates, same, DECAY), is_equivalent=same,
            rejected=lambda value, source: (value, source) in rejected, asked_at=DECAY.now,
            half_life_days=DECAY.half_life_days,
        )
    )  # fmt: skip


P, R = FieldPolicy, FieldOutcomeReason
TABLE = [
    # policy, who holds the field, how it ends
    (P.FILL_EMPTY, None, R.WRITTEN), (P.TRACKED, None, R.WRITTEN), (P.REVIEW, None, R.WRITTEN),
    (P.OVERWRITE, None, R.WRITTEN), (P.NEVER, None, R.PROTECTED),
    (P.FILL_EMPTY, "crm", R.PROTECTED), (P.TRACKED, "crm", R.PROTECTED), (P.REVIEW, "crm", R.CONFLICT),
    (P.OVERWRITE, "crm", R.WRITTEN), (P.NEVER, "crm", R.PROTECTED),
    (P.FILL_EMPTY, "reviewer", R.PROTECTED), (P.TRACKED, "reviewer", R.PROTECTED), (P.REVIEW, "reviewer", R.CONFLICT),
    (P.OVERWRITE, "reviewer", R.CONFLICT), (P.NEVER, "reviewer", R.PROTECTED),
    (P.FILL_EMPTY, "other", R.PROTECTED), (P.TRACKED, "other", R.WRITTEN), (P.REVIEW, "other", R.WRITTEN),
    (P.OVERWRITE, "other", R.WRITTEN), (P.NEVER, "other", R.PROTECTED),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "holder", "ends"), TABLE)
def test_what_each_policy_does_with_a_differing_value(
    policy: FieldPolicy, holder: str | None, ends: FieldOutcomeReason
) -> None:
    decision = outcome(policy, held(holder) if holder else None, candidate())
    assert decision.reason is ends
    assert (decision.write is not None) == (ends is R.WRITTEN)
    assert (decision.question is not None) == (ends is R.CONFLICT)


@pytest.mark.parametrize(
    ("policy", "ends"),
    [(P.FILL_EMPTY, R.PROTECTED), (P.TRACKED, R.PROTECTED), (P.REVIEW, R.CONFLICT), (P.OVERWRITE, R.WRITTEN)],
)
def test_what_the_crm_sent_and_cannot_be_read_fills_the_field(policy: FieldPolicy, ends: FieldOutcomeReason) -> None:
    sent = Current("\u20ac5M", "crm", 1.0, OLD, OLD, unreadable="another currency")

    def compare(a: Any, b: Any) -> bool:
        assert "\u20ac5M" not in (a, b), "what cannot be read is compared with nothing"
        return bool(a == b)

    decision = decide(
        FieldCase(
            rule=Rule(policy=policy), minimum=0.6, strategy=Strategy.WATERFALL, current=sent,
            proposals=survivors([candidate(5_000_000)], same), is_equivalent=compare,
            rejected=lambda value, source: False, asked_at=NOW, is_contradiction=compare,
        )
    )  # fmt: skip
    assert decision.reason is ends
    if decision.question is not None:
        assert "what the CRM sent cannot be read (another currency)" in decision.question.because


def test_a_less_certain_or_older_source_does_not_replace_another_ones_value() -> None:
    current = held("other", confidence=0.8)
    assert outcome(P.TRACKED, current, candidate(confidence=0.75, seen=OLD)).reason is R.PROTECTED
    assert outcome(P.TRACKED, current, candidate(seen=OLD - timedelta(days=1))).reason is R.PROTECTED
    assert outcome(P.TRACKED, current, candidate(confidence=0.75, seen=OLD, provider="other")).reason is R.WRITTEN


def test_the_same_value_is_verified_only_when_it_was_seen_later() -> None:
    assert outcome(P.REVIEW, held("crm", "new"), candidate()).verified_at == NOW
    assert outcome(P.REVIEW, held("crm", "new"), candidate(seen=OLD)).reason is R.SAME


def test_a_value_below_the_minimum_is_not_written() -> None:
    assert outcome(P.REVIEW, None, candidate(confidence=0.59)).reason is R.BELOW_THRESHOLD
    assert outcome(P.REVIEW, held("crm"), candidate(confidence=0.59)).reason is R.BELOW_THRESHOLD


def headcounts(minimum: float | None, held_by: str, *candidates: Candidate, policy: FieldPolicy) -> Decision:
    def equal(a: Any, b: Any) -> bool:
        return catalogue.is_equivalent(EntityType.ACCOUNT, "numberOfEmployees", a, b)

    return decide(
        FieldCase(
            rule=Rule(policy=policy, min_confidence=minimum), minimum=minimum or 0.6, strategy=Strategy.WATERFALL,
            current=held(held_by, 2000), proposals=survivors(candidates, equal, DECAY), is_equivalent=equal,
            rejected=lambda value, source: False, asked_at=DECAY.now, half_life_days=DECAY.half_life_days,
            is_contradiction=lambda a, b: catalogue.is_contradiction(EntityType.ACCOUNT, "numberOfEmployees", a, b),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "confidence", "minimum", "held_by", "policy", "ends"),
    [
        (11500, 0.49, None, "crm", P.REVIEW, R.CONFLICT),
        (11500, 0.29, None, "crm", P.REVIEW, R.BELOW_THRESHOLD),
        (2500, 0.49, None, "crm", P.REVIEW, R.BELOW_THRESHOLD),
        (11500, 0.49, 0.6, "crm", P.REVIEW, R.BELOW_THRESHOLD),
        (11500, 0.49, None, "reviewer", P.REVIEW, R.BELOW_THRESHOLD),
        (11500, 0.49, None, "q", P.REVIEW, R.BELOW_THRESHOLD),
        (11500, 0.49, None, "crm", P.TRACKED, R.BELOW_THRESHOLD),
    ],
)
def test_a_figure_that_is_far_off_is_asked_about_though_its_source_is_not_certain(
    count: int, confidence: float, minimum: float | None, held_by: str, policy: FieldPolicy, ends: FieldOutcomeReason
) -> None:
    decision = headcounts(minimum, held_by, candidate(count, confidence), policy=policy)
    assert decision.reason is ends
    assert decision.write is None
    if decision.question:
        assert decision.question.reason is ConflictReason.EXISTING_DIFFERS
        assert decision.question.recommended is decision.question.candidates[0]


def test_what_a_range_holds_is_no_other_opinion_on_it() -> None:
    said = (candidate("1001-5000", 0.7, "range"), candidate(2000, 0.9, "one"), candidate(4800, 0.8, "two"))
    decision = headcounts(None, "crm", *said, policy=P.REVIEW)
    assert (decision.reason, decision.provider) == (R.VERIFIED, "one")


def test_two_numbers_that_one_range_holds_are_not_one_value() -> None:
    def equal(a: Any, b: Any) -> bool:
        return catalogue.is_equivalent(EntityType.ACCOUNT, "numberOfEmployees", a, b)

    proposals = survivors([candidate("51-200", 0.7), candidate(60, 0.6, "q"), candidate(150, 0.65, "r")], equal)
    assert [[one.value for one in proposal.support] for proposal in proposals] == [["51-200", 60], [150]]


def test_a_field_a_person_cleared_while_the_answer_was_on_its_way_stays_empty() -> None:
    assert outcome(P.REVIEW, held("crm", None, written=NOW), candidate()).reason is R.PROTECTED
    assert outcome(P.REVIEW, held("crm", None), candidate()).reason is R.WRITTEN
    assert outcome(P.OVERWRITE, held("crm", written=NOW), candidate()).reason is R.PROTECTED


def test_agreement_lifts_a_value_over_the_minimum_and_over_a_rival() -> None:
    both = outcome(P.REVIEW, None, candidate(confidence=0.5), candidate(confidence=0.5, provider="q"))
    assert both.reason is R.WRITTEN and both.confidence == 0.75
    rival = candidate("rival", 0.7, "r")
    best = outcome(P.TRACKED, None, rival, candidate(confidence=0.6), candidate(confidence=0.6, provider="q"))
    assert best.write is not None and best.write.value == "new"


def test_a_rejected_value_is_heard_again_only_from_a_second_source() -> None:
    turned_down = (("new", "p"),)
    assert outcome(P.REVIEW, held("crm"), candidate(), rejected=turned_down).reason is R.PROTECTED
    second = outcome(P.REVIEW, held("crm"), candidate(), candidate(provider="q"), rejected=turned_down)
    assert second.reason is R.CONFLICT


@pytest.mark.parametrize("strategy", Strategy)
def test_sources_that_disagree_ask_a_person_when_they_are_about_equally_certain(strategy: Strategy) -> None:
    close = (candidate("a", 0.8), candidate("b", 0.75, "q"))
    asked = outcome(P.REVIEW, None, *close, strategy=strategy)
    assert asked.question is not None and asked.question.reason is ConflictReason.PROVIDERS_DISAGREE
    clear = (candidate("a", 0.95), candidate("b", 0.65, "q"))
    assert outcome(P.REVIEW, None, *clear, strategy=strategy).reason is R.WRITTEN


@pytest.mark.parametrize("policy", [P.FILL_EMPTY, P.TRACKED, P.OVERWRITE])
def test_sources_that_disagree_about_what_nobody_reviews_ask_a_person_only_under_consensus(policy: FieldPolicy) -> None:
    close = (candidate("a", 0.8), candidate("b", 0.75, "q"))
    assert outcome(policy, None, *close, strategy=Strategy.CONSENSUS).reason is R.CONFLICT
    assert outcome(policy, None, *close).reason is R.WRITTEN


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_agreement_never_lowers_confidence_and_never_reaches_certainty(confidences: list[float]) -> None:
    agreed = agreed_confidence(confidences)
    assert max(confidences) - 1e-9 <= agreed <= max(MOST_CONFIDENCE, *confidences)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.sampled_from("pqr")), max_size=8))
def test_every_candidate_supports_one_value_and_a_source_counts_once(told: list[tuple[str, float, str]]) -> None:
    proposals = survivors([candidate(value, confidence, source) for value, confidence, source in told], same)
    assert sorted(proposal.value for proposal in proposals) == sorted({value for value, _, _ in told})
    for proposal in proposals:
        sources = [one.provider for one in proposal.support]
        assert len(sources) == len(set(sources))


@given(st.integers(1, 60), st.floats(0, 1), st.none() | st.floats(0, 1e5))
def test_a_wait_is_bounded_and_never_undercuts_the_provider(attempt: int, spread: float, after: float | None) -> None:
    waited = wait_seconds(Backoff(initial_seconds=10, max_seconds=100), attempt, spread=spread, retry_after=after)
    assert max(7.5, after or 0) <= waited <= max(125, after or 0)


def waterfall(*sources: Source, wants: dict[str, Want], strategy: Strategy = Strategy.WATERFALL) -> Waterfall:
    config = Config(strategy=strategy, consensus_size=2, providers=[ProviderRule(id=one.id) for one in sources])
    return Waterfall(config, sources, wants)


CITY = frozenset({"city"})


def test_a_paid_source_is_not_asked_only_to_check_what_the_crm_holds() -> None:
    paid, free = Source("paid", CITY, price=1), Source("free", CITY)
    plan = waterfall(paid, free, wants={"city": Want.CHECK})
    assert plan.next() == free
    assert plan.why_not_asked(paid) is SkipReason.NOT_WORTH_PAYING
    assert waterfall(paid, free, wants={"city": Want.FILL}).next() == paid


@pytest.mark.parametrize("confident", [CITY, frozenset()])
def test_consensus_asks_as_many_as_its_size_says_whatever_they_answer(confident: frozenset[str]) -> None:
    sources = [Source(name, CITY) for name in "abc"]
    plan = waterfall(*sources, wants={"city": Want.FILL}, strategy=Strategy.CONSENSUS)
    asked = []
    while (source := plan.next()) is not None:
        asked.append(source.id)
        plan.answered(source.id, confident, CITY)
    assert asked == ["a", "b"]
    assert plan.why_not_asked(sources[2]) is SkipReason.SETTLED


def test_who_could_not_be_asked_does_not_count_for_the_size_of_a_consensus() -> None:
    plan = waterfall(*(Source(name, CITY) for name in "abc"), wants={"city": Want.FILL}, strategy=Strategy.CONSENSUS)
    plan.answered("a", frozenset(), frozenset())
    plan.answered("b", CITY, CITY)
    assert plan.next() == Source("c", CITY)


def test_consensus_counts_for_each_field_who_was_asked_for_it() -> None:
    phone = frozenset({"phone"})
    wide, narrow, last = Source("wide", CITY | phone), Source("narrow", CITY), Source("last", CITY | phone)
    plan = waterfall(wide, narrow, last, wants=dict.fromkeys(["city", "phone"], Want.FILL), strategy=Strategy.CONSENSUS)
    plan.answered("wide", frozenset(), plan.could_give(wide))
    plan.answered("narrow", frozenset(), plan.could_give(narrow))
    assert plan.could_give(last) == phone


def test_a_source_that_offers_nothing_wanted_is_passed_by() -> None:
    other = Source("other", frozenset({"phone"}))
    plan = waterfall(other, wants={"city": Want.FILL})
    assert plan.next() is None
    assert plan.why_not_asked(other) is SkipReason.NOT_OFFERED


@pytest.mark.parametrize(
    ("policy", "current", "refresh", "wanted"),
    [
        (P.REVIEW, None, False, Want.FILL), (P.NEVER, None, False, Want.NONE),
        (P.FILL_EMPTY, held("crm"), True, Want.NONE), (P.TRACKED, held("crm"), True, Want.NONE),
        (P.REVIEW, held("crm"), True, Want.CHECK), (P.OVERWRITE, held("crm"), False, Want.FILL),
        (P.REVIEW, held("p"), False, Want.CHECK), (P.REVIEW, held("p"), True, Want.FILL),
        (P.REVIEW, held("crm", None), False, Want.FILL),
    ],
)  # fmt: skip
def test_why_a_field_is_looked_up(policy: FieldPolicy, current: Current | None, refresh: bool, wanted: Want) -> None:
    config = Config.model_validate({"fieldPolicies": {"account": {"default": policy.value}}})
    assert want(config, EntityType.ACCOUNT, "city", current, refresh=refresh) is wanted


def test_only_a_refresh_or_a_forced_request_looks_up_our_own_values_again() -> None:
    assert refreshes(JobTrigger.SCHEDULED_REFRESH, forced=False)
    assert refreshes(JobTrigger.MANUAL, forced=True)
    assert not refreshes(JobTrigger.MANUAL, forced=False)
    assert not refreshes(JobTrigger.RECORD_UPDATED, forced=True)
