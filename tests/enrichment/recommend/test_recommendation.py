"""What is recommended: each kind of evidence decides where all else is even, and the reason names it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.catalogue import is_contradiction, is_equivalent
from enrichment.config import Rule
from enrichment.decide.case import FieldCase
from enrichment.decide.merge import Candidate, survivors
from enrichment.decide.recommendation import Advice, recommend
from enrichment.enums import EntityType, FieldPolicy, Recommendation, Strategy
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.provenance import Current
from enrichment.recommend.record import RecordAround

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LEAD, ACCOUNT = EntityType.LEAD, EntityType.ACCOUNT
ACCEPT, KEEP, NONE = Recommendation.ACCEPT, Recommendation.KEEP, Recommendation.NONE
GERMAN, OTHER_GERMAN, FRENCH = "+493023125007", "+498954290871", "+33142685301"


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def held(value: Any, *, source: str = "crm", days: float | None = None, unreadable: str | None = None) -> Current:
    """The current value, observed so many days ago; None: nobody knows when."""
    seen = NOW if days is None else days_ago(days)
    return Current(value, source, 1.0, seen, seen, observed_at_known=days is not None, unreadable=unreadable)


def stated(value: Any, confidence: float = 0.75, provider: str = "apollo", *, days: float = 0) -> Candidate:
    return Candidate(provider, value, confidence, days_ago(days))


def advice(
    name: str,
    current: Current | None,
    *candidates: Candidate,
    kind: EntityType = LEAD,
    record: Mapping[str, Any] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    trust: SourceTrust = UNJUDGED,
) -> Advice:
    def equal(a: Any, b: Any) -> bool:
        return is_equivalent(kind, name, a, b)

    proposals = survivors(candidates, equal)
    case = FieldCase(
        rule=Rule(policy=FieldPolicy.REVIEW), minimum=0.6, strategy=Strategy.WATERFALL, current=current,
        proposals=proposals, is_equivalent=equal, rejected=lambda value, source: False, asked_at=NOW, name=name,
        trust_in=lambda _: trust, is_contradiction=lambda a, b: is_contradiction(kind, name, a, b),
        half_life_days=PRIOR_DAYS[kind][name],
        around=lambda: RecordAround(kind, record or {}, answers or {}),
    )  # fmt: skip
    asked = [proposal for proposal in proposals if not case.confirms(proposal.value)]
    return recommend(case, asked)


# A source that is not very sure, against a value of the CRM that it set not long ago: by themselves they are even.
EVEN: Sequence[tuple[str, Any, Any]] = [("phone", GERMAN, OTHER_GERMAN), ("lastName", "Schmidt", "Lindqvist")]


@pytest.mark.parametrize(("name", "ours", "theirs"), EVEN)
def test_confidence_decides_where_all_else_is_even(name: str, ours: str, theirs: str) -> None:
    assert advice(name, held(ours, days=30), stated(theirs, 0.99)).recommendation is ACCEPT
    assert advice(name, held(ours, days=30), stated(theirs, 0.6)).recommendation is KEEP


def test_sources_that_agree_outweigh_one_that_is_as_sure() -> None:
    alone = advice("phone", held(GERMAN, days=30), stated(OTHER_GERMAN))
    both = advice("phone", held(GERMAN, days=30), stated(OTHER_GERMAN), stated(OTHER_GERMAN, 0.75, "hunter"))
    assert (alone.recommendation, both.recommendation) == (KEEP, ACCEPT)
    assert "Apollo and Hunter agree on it" in both.because
    confirmed = advice(
        "phone", held(GERMAN, days=30), stated(OTHER_GERMAN, 0.9), stated(GERMAN, 0.8, "hunter")
    )  # fmt: skip
    assert confirmed.recommendation is KEEP
    assert "Hunter confirms it" in confirmed.because
    assert advice("phone", held(GERMAN, days=30), stated(OTHER_GERMAN, 0.99)).recommendation is ACCEPT


def test_what_was_observed_later_is_likelier_and_the_more_so_the_faster_a_field_changes() -> None:
    newer = advice("title", held("CEO", days=800), stated("CFO", 0.7))
    older = advice("title", held("CEO", days=10), stated("CFO", 0.9, days=800))
    assert (newer.recommendation, older.recommendation) == (ACCEPT, KEEP)
    assert "was seen on 2024-09-15, before what the others saw" in newer.because
    assert advice("firstName", held("Anna", days=800), stated("Ines", 0.7)).recommendation is KEEP
    assert newer.chance > advice("title", held("CEO", days=300), stated("CFO", 0.7)).chance


def test_a_value_of_unknown_age_has_the_age_of_its_kind_and_its_arrival_is_no_argument() -> None:
    arrived_today = advice("title", held("CEO"), stated("CFO", 0.75))
    set_today = advice("title", held("CEO", days=0), stated("CFO", 0.75))
    assert (arrived_today.recommendation, set_today.recommendation) == (ACCEPT, KEEP)
    seen_long_ago = advice("title", held("CEO"), stated("CFO", 0.75, days=2000))
    assert seen_long_ago.recommendation is KEEP


def test_what_reviewers_did_before_outweighs_what_a_source_states() -> None:
    liked = advice("phone", held(GERMAN), stated(OTHER_GERMAN), trust=SourceTrust(18, 1, 0, 14.0))
    disliked = advice("phone", held(GERMAN), stated(OTHER_GERMAN, 0.9), trust=SourceTrust(2, 30, 0, 29.0))
    assert (liked.recommendation, disliked.recommendation) == (ACCEPT, KEEP)
    assert "reviewers accepted Apollo's phone 18 of 19 times" in liked.because
    assert "reviewers accepted Apollo's phone 2 of 32 times" in disliked.because


def test_no_source_is_known_by_its_name() -> None:
    for provider in ("apollo", "directory", "signals", "zz-own"):
        assert advice("phone", held(GERMAN, days=30), stated(OTHER_GERMAN, 0.9, provider)).chance == pytest.approx(
            advice("phone", held(GERMAN, days=30), stated(OTHER_GERMAN, 0.9, "x")).chance
        )


IN_GERMANY = {"country": "Germany"}
ANNA = {"firstName": "Anna", "lastName": "Schmidt", "company": "Acme Robotics", "companyDomain": "acme.com"}
MISFITS = [
    # kind, field, the wrong value, the right one, the record around it, what the reason says
    (LEAD, "phone", FRENCH, GERMAN, IN_GERMANY, "is a number of France, and the record is in Germany"),
    (LEAD, "phone", "+498003301000", GERMAN, IN_GERMANY, "is a freephone or service number"),
    (LEAD, "mobilePhone", GERMAN, "+4915112304567", {}, "is a landline"),
    (LEAD, "email", "info@acme.com", "anna.schmidt@acme.com", ANNA, "is a shared mailbox"),
    (LEAD, "email", "anna.schmidt@other.com", "anna.schmidt@acme.com", ANNA, "is no address at acme.com"),
    (LEAD, "email", "anna99@gmail.com", "anna.schmidt@acme.com", ANNA, "is a private address"),
    (LEAD, "email", "x@mailinator.com", "anna.schmidt@acme.com", ANNA, "is an address that nobody uses"),
    (LEAD, "email", "peter.kern@acme.com", "anna.schmidt@acme.com", ANNA, "contains another name"),
    (LEAD, "lastName", "Kern", "Schmidt", {"email": "anna.schmidt@acme.com"}, "is not the name in the record's"),
    (LEAD, "linkedinUrl", "https://www.linkedin.com/in/peter-kern", "https://www.linkedin.com/in/anna-schmidt", ANNA,
     "contains another name"),
    (LEAD, "companyDomain", "gmail.com", "acme.com", {"company": "Acme"}, "is the domain of a mail provider"),
    (LEAD, "companyDomain", "globex.net", "acme.com", {"email": "anna@acme.com"}, "is not acme.com, which"),
    (LEAD, "company", "Globex", "Acme Robotics", {"companyDomain": "acme.com"}, "does not go with the domain acme.com"),
    (ACCOUNT, "city", "Madrid", "Hamburg", IN_GERMANY, "is not in Germany, where the record is"),
    (ACCOUNT, "state", "California", "Bavaria", IN_GERMANY, "is not in Germany, where the record is"),
    (ACCOUNT, "postalCode", "SW1A 1AA", "80331", IN_GERMANY, "is not in Germany, where the record is"),
    (ACCOUNT, "country", "France", "Germany", {"city": "Hamburg"}, "does not go with Hamburg"),
    (ACCOUNT, "country", "France", "Germany", {"phone": GERMAN}, "is not the country of the record's phone number"),
    (ACCOUNT, "city", "Germany", "Hamburg", {}, "is a country"),
    (ACCOUNT, "industry", "Technology", "Robotics", {}, "is too general to say anything"),
    (ACCOUNT, "numberOfEmployees", 99999, 340, {}, "looks like a placeholder"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "wrong", "right", "record", "says"), MISFITS, ids=[f"{row[1]}: {row[5]}" for row in MISFITS]
)
def test_a_value_that_does_not_fit_its_record_is_less_likely(
    kind: EntityType, name: str, wrong: Any, right: Any, record: Mapping[str, Any], says: str
) -> None:
    misfit = advice(name, held(wrong, days=1), stated(right, 0.9), kind=kind, record=record)
    assert misfit.recommendation is ACCEPT
    assert says in misfit.because
    fits = advice(name, held(right, days=1), stated(wrong, 0.9), kind=kind, record=record)
    assert fits.recommendation is not ACCEPT


@pytest.mark.parametrize(
    ("kind", "name", "typed", "meant", "says"),
    [
        (LEAD, "lastName", "Shcmidt", "Schmidt", "looks mistyped"),
        (LEAD, "email", "anna.schmidt@acmee.com", "anna.schmidt@acme.com", "looks mistyped"),
        (ACCOUNT, "phone", "+493023125070", GERMAN, "looks mistyped"),
        (ACCOUNT, "foundedYear", 1987, 1978, "looks mistyped"),
        (ACCOUNT, "numberOfEmployees", 3400, 340, "looks mistyped"),
        (ACCOUNT, "name", "Acme Robtics Group", "Acme Robotics Group", "looks mistyped"),
        (ACCOUNT, "name", "ARG", "Acme Robotics Group", "is a short form"),
        (ACCOUNT, "name", "TCB", "The Chiba Bank, Ltd.", "is a short form"),
        (ACCOUNT, "name", "SLGK", "Staatliche Lotterie-Einnahme Glöckle KG", "is a short form"),
    ],
)
def test_a_slip_of_the_keyboard_is_the_typists(kind: EntityType, name: str, typed: Any, meant: Any, says: str) -> None:
    slip = advice(name, held(typed, days=1), stated(meant, 0.75), kind=kind)
    assert slip.recommendation is ACCEPT
    assert says in slip.because
    assert says not in advice(name, held(typed, days=1, source="hunter"), stated(meant, 0.75), kind=kind).because


def test_what_a_source_disputes_as_well_speaks_neither_for_nor_against() -> None:
    record = {"country": "Germany"}
    apart = advice("phone", held(FRENCH, days=1), stated(GERMAN, 0.9), record=record)
    moved = advice(
        "phone", held(FRENCH, days=1), stated(GERMAN, 0.9), record=record, answers={"apollo": {"country": "France"}}
    )
    assert apart.recommendation is ACCEPT
    assert moved.recommendation is not ACCEPT


def test_an_answer_that_is_about_somebody_else_counts_less() -> None:
    record = {"firstName": "Anna", "lastName": "Schmidt", "mobilePhone": GERMAN, "country": "Germany"}
    same = {"apollo": {name: value for name, value in record.items() if name != "mobilePhone"}}
    other = {"apollo": {"firstName": "Peter", "lastName": "Kern", "mobilePhone": FRENCH, "country": "France"}}
    about = advice("title", held("CEO", days=60), stated("CFO", 0.9), record=record, answers=same)
    else_ = advice("title", held("CEO", days=60), stated("CFO", 0.9), record=record, answers=other)
    assert about.gains["apollo"] > else_.gains["apollo"] + 0.1


def test_values_that_a_record_has_in_the_wrong_fields_are_known() -> None:
    swapped = advice(
        "firstName", held("Schmidt", days=1), stated("Anna"), record={"lastName": "Anna"},
        answers={"apollo": {"lastName": "Schmidt"}},
    )  # fmt: skip
    assert swapped.recommendation is ACCEPT
    assert "is the value of another field" in swapped.because


def test_a_reviewers_choice_stands_against_one_source_and_not_for_ever() -> None:
    assert advice("title", held("CEO", source="reviewer", days=60), stated("CFO", 0.95)).recommendation is not ACCEPT
    agreed = (stated("CFO", 0.9), stated("CFO", 0.9, "hunter"))
    assert advice("title", held("CEO", source="reviewer", days=60), *agreed).recommendation is ACCEPT
    assert advice("title", held("CEO", source="reviewer", days=2500), stated("CFO", 0.9)).recommendation is ACCEPT


def test_what_cannot_be_read_counts_less_than_what_can() -> None:
    unread = advice("phone", held("ask Anna", days=1, unreadable="not a phone number"), stated(GERMAN, 0.9))
    assert unread.recommendation is ACCEPT
    assert "the current value cannot be read" in unread.because


def test_neither_is_recommended_where_neither_is_likelier() -> None:
    even = advice("foundedYear", None, stated(1985, 0.8), stated(1991, 0.8, "hunter"), kind=ACCOUNT)
    assert (even.recommendation, even.candidate) == (NONE, None)
    assert even.because.startswith("neither the value of Apollo nor another source's is clearly likelier to be right")
    lead = advice("foundedYear", None, stated(1985, 0.9), stated(1991, 0.7, "hunter"), kind=ACCOUNT)
    assert lead.recommendation is ACCEPT
    assert lead.candidate is not None
    assert lead.candidate.value == 1985


@pytest.mark.parametrize("confidence", [0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("days", [None, 0, 300, 3000])
def test_the_figures_of_a_reason_differ(confidence: float, days: float | None) -> None:
    because = advice("phone", held(GERMAN, days=days), stated(OTHER_GERMAN, confidence)).because
    figures = because.partition("(")[2].partition(")")[0].split(" against ")
    assert len(set(figures)) == len(figures)
    assert "0." not in because
