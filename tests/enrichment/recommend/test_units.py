"""What is recommended about an address or an employment: one answer, by all of its disputed parts together."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.decide.decision import UnitQuestion
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, Recommendation, StepOutcome
from enrichment.provenance import Current
from enrichment.waterfall.planner import Want

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GLOBEX = {"company": "Globex", "companyDomain": "globex.net", "title": "Analyst", "email": "anna.keller@globex.net"}
INITECH = {
    "company": "Initech", "companyDomain": "initech.org", "title": "Controller", "email": "anna.keller@initech.org",
}  # fmt: skip
ANNA = {"firstName": "Anna", "lastName": "Keller", "mobilePhone": "+4915112304567", "country": "Germany"}


def question(
    crm: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]], *, days: float = 900, answered: float = 0
) -> UnitQuestion:
    """The question about the employment; the CRM saw its record, and the sources what they say, so many days ago.

    Values of answers may be (value, confidence).
    """
    seen, told = NOW - timedelta(days=days), NOW - timedelta(days=answered)
    gives = frozenset(fields_of(EntityType.LEAD))
    results = []
    for source, answer in answers.items():
        given = {name: value if isinstance(value, tuple) else (value, 0.85) for name, value in answer.items()}
        candidates = {name: Candidate(source, value, sure, told) for name, (value, sure) in given.items()}
        results.append(SourceResult(source, StepOutcome.MATCH, gives, candidates))
    current = {name: Current(value, "crm", 1.0, seen, seen) for name, value in crm.items()}
    ended = decide_fields(
        DecisionInput(
            EntityType.LEAD, Config(), current, dict.fromkeys(gives, Want.CHECK), results,
            lambda name, value, source: False, NOW,
        )
    )  # fmt: skip
    asked = ended["company"].question
    assert asked is not None
    assert asked.whole is not None
    return asked.whole


def test_a_new_job_is_accepted_as_a_whole() -> None:
    whole = question(GLOBEX | ANNA, {"apollo": INITECH | ANNA})
    assert whole.recommendation is Recommendation.ACCEPT
    assert whole.recommended is not None
    assert whole.recommended.provider == "apollo"
    assert "Apollo also gives another email" in whole.because


def test_a_job_from_before_the_records_is_not() -> None:
    whole = question(GLOBEX | ANNA, {"apollo": INITECH | ANNA}, days=10, answered=900)
    assert whole.recommendation is Recommendation.KEEP


def test_of_answers_that_agree_the_one_that_mends_most_is_recommended() -> None:
    """A part that the accepted answer does not give would stay as it is."""
    partial = {name: (INITECH[name], 0.95) for name in ("company", "companyDomain")}
    for order in (("apollo", "hunter"), ("hunter", "apollo")):
        given: Mapping[str, Mapping[str, Any]] = {"apollo": partial | ANNA, "hunter": INITECH | ANNA}
        whole = question(GLOBEX | ANNA, {source: given[source] for source in order})
        assert whole.recommended is not None
        assert whole.recommended.provider == "hunter"


def test_what_it_does_not_give_is_taken_from_an_answer_that_agrees_with_it() -> None:
    """Of one about another employer nothing is."""
    apollo = {name: value for name, value in INITECH.items() if name != "companyDomain"} | ANNA
    beside = {"company": "Initech", "companyDomain": "initech.org"}
    whole = question(GLOBEX | ANNA, {"apollo": apollo, "hunter": beside})
    assert whole.recommended is not None
    assert whole.recommended.provider == "apollo"
    assert {part: candidate.provider for part, candidate in whole.completed.items()} == {"companyDomain": "hunter"}
    assert "the company domain from Hunter, which agrees" in whole.because
    other = {"company": "Hooli", "companyDomain": "hooli.io"}
    assert question(GLOBEX | ANNA, {"apollo": apollo, "hunter": other}).completed == {}
    of_nobody = {"title": "Controller", "email": "anna.keller@initech.org"}  # it says for whom she works by no part
    apart = question(GLOBEX | ANNA, {"apollo": beside | ANNA, "hunter": of_nobody | ANNA})
    assert apart.recommended is not None
    assert apart.completed == {}


def test_of_two_values_that_are_both_hardly_right_neither_mends_anything() -> None:
    """Apollo's domain is likelier than the record's old one, and wrong all the same: two others know the right one."""
    apollo = {**INITECH, "companyDomain": ("intech.biz", 0.65), "department": "Finance"}
    others = {name: value for name, value in INITECH.items() if name != "title"}
    whole = question(GLOBEX | ANNA, {"apollo": apollo | ANNA, "hunter": others | ANNA, "clearbit": others | ANNA})
    assert whole.recommended is not None
    assert whole.recommended.provider == "hunter"


def test_what_is_right_in_one_part_and_wrong_in_another_is_weighed_together() -> None:
    """The company fits the record's own domain, the answer's domain does not: nothing speaks for the answer."""
    crm = {**GLOBEX, "company": "Globex"} | ANNA
    whole = question(crm, {"apollo": {**GLOBEX, "company": "Initech"} | ANNA}, days=10)
    assert whole.recommendation is Recommendation.KEEP


def test_reasons_name_fields_and_sources_in_words_and_no_figure_twice() -> None:
    for days in (1, 400, 2000):
        for confidence in (0.6, 0.75, 0.9, 0.97):
            answer = {name: (value, confidence) for name, value in INITECH.items()} | ANNA
            because = question(GLOBEX | ANNA, {"apollo": answer}, days=days).because
            assert not re.search(r"\b[a-z]+[A-Z]", because.replace("LinkedIn", ""))
            figures = re.findall(r"\((\d+ %) against (\d+ %)\)", because)
            assert all(one != other for one, other in figures)
