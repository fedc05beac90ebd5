"""What the rest of a job, of an address and of an answer says of one value."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.catalogue import is_contradiction, is_equivalent
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import SOURCE_CRM, EntityType
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.learn.trust import NO_TRUST
from enrichment.provenance import Current
from enrichment.recommend.observe import Question, observe
from enrichment.recommend.record import RecordAround
from enrichment.recommend.weigh import lead_of, weigh
from enrichment.recommend.weights import WEIGHTS, Weights

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OLD_JOB = {
    "company": "Globex", "companyDomain": "globex.net", "website": "https://globex.net", "title": "Analyst",
    "email": "anna@globex.net",
}  # fmt: skip
NEW_JOB = {
    "company": "Initech", "companyDomain": "initech.org", "website": "https://initech.org", "title": "Controller",
    "email": "anna@initech.org",
}  # fmt: skip
ANNA = {"firstName": "Anna", "lastName": "Keller", "mobilePhone": "+4915112304567", "country": "Germany"}
PETER = {"firstName": "Peter", "lastName": "Novak", "mobilePhone": "+33612345678", "country": "France"}


def lead(
    name: str,
    record: Mapping[str, Any],
    *answers: Mapping[str, Any],
    stated: Mapping[str, float] | None = None,
    days: float | None = 700,
    seen: float = 0,
    half_lives: Mapping[str, float] | None = None,
    weights: Weights = WEIGHTS,
    kind: EntityType = EntityType.LEAD,
) -> float:
    """By how much (a logarithm of odds) the first source's value is likelier than the record's.

    `days`: the age of the record, `seen`: of the answers.
    """
    at = NOW if days is None else NOW - timedelta(days=days)
    current = {field: Current(value, SOURCE_CRM, 1.0, at, at, days is not None) for field, value in record.items()}
    said = {
        f"source{index}": {
            field: Candidate(f"source{index}", value, (stated or {}).get(field, 0.8), NOW - timedelta(days=seen))
            for field, value in answer.items()
        }
        for index, answer in enumerate(answers)
    }

    def equal(a: Any, b: Any) -> bool:
        return is_equivalent(kind, name, a, b)

    around = RecordAround.of(kind, current, said, NO_TRUST, half_lives)
    question = Question(
        name=name,
        current=current[name],
        proposals=survivors([answer[name] for answer in said.values() if name in answer], equal),
        around=around,
        now=NOW,
        half_life_days=(half_lives or PRIOR_DAYS[kind])[name],
        is_held=lambda value: equal(record[name], value),
        is_far_off=lambda a, b: is_contradiction(kind, name, a, b),
        trust_in=lambda provider: NO_TRUST.of(provider, kind, name),
    )
    found = weigh(observe(question), weights)
    held = next(each for each in found if each.observed.current is not None)
    return lead_of(next(each for each in found if equal(each.observed.value, answers[0][name])), held)


def test_an_answer_that_differs_in_all_that_a_job_brings_tells_of_a_new_job() -> None:
    whole = lead("company", OLD_JOB | ANNA, NEW_JOB | ANNA)
    alone = lead("company", OLD_JOB | ANNA, {**OLD_JOB, "company": "Initech"} | ANNA)
    assert whole > 3
    assert alone < 0


@pytest.mark.parametrize(("days", "expected"), [(700, -0.5603), (None, -0.4147)])
def test_fields_of_which_one_side_says_something_count_as_in_the_whole_model(
    days: float | None, expected: float
) -> None:
    """The expected figures are those of the model with every field's chain in it."""
    known = {name: OLD_JOB[name] for name in ("company", "title")}
    assert lead("company", known | ANNA, NEW_JOB | PETER, days=days) == pytest.approx(expected, abs=1e-4)


