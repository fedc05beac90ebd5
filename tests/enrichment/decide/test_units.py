"""An address and an employment are one thing: no part is written from an answer that another part disputes.

One file, because its cases are variations of one record and one answer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from enrichment.catalogue import disputing_parts, is_equivalent, units_of
from enrichment.config import Config
from enrichment.decide.decision import Decision, UnitQuestion
from enrichment.decide.edition import Edition
from enrichment.decide.fields import DecisionInput, SourceResult, decide_fields
from enrichment.decide.merge import Candidate
from enrichment.enums import ConflictReason, EntityType, FieldOutcomeReason, FieldUnit, StepOutcome
from enrichment.provenance import Current
from enrichment.waterfall.planner import Want

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT, LEAD = EntityType.ACCOUNT, EntityType.LEAD
WRITTEN, SAME, CONFLICT = FieldOutcomeReason.WRITTEN, FieldOutcomeReason.SAME, FieldOutcomeReason.CONFLICT
PROTECTED, BELOW = FieldOutcomeReason.PROTECTED, FieldOutcomeReason.BELOW_THRESHOLD

STOCKHOLM = {"street": "Regeringsgatan 19", "city": "Stockholm", "postalCode": "11153", "country": "SE"}
LUXEMBOURG = {"street": "Boulevard Royal 1", "city": "Luxembourg", "postalCode": "1610", "country": "LU"}

Answers = Mapping[str, Mapping[str, Any]]


def decisions(
    crm: Mapping[str, Any], answers: Answers, *, entity_type: EntityType = ACCOUNT, policy: str = "review",
    fields: Mapping[str, Any] | None = None, rejected: tuple[tuple[str, Any, str], ...] = (),
    held: Mapping[str, tuple[Any, str, float]] | None = None, strategy: str = "waterfall",
    rules: tuple[Mapping[str, Any], ...] = (), edition: Edition = Edition.UNITS,
) -> dict[str, Decision]:  # fmt: skip
    """How a record ends.

    `answers` have values, or (value, confidence), by source; `held` (value, source, confidence).
    """
    old = NOW - timedelta(days=30)
    current = {name: Current(value, "crm", 1.0, old, old) for name, value in crm.items()}
    current |= {name: Current(value, source, sure, old, old) for name, (value, source, sure) in (held or {}).items()}
    results = [
        SourceResult(source, StepOutcome.MATCH, frozenset(answer), _candidates(source, answer))
        for source, answer in answers.items()
    ]
    config = Config.model_validate(
        {
            "fieldPolicies": {entity_type.value: {"default": policy, "fields": dict(fields or {})}},
            "strategy": strategy,
            "rules": [{"entityType": entity_type.value, **rule} for rule in rules],
        }
    )
    return decide_fields(
        DecisionInput(
            entity_type, config, current, dict.fromkeys(units_of(entity_type), Want.FILL), results,
            lambda name, value, source: (name, value, source) in rejected, NOW, edition=edition,
        )
    )  # fmt: skip


def _candidates(source: str, answer: Mapping[str, Any]) -> dict[str, Candidate]:
    told = {name: given if isinstance(given, tuple) else (given, 0.9) for name, given in answer.items()}
    return {name: Candidate(source, value, confidence, NOW) for name, (value, confidence) in told.items()}


def reasons(ended: Mapping[str, Decision], *names: str) -> list[FieldOutcomeReason]:
    return [ended[name].reason for name in names]


def written(ended: Mapping[str, Decision]) -> dict[str, Any]:
    return {name: decision.write.value for name, decision in ended.items() if decision.write}


def asked(ended: Mapping[str, Decision]) -> UnitQuestion:
    """The one question about a unit."""
    [question] = {
        id(decision.question.whole): decision.question.whole
        for decision in ended.values()
        if decision.question is not None and decision.question.whole is not None
    }.values()
    return question


ADDRESS = ("street", "city", "postalCode", "country")


def test_no_part_of_an_address_is_written_beside_a_city_that_it_does_not_belong_to() -> None:
    ended = decisions({"street": "Regeringsgatan 19", "city": "Stockholm"}, {"directory": LUXEMBOURG})
    assert written(ended) == {}
    assert reasons(ended, *ADDRESS) == [CONFLICT] * 4
    question = asked(ended)
    assert (question.unit, question.reason) == (FieldUnit.ADDRESS, ConflictReason.EXISTING_DIFFERS)
    assert question.parts == ADDRESS
    assert question.disputed == {"city"}
    [answer] = question.answers
    assert {name: candidate.value for name, candidate in answer.parts.items()} == LUXEMBOURG


def test_before_units_each_field_was_decided_by_itself() -> None:
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, edition=Edition.OBSERVATION)
    assert set(written(ended)) == {"street", "postalCode", "country"}
    assert ended["city"].question is not None and ended["city"].question.whole is None


def test_each_disputing_part_disputes_the_address_and_the_street_does_not() -> None:
    for name in ("city", "postalCode", "country"):
        ended = decisions({name: STOCKHOLM[name]}, {"directory": LUXEMBOURG})
        assert written(ended) == {}
        assert asked(ended).disputed == {name}
    ended = decisions({"street": "Regeringsgatan 19"}, {"directory": LUXEMBOURG})
    assert set(written(ended)) == {"city", "postalCode", "country"}
    question = ended["street"].question
    assert question is not None and question.whole is None


def test_an_answer_that_agrees_with_the_record_fills_its_address() -> None:
    ended = decisions({"city": "Stockholm"}, {"directory": STOCKHOLM})
    assert written(ended) == {name: STOCKHOLM[name] for name in ("street", "postalCode", "country")}
    assert ended["city"].reason is FieldOutcomeReason.VERIFIED


def test_an_answer_that_agrees_is_written_while_another_is_in_question() -> None:
    here = {name: (value, 0.7) for name, value in STOCKHOLM.items() if name != "street"}
    ended = decisions({"city": "Stockholm"}, {"one": LUXEMBOURG, "two": here})
    assert written(ended) == {"postalCode": "11153", "country": "SE"}
    assert reasons(ended, "city", "street") == [CONFLICT, CONFLICT]
    question = asked(ended)
    assert [answer.provider for answer in question.answers] == ["one"]
    assert question.disputed == {"city", "postalCode", "country"}


def test_a_dispute_that_a_surer_source_settles_is_no_question() -> None:
    there = {"city": ("Luxembourg", 0.7), "postalCode": ("1610", 0.95)}
    ended = decisions({"city": "Stockholm"}, {"one": there, "two": {"city": ("Stockholm", 0.9)}})
    assert written(ended) == {}
    assert reasons(ended, "city", "postalCode") == [FieldOutcomeReason.VERIFIED, PROTECTED]
    assert ended["postalCode"].detail == "One gives another address: its city differs"


def test_under_tracked_and_fill_empty_the_parts_that_are_held_back_are_protected() -> None:
    for policy in ("tracked", "fill_empty"):
        ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, policy=policy)
        assert (written(ended), reasons(ended, *ADDRESS)) == ({}, [PROTECTED] * 4)
        assert ended["country"].detail == "Directory gives another address: its city differs"


def test_a_question_is_raised_where_a_disputed_part_is_reviewed() -> None:
    mixed = {"city": "review", "postalCode": "tracked", "country": "overwrite", "street": "fill_empty"}
    ended = decisions({"city": "Stockholm", "postalCode": "11153"}, {"directory": LUXEMBOURG}, fields=mixed)
    assert written(ended) == {}
    assert reasons(ended, *ADDRESS) == [CONFLICT, CONFLICT, PROTECTED, CONFLICT]
    assert asked(ended).disputed == {"city", "postalCode"}
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, fields=mixed | {"city": "tracked"})
    assert reasons(ended, *ADDRESS) == [PROTECTED] * 4


def test_with_overwrite_the_whole_address_is_taken_from_one_answer() -> None:
    one = {"city": ("Luxembourg", 0.9), "country": ("LU", 0.7), "postalCode": ("1610", 0.7)}
    two = {"city": ("Göteborg", 0.8), "country": ("SE", 0.9), "street": ("Avenyn 1", 0.9)}
    ended = decisions(STOCKHOLM, {"one": one, "two": two}, policy="overwrite")
    assert written(ended) == {"city": "Göteborg", "street": "Avenyn 1"}
    assert {decision.provider for name, decision in ended.items() if name in ("city", "street")} == {"two"}
    ended = decisions({"city": "Stockholm"}, {"one": LUXEMBOURG}, policy="overwrite")
    assert written(ended) == LUXEMBOURG


def test_overwrite_of_a_part_waits_for_the_answer_about_another_one() -> None:
    ended = decisions(
        {"city": "Stockholm", "country": "SE"}, {"directory": LUXEMBOURG}, policy="overwrite",
        fields={"country": "review"},
    )  # fmt: skip
    assert (written(ended), reasons(ended, *ADDRESS)) == ({}, [CONFLICT] * 4)
    ended = decisions(
        {"city": "Stockholm", "country": "SE"}, {"directory": LUXEMBOURG | {"country": ("LU", 0.5)}}, policy="overwrite"
    )
    assert (written(ended), asked(ended).reason) == ({}, ConflictReason.LOW_CONFIDENCE)


def test_a_part_that_is_never_written_stays_out_of_the_question_and_is_not_written_around() -> None:
    ended = decisions(
        {"city": "Stockholm", "country": "SE"}, {"directory": LUXEMBOURG}, fields={"city": "never", "street": "never"}
    )
    question = asked(ended)
    assert question.parts == ("postalCode", "country")
    assert question.disputed == {"country"}
    assert all(set(answer.parts) == {"postalCode", "country"} for answer in question.answers)
    assert reasons(ended, "street", "city") == [PROTECTED, PROTECTED]
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, fields={"city": "never"})
    assert (written(ended), reasons(ended, *ADDRESS)) == ({}, [PROTECTED] * 4)


def test_an_empty_address_is_filled_from_one_answer_or_from_answers_that_agree() -> None:
    one = {"city": ("Stockholm", 0.9), "country": ("SE", 0.9)}
    two = {"postalCode": ("1610", 0.6), "country": ("LU", 0.6)}
    ended = decisions({}, {"one": one, "two": two})
    assert written(ended) == {"city": "Stockholm", "country": "SE"}
    assert (ended["postalCode"].reason, ended["postalCode"].detail) == (
        PROTECTED, "Two gives another address: its country differs",
    )  # fmt: skip
    ended = decisions({}, {"one": one, "two": {"postalCode": ("11153", 0.6), "country": ("SE", 0.6)}})
    assert written(ended) == {"city": "Stockholm", "country": "SE", "postalCode": "11153"}


def test_answers_that_differ_in_a_part_which_neither_may_write_are_not_put_together() -> None:
    one = {"city": ("Vaxholm", 0.9), "country": ("SE", 0.5)}
    two = {"postalCode": ("1610", 0.8), "country": ("LU", 0.5)}
    ended = decisions({}, {"one": one, "two": two})
    assert (written(ended), ended["postalCode"].reason) == ({"city": "Vaxholm"}, PROTECTED)
    assert ended["postalCode"].detail == "Two gives another address than the source that was taken"


def test_sources_that_disagree_about_an_empty_address_are_one_question() -> None:
    ended = decisions({}, {"one": STOCKHOLM, "two": LUXEMBOURG}, strategy="consensus")
    question = asked(ended)
    assert (written(ended), question.reason) == ({}, ConflictReason.PROVIDERS_DISAGREE)
    assert question.disputed == {"city", "postalCode", "country"}
    assert [answer.provider for answer in question.answers] == ["one", "two"]
    assert question.because.startswith("the sources disagree about the city, postal code and country; ")


def test_a_unit_that_enrichment_wrote_is_replaced_as_a_whole_or_not_at_all() -> None:
    held = {name: (value, "one", 0.8) for name, value in STOCKHOLM.items()}
    ended = decisions({}, {"one": LUXEMBOURG}, held=held)
    assert written(ended) == LUXEMBOURG
    weaker = {"city": ("Luxembourg", 0.95), "country": ("LU", 0.3), "postalCode": ("1610", 0.95)}
    ended = decisions({}, {"two": weaker}, held=held)
    assert (written(ended), reasons(ended, "city", "postalCode")) == ({}, [PROTECTED, PROTECTED])
    assert ended["city"].detail == "Two gives another address: its city, postal code and country differ"


def test_a_part_that_is_too_uncertain_to_be_written_still_disputes_the_rest() -> None:
    unsure = LUXEMBOURG | {"city": ("Luxembourg", 0.5)}
    ended = decisions({"city": "Stockholm"}, {"directory": unsure})
    assert (written(ended), reasons(ended, *ADDRESS)) == ({}, [CONFLICT] * 4)
    assert (asked(ended).answers[0].confidence, asked(ended).recommended) == (0.5, None)
    high = {"city": {"policy": "review", "minConfidence": 0.8}}
    for unlikely in (
        decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG | {"city": ("Luxembourg", 0.2)}}),
        decisions({"city": "Stockholm"}, {"directory": unsure}, fields=high),
    ):
        assert (written(unlikely), reasons(unlikely, "city", "country")) == ({}, [BELOW, PROTECTED])
    kept = {"field": "city", "action": "keep"}
    assert reasons(decisions({"city": "Stockholm"}, {"directory": unsure}, rules=(kept,)), "country") == [PROTECTED]


def test_a_value_that_a_person_turned_down_keeps_its_whole_address_away() -> None:
    turned_down = (("city", "Luxembourg", "directory"),)
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, rejected=turned_down)
    assert (written(ended), reasons(ended, *ADDRESS)) == ({}, [PROTECTED] * 4)
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG, "two": LUXEMBOURG}, rejected=turned_down)
    assert [answer.provider for answer in asked(ended).answers] == ["directory", "two"]
    street = (("street", LUXEMBOURG["street"], "directory"),)
    ended = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, rejected=street)
    assert set(asked(ended).answers[0].parts) == {"city", "postalCode", "country"}
    assert ended["street"].reason is PROTECTED


def test_a_rule_about_a_part_reaches_the_address_by_that_part() -> None:
    kept = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, rules=({"field": "city", "action": "keep"},))
    assert (written(kept), reasons(kept, *ADDRESS)) == ({}, [PROTECTED] * 4)
    accept = {"field": "city", "action": "accept"}
    accepted = decisions({"city": "Stockholm"}, {"directory": LUXEMBOURG}, rules=(accept,))
    assert written(accepted) == LUXEMBOURG
    other = decisions({"city": "Stockholm", "country": "SE"}, {"directory": LUXEMBOURG}, rules=(accept,))
    assert (written(other), reasons(other, *ADDRESS)) == ({}, [CONFLICT] * 4)


def test_a_question_about_a_street_joins_that_about_its_address() -> None:
    here = {"city": ("Stockholm", 0.7), "street": ("Vasagatan 1", 0.8)}
    crm = {"city": "Stockholm", "street": "Regeringsgatan 19"}
    ended = decisions(crm, {"one": {"city": "Luxembourg", "country": "LU"}, "two": here})
    question = asked(ended)
    assert [answer.provider for answer in question.answers] == ["one", "two"]
    assert ended["street"].question is not None and ended["street"].question.whole is question
    assert question.disputed == {"city"}


def test_what_cannot_be_of_one_place_is_of_two_though_no_part_differs() -> None:
    beside = decisions({"city": "Stockholm"}, {"south": {"postalCode": "1610", "country": "Luxembourg"}})
    assert written(beside) == {}
    assert reasons(beside, "postalCode", "country") == [PROTECTED] * 2
    assert beside["country"].detail == "South gives another address: the city cannot be of it"
    apart = decisions({"country": "Sweden"}, {"south": {"city": "Luxembourg", "postalCode": "1610"}})
    assert written(apart) == {}
    two: Answers = {"north": {"city": "Stockholm"}, "south": {"postalCode": "1610", "country": ("Luxembourg", 0.8)}}
    assert written(decisions({}, two)) == {"city": "Stockholm"}
    fits = {"north": {"city": "Stockholm"}, "south": {"postalCode": "11153", "country": "Sweden"}}
    assert written(decisions({}, fits)) == {"city": "Stockholm", "postalCode": "11153", "country": "Sweden"}
    unknown = decisions({"city": "Kleinkleckersdorf"}, {"south": {"country": "Germany"}})
    assert written(unknown) == {"country": "Germany"}


def test_minimum_and_policy_of_each_part_hold_for_what_is_written() -> None:
    sure = {"postalCode": {"policy": "review", "minConfidence": 0.95}, "street": "never"}
    ended = decisions({"city": "Stockholm"}, {"directory": STOCKHOLM}, fields=sure)
    assert written(ended) == {"country": "SE"}
    assert reasons(ended, "street", "postalCode") == [PROTECTED, BELOW]


JANE = {
    "company": "Acme", "companyDomain": "acme.com", "title": "Engineer", "email": "jane@acme.com",
    "phone": "+442079460818",
}  # fmt: skip
MOVED = {"company": "Globex", "companyDomain": "globex.com", "title": "Head of Engineering", "seniorityLevel": "head"}


def test_a_change_of_employer_is_one_question() -> None:
    ended = decisions(JANE, {"apollo": MOVED}, entity_type=LEAD)
    question = asked(ended)
    assert (written(ended), question.reason) == ({}, ConflictReason.JOB_CHANGE)
    assert question.disputed == {"company", "companyDomain"}
    assert question.parts == ("email", "phone", "title", "seniorityLevel", "company", "companyDomain")
    assert question.because.startswith(
        "Apollo names another employer, Globex (globex.com) instead of Acme (acme.com), as Head of Engineering instead"
        " of Engineer, so that jane@acme.com may no longer reach the person; "
    )
    assert reasons(ended, "title", "seniorityLevel", "company", "companyDomain") == [CONFLICT] * 4


def test_another_name_of_the_same_employer_is_no_change_of_employer() -> None:
    for crm, answer in (
        (JANE, {"company": "Globex", "companyDomain": "acme.com"}),
        (JANE, {"company": "Acme", "companyDomain": "acme.io", "title": "CTO"}),
        ({"company": "Acme", "email": "jane@acme.com"}, {"company": "Acme Widgets", "companyDomain": "acme.com"}),
        (JANE, {"companyDomain": "globex.com", "title": "CTO"}),  # it names no company
    ):
        assert asked(decisions(crm, {"apollo": answer}, entity_type=LEAD)).reason is ConflictReason.EXISTING_DIFFERS


def test_no_e_mail_is_called_at_risk_that_the_old_employer_did_not_give() -> None:
    for email in ("jane@gmail.com", "jane@other.org"):
        question = asked(decisions(JANE | {"email": email}, {"apollo": MOVED}, entity_type=LEAD))
        assert (question.reason, email in question.because) == (ConflictReason.JOB_CHANGE, False)


def test_a_private_mailbox_is_no_part_of_an_employment() -> None:
    crm = {name: value for name, value in JANE.items() if name != "email"}
    ended = decisions(crm, {"apollo": MOVED | {"email": "jane.doe@gmail.com"}}, entity_type=LEAD)
    assert written(ended) == {"email": "jane.doe@gmail.com"}
    assert "email" not in asked(ended).parts
    held_back = decisions(crm, {"apollo": MOVED | {"email": "jane@globex.com"}}, entity_type=LEAD)
    assert (written(held_back), held_back["email"].reason) == ({}, CONFLICT)


def test_a_title_that_differs_alone_is_a_question_of_its_own() -> None:
    same_employer = {"company": "Acme, Inc.", "companyDomain": "acme.com", "title": "CTO", "department": "engineering"}
    ended = decisions(JANE, {"apollo": same_employer}, entity_type=LEAD)
    question = ended["title"].question
    assert question is not None and question.whole is None
    assert written(ended) == {"department": "engineering"}


def test_an_account_has_no_employment() -> None:
    ended = decisions({"name": "Acme", "phone": "+442079460818"}, {"apollo": {"name": "Globex", "industry": "Banking"}})
    assert written(ended) == {"industry": "Banking"}


PLACES = {
    "street": ["A 1", "B 2"], "city": ["Oakland", "Lima", "Quito"], "state": ["CA", "NY"],
    "postalCode": ["11111", "22222"], "country": ["US", "PE", "EC"],
}  # fmt: skip
CONFIDENCES = st.sampled_from([0.2, 0.4, 0.5, 0.6, 0.7, 0.9, 0.95])


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={name: st.tuples(st.sampled_from(PLACES[name]), values) for name in PLACES}
    )


@given(
    held=_some(st.sampled_from(["crm", "reviewer", "one", "two"])),
    answers=st.dictionaries(st.sampled_from(["one", "two", "three"]), _some(CONFIDENCES)),
    policies=st.fixed_dictionaries(
        {name: st.sampled_from(["fill_empty", "tracked", "review", "overwrite", "never"]) for name in PLACES}
    ),
    strategy=st.sampled_from(["waterfall", "consensus"]),
)
def test_whatever_is_written_belongs_to_one_address(
    held: dict[str, Any], answers: dict[str, Any], policies: dict[str, str], strategy: str
) -> None:
    values = {name: (value, source, 0.8) for name, (value, source) in held.items()}
    ended = decisions({}, answers, held=values, fields=policies, strategy=strategy)
    after = {name: value for name, (value, _) in held.items()} | written(ended)
    writing = {name: decision.write.provider for name, decision in ended.items() if decision.write}
    for source in writing.values():
        for name in disputing_parts(FieldUnit.ADDRESS) & after.keys() & answers[source].keys():
            assert is_equivalent(ACCOUNT, name, after[name], answers[source][name][0])
    by_part = [decision.question for name, decision in ended.items() if decision.question and name in PLACES]
    wholes = {id(question.whole) for question in by_part if question.whole is not None}
    assert len(wholes) <= 1
    assert not wholes or all(question.whole is not None for question in by_part)
    for name, decision in ended.items():
        if name in PLACES:
            assert (decision.reason is CONFLICT) == (decision.question is not None)
            assert policies[name] != "never" or decision.reason in (PROTECTED, FieldOutcomeReason.SKIPPED)
