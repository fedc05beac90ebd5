"""What decides an answer is the input key: whatever else is sent asks, and costs, nothing anew."""

from typing import Any

import pytest

from providers.api import Question
from providers.apollo.adapter import Apollo
from providers.clearbit.adapter import Clearbit
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import account, lead

PEOPLE: dict[Any, str] = {
    Apollo(): "person|person|email=mara.lindqvist@example.com",
    PeopleDataLabs(): "person|person|email=mara.lindqvist@example.com",
    Hunter(): "person|people|email=mara.lindqvist@example.com",
    ZoomInfo(): "person|contact|emailAddress=mara.lindqvist@example.com",
    Clearbit(): "person|combined|mara.lindqvist@example.com",
}
COMPANIES: dict[Any, str] = {
    Apollo(): "account|company|domain=example.com",
    PeopleDataLabs(): "account|company|website=example.com",
    Hunter(): "account|companies|domain=example.com",
    ZoomInfo(): "account|company|companyWebsite=www.example.com",
    Clearbit(): "account|company|example.com",
}
KNOWN = {
    "firstName": "Mara",
    "lastName": "Lindqvist",
    "company": "Example",
    "mobilePhone": "+12025550164",
    "city": "Bonn",
}


@pytest.mark.parametrize("adapter", PEOPLE)
def test_people_of_one_address_are_one_question_under_the_key_of_earlier_versions(adapter: Any) -> None:
    address = "mara.lindqvist@example.com"
    asked = (lead(email=address), lead(email=address, **KNOWN), lead(email=address, firstName="M.", city="Ulm"))
    assert {adapter.input_key(question) for question in asked} == {PEOPLE[adapter]}


@pytest.mark.parametrize("adapter", COMPANIES)
def test_accounts_of_one_domain_are_one_question_under_the_key_of_earlier_versions(adapter: Any) -> None:
    asked = (
        account(domain="example.com"),
        account(domain="example.com", name="Example", city="Bonn", phone="+4930901820"),
    )
    assert {adapter.input_key(question) for question in asked} == {COMPANIES[adapter]}


def test_namesakes_are_told_apart_by_their_place_and_kept_answers_without_it_are_found() -> None:
    adapter = PeopleDataLabs()
    name = {"firstName": "Mara", "lastName": "Lindqvist", "company": "Example"}
    nowhere = "person|person|company=example|first_name=mara|last_name=lindqvist"
    assert (adapter.input_key(lead(**name)), adapter.broader_key(lead(**name))) == (nowhere, None)
    bonn, ulm = (lead(**name, city=city) for city in ("Bonn", "Ulm"))
    assert len({nowhere, adapter.input_key(bonn), adapter.input_key(ulm)}) == 3
    assert adapter.broader_key(bonn) == adapter.broader_key(ulm) == nowhere
    of_name = account(name="Example", country="Germany", city="Bonn")
    assert adapter.broader_key(of_name) == "account|company|country=germany|name=example"


@pytest.mark.parametrize(("adapter", "question"), [(Apollo(), lead(email="a.b@example.com", company="Example"))])
def test_what_an_address_says_already_is_not_sent_twice(adapter: Apollo, question: Question) -> None:
    lookup = adapter._look_up_of(question)
    assert lookup is not None
    assert lookup.params == {"email": "a.b@example.com", "organization_name": "Example"}