def test_the_parts_of_an_address_tell_of_a_move() -> None:
    old = {"street": "1 Mill Lane", "postalCode": "20095", "city": "Hamburg", "country": "Germany"}
    new = {"street": "9 Park Avenue", "postalCode": "80331", "city": "Munich", "country": "Germany"}
    account = EntityType.ACCOUNT
    moved = lead("city", old, new, kind=account, days=1500)
    mistaken = lead("city", old, {**old, "city": "Munich"}, kind=account, days=1500)
    assert moved > mistaken + 0.5


def test_a_new_job_brings_another_city_and_none_speaks_against_one() -> None:
    there, here = {"city": "Hamburg"}, {"city": "Munich"}
    with_it = lead("city", OLD_JOB | ANNA | there, NEW_JOB | ANNA | here)
    without = lead("city", OLD_JOB | ANNA | there, OLD_JOB | ANNA | here)
    assert with_it > without + 1


def test_a_new_job_that_was_seen_before_the_records_is_the_one_before() -> None:
    assert lead("company", OLD_JOB | ANNA, NEW_JOB | ANNA, days=10, seen=900) < -3


def test_an_answer_about_somebody_else_is_known_by_what_does_not_change() -> None:
    about_anna = lead("company", OLD_JOB | ANNA, NEW_JOB | ANNA, days=200)
    about_peter = lead("company", OLD_JOB | ANNA, NEW_JOB | PETER, days=200)
    assert about_peter < about_anna - 1


def test_a_source_that_is_less_sure_than_it_is_as_a_rule_is_less_likely_right() -> None:
    record, answer = {"title": "Analyst"} | ANNA, {"title": "Controller"} | ANNA
    unsure = dict.fromkeys(ANNA, 0.95) | {"title": 0.7}
    as_ever = dict.fromkeys(ANNA, 0.7) | {"title": 0.7}
    assert lead("title", record, answer, stated=unsure) < lead("title", record, answer, stated=as_ever) - 0.3


def test_the_more_sources_copy_the_less_their_agreement_says() -> None:
    record, answer = {"mobilePhone": "+4915112304567"}, {"mobilePhone": "+4915112309999"}
    alone = lead("mobilePhone", record, answer)
    agreed = [
        lead("mobilePhone", record, answer, answer, weights=replace(WEIGHTS, copies=copies))
        for copies in (0.12, 0.5, 0.9)
    ]
    assert agreed[0] > agreed[1] > agreed[2]
    assert agreed[0] > alone


def test_how_fast_jobs_change_is_taken_from_the_organizations_history() -> None:
    prior = PRIOR_DAYS[EntityType.LEAD]
    fast = {name: days / 5 for name, days in prior.items()}
    slow = {name: days * 20 for name, days in prior.items()}
    pair = {"company": "Globex"}, {"company": "Initech"}
    assert lead("company", *pair, half_lives=fast) > lead("company", *pair, half_lives=slow) + 1


def test_a_private_address_does_not_end_with_a_job() -> None:
    private = {**OLD_JOB, "email": "anna@gmail.com"}
    moved = lead("company", private, {**NEW_JOB, "email": "anna@gmail.com"})
    assert moved == pytest.approx(
        lead("company", {**private, "email": "anna@gmail.com"}, {k: v for k, v in NEW_JOB.items() if k != "email"})
    )


def test_what_was_seen_later_outweighs_what_is_undated_by_the_age_of_its_kind() -> None:
    assert lead("title", {"title": "Analyst"}, {"title": "Controller"}, days=None) > lead(
        "title", {"title": "Analyst"}, {"title": "Controller"}, days=0
    )


def test_the_size_of_a_company_holds_longer_than_its_exact_count() -> None:
    record, answer = {"numberOfEmployees": 100}, {"numberOfEmployees": 900}
    longer, shorter = (
        lead("numberOfEmployees", record, answer, kind=EntityType.ACCOUNT, days=400, weights=weights)
        for weights in (WEIGHTS, replace(WEIGHTS, size_half_lives=1.0))
    )
    assert longer < shorter
