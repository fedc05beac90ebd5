"""Crunchbase: one search for a domain, autocomplete for a name, and classes read as ranges."""

from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from providers.api import NO_MATCH, Answer, ProviderError
from providers.crunchbase.adapter import Crunchbase
from providers.crunchbase.parse import FIELD_SETS
from providers.http.adapter import Reply
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

EXAMPLE = account(domain="example.com")


def organization(**changes: Any) -> dict[str, Any]:
    properties = body_of("crunchbase", "company_found")["properties"]
    return {name: value for name, value in {**properties, **changes}.items() if value is not ...}


def searched(*organizations: dict[str, Any]) -> Reply:
    entities = [{"uuid": "u", "properties": properties} for properties in organizations]
    return reply({"count": len(entities), "entities": entities})


async def asked(question: Any, *replies: Reply) -> Any:
    return await Crunchbase().look_up(question, FakeHttp(*replies))


async def refused(*replies: Reply, question: Any = EXAMPLE) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asked(question, *replies)
    return caught.value


async def test_a_company_is_found_by_one_search_for_its_domain() -> None:
    http = FakeHttp(searched(organization(revenue_range="r_00050000")))
    answer = await Crunchbase().look_up(EXAMPLE, http)
    assert values(answer) == {
        "name": "Example Robotics",
        "domain": "example.com",
        "website": "https://example.com",
        "industry": "Hardware",
        "subIndustry": "Robotics",
        "tags": ["Robotics"],
        "numberOfEmployees": "251-500",
        "annualRevenue": "50000000-100000000",
        "phone": "+12025550140",
        "foundedYear": 2014,
        "description": "Fictional maker of warehouse robots.",
        "linkedinUrl": "https://www.linkedin.com/company/example-robotics-fictional",
        "city": "Portland",
        "state": "Oregon",
        "country": "United States",
    }
    assert answer.detail.endswith("https://www.crunchbase.com/organization/example-robotics-fictional")  # type: ignore[union-attr]  # never pending
    [sent] = http.sent
    assert (sent.method, sent.path) == ("POST", "/data/searches/organizations")
    assert sent.headers["X-cb-user-key"] == "TEST_KEY"
    assert sent.json["query"] == [
        {"type": "predicate", "field_id": "website_url", "operator_id": "domain_eq", "values": ["example.com"]}
    ]
    assert {"num_employees_enum", "revenue_range", "location_identifiers"} <= set(sent.json["field_ids"])


async def test_values_are_as_old_as_the_entry() -> None:
    answer = await asked(EXAMPLE, searched(organization()))
    assert {finding.observed_at for finding in answer.findings} == {datetime(2026, 10, 1, tzinfo=UTC)}


async def test_a_lead_is_told_of_its_employer_only() -> None:
    answer = await asked(lead(email="mara.lindqvist@example.com"), searched(organization()))
    assert values(answer) == {
        "company": "Example Robotics",
        "companyDomain": "example.com",
        "website": "https://example.com",
        "industry": "Hardware",
        "numberOfEmployees": "251-500",
    }


@pytest.mark.parametrize(
    ("code", "employees"),
    [
        ("c_00001_00010", "1-10"),
        ("c_00011_00050", "11-50"),
        ("c_00051_00100", "51-100"),
        ("c_01001_05000", "1001-5000"),
        ("c_10001_max", "10001+"),
        ("c_unknown", None),
        (250, None),
        (None, None),
    ],
)
async def test_classes_of_employees_are_ranges(code: Any, employees: Any) -> None:
    answer = await asked(EXAMPLE, searched(organization(num_employees_enum=code)))
    assert values(answer).get("numberOfEmployees") == employees


@pytest.mark.parametrize(
    ("code", "revenue"),
    [
        ("r_00000000", "0-1000000"),
        ("r_00001000", "1000000-10000000"),
        ("r_00010000", "10000000-50000000"),
        ("r_00100000", "100000000-500000000"),
        ("r_00500000", "500000000-1000000000"),
        ("r_01000000", "1000000000-10000000000"),
        ("r_10000000", "10000000000+"),
        ("r_99", None),
        ({"value": 1}, None),
    ],
)
async def test_classes_of_revenue_are_ranges_of_dollars(code: Any, revenue: Any) -> None:
    answer = await asked(EXAMPLE, searched(organization(revenue_range=code)))
    assert values(answer).get("annualRevenue") == revenue


@pytest.mark.parametrize(
    ("founded", "year"),
    [
        ({"value": "2014-01-01", "precision": "year"}, 2014),
        ({"value": "1998-09-04", "precision": "day"}, 1998),
        ({"value": "1998-09-01", "precision": "month"}, 1998),
        ({"value": "2014-01-01", "precision": "none"}, None),
        ({"value": 2014, "precision": "year"}, None),
        ("2014", None),
        (None, None),
    ],
)
async def test_the_year_of_founding_needs_its_precision(founded: Any, year: Any) -> None:
    assert values(await asked(EXAMPLE, searched(organization(founded_on=founded)))).get("foundedYear") == year


async def test_values_of_wrong_types_are_left_out() -> None:
    odd: dict[str, Any] = {name: [{"value": {}}] for name in organization()}
    odd.update(website_url="https://example.com", location_identifiers="Portland", categories={"value": 3})
    assert values(await asked(EXAMPLE, searched(odd))) == {"domain": "example.com", "website": "https://example.com"}


async def test_a_search_that_finds_nothing_is_a_miss() -> None:
    assert not (await asked(EXAMPLE, searched())).matched


async def test_a_search_that_only_names_the_organization_is_followed_by_its_entry() -> None:
    http = FakeHttp(sample("crunchbase", "search_by_domain"), sample("crunchbase", "company_found"))
    assert values(await Crunchbase().look_up(EXAMPLE, http))["numberOfEmployees"] == "251-500"
    assert http.sent[1].path == "/data/entities/organizations/00000000-0000-4000-8000-0000000000c1"
    bare = FakeHttp(sample("crunchbase", "search_by_domain"), sample("crunchbase", "not_found"))
    assert values(await Crunchbase().look_up(EXAMPLE, bare))["name"] == "Example Robotics"


async def test_of_several_with_one_domain_the_name_decides_else_who_is_open_and_prominent() -> None:
    closed = organization(name="Old Robotics", operating_status="closed", rank_org=1)
    small = organization(name="Example Labs", rank_org=500)
    big = organization(name="Example Robotics", rank_org=20)
    several = searched(closed, small, big)
    assert (
        values(await asked(account(domain="example.com", name="Example Labs Inc"), several))["name"] == "Example Labs"
    )
    unnamed = await asked(EXAMPLE, several)
    assert values(unnamed)["name"] == "Example Robotics"
    assert confidences(unnamed)["name"] < confidences(await asked(EXAMPLE, searched(big)))["name"]


def company_at(name: str) -> dict[str, Any]:
    return organization(name=name.title(), website_url=f"https://{name}.test", website=...)


async def test_many_domains_go_in_one_search_and_each_company_is_told_by_its_own() -> None:
    adapter, asked = Crunchbase(), [account(domain=f"{name}.test") for name in ("acme", "bolt", "nobody")]
    assert len({adapter.batch_of(question) for question in asked}) == 1
    assert adapter.batch_of(account(name="Acme")) is None
    http = FakeHttp(searched(company_at("bolt"), company_at("acme")))
    acme, bolt, nobody = await adapter.look_up_many(asked, http)
    [sent] = http.sent
    assert sent.json["query"][0]["values"] == ["acme.test", "bolt.test", "nobody.test"]
    assert isinstance(acme, Answer)
    assert isinstance(bolt, Answer)
    assert (values(acme)["name"], values(bolt)["name"], nobody) == ("Acme", "Bolt", NO_MATCH)


async def test_where_a_list_brings_one_company_or_is_refused_the_others_are_asked_alone() -> None:
    adapter, asked = Crunchbase(), [account(domain="acme.test"), account(domain="bolt.test")]
    found, alone = await adapter.look_up_many(asked, FakeHttp(searched(company_at("acme"))))
    assert isinstance(found, Answer)
    assert (getattr(alone, "code", None), getattr(alone, "retryable", None)) == ("rejected", True)
    http = FakeHttp(*[reply({"value": "values: at most one"}, 400)] * len(FIELD_SETS))
    for _ in range(2):  # which is remembered
        outcomes = await adapter.look_up_many(asked, http)
        assert [getattr(outcome, "code", None) for outcome in outcomes] == ["rejected", "rejected"]
    assert len(http.sent) == len(FIELD_SETS)


async def test_a_company_of_another_domain_is_refused() -> None:
    error = await refused(searched(organization()), question=account(domain="acme.com"))
    assert (error.code, error.retryable) == ("wrong_entity", False)
    # One fits, so the other is only a neighbour in the list.
    both = searched(organization(website_url="https://other.test"), organization())
    assert (await asked(EXAMPLE, both)).matched


async def test_a_name_is_looked_up_by_autocomplete_and_then_the_entry() -> None:
    http = FakeHttp(sample("crunchbase", "autocomplete_found"), sample("crunchbase", "company_found"))
    answer = await Crunchbase().look_up(account(name="Example Robotics GmbH"), http)
    assert values(answer)["domain"] == "example.com"
    assert confidences(answer)["name"] == 0.75
    assert http.sent[0].params == {"query": "Example Robotics GmbH", "collection_ids": "organizations", "limit": "5"}
    assert "num_employees_enum" in http.sent[1].params["field_ids"].split(",")


async def test_a_name_that_several_share_or_nobody_has_is_a_miss() -> None:
    entity = body_of("crunchbase", "autocomplete_found")["entities"][0]
    shared = await asked(account(name="Example Robotics"), reply({"entities": [entity, entity]}))
    assert (shared.matched, shared.detail) == (False, "2 companies share this name")
    assert not (await asked(account(name="Acme"), reply({"entities": [entity]}))).matched
    gone = sample("crunchbase", "autocomplete_found"), sample("crunchbase", "not_found")
    assert not (await asked(account(name="Example Robotics"), *gone)).matched


async def test_the_country_of_an_account_confirms_a_name_or_speaks_against_it() -> None:
    found = sample("crunchbase", "autocomplete_found"), sample("crunchbase", "company_found")
    here = await asked(account(name="Example Robotics", country="United States"), *found)
    assert confidences(here)["name"] == 0.85
    assert not (await asked(account(name="Example Robotics", country="Germany"), *found)).matched
    # A lead's country is its own, and says nothing of the company's seat.
    assert (await asked(lead(company="Example Robotics", country="Germany"), *found)).matched


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "wait"),
    [
        (sample("crunchbase", "unauthorized"), "bad_key", False, None),
        (sample("crunchbase", "rate_limited"), "rate_limited", True, 60.0),
        (sample("crunchbase", "rate_limited", retry_after="7"), "rate_limited", True, 7.0),
        (reply({"value": "broken"}, 500), "unavailable", True, None),
        (reply(b"<html>", 502), "unavailable", True, None),
        (reply(None, 426), "rejected", False, None),
        (reply(b"<html>"), "invalid_answer", False, None),
        (reply({"count": 0}), "invalid_answer", False, None),
        (reply([1]), "invalid_answer", False, None),
    ],
)
async def test_errors_are_told_apart(answer: Reply, code: str, retryable: bool, wait: float | None) -> None:
    error = await refused(answer)
    assert (error.code, error.retryable, error.retry_after_seconds) == (code, retryable, wait)


async def test_fields_outside_of_the_plan_cost_one_call_and_not_the_provider() -> None:
    adapter = Crunchbase()
    http = FakeHttp(sample("crunchbase", "invalid_request"), searched(organization()), searched(organization()))
    for _ in range(2):
        assert values(await adapter.look_up(EXAMPLE, http))["name"] == "Example Robotics"
    assert ["revenue_range" in sent.json["field_ids"] for sent in http.sent] == [True, False, False]
    assert all("facebook" in sent.json["field_ids"] for sent in http.sent)
    assert (await refused(*[sample("crunchbase", "invalid_request")] * 3)).code == "rejected"


async def test_the_networks_survive_a_refused_paid_field_and_go_only_where_they_are_refused_themselves() -> None:
    adapter, no = Crunchbase(), sample("crunchbase", "invalid_request")
    on_networks = {"facebook": {"value": "https://www.facebook.com/example"}}
    http = FakeHttp(no, searched(organization() | on_networks), no, searched(organization()), searched(organization()))
    assert values(await adapter.look_up(EXAMPLE, http))["facebookUrl"] == "https://www.facebook.com/example"
    assert values(await adapter.look_up(EXAMPLE, http))["name"] == "Example Robotics"
    await adapter.look_up(EXAMPLE, http)
    asked = [{"revenue_range", "facebook"} & set(sent.json["field_ids"]) for sent in http.sent]
    assert asked == [{"revenue_range", "facebook"}, {"facebook"}, {"facebook"}, set(), set()]


def test_its_licence_counts_no_credits() -> None:
    assert Crunchbase.info.price == 0
    assert Crunchbase.info.keeps_answers


def test_records_of_one_company_share_a_key() -> None:
    key = Crunchbase().input_key
    assert key(lead(email="a.b@example.com")) == key(lead(companyDomain="example.com", email="c@gmail.com"))
    assert key(account(domain="example.com")) == key(account(website="https://example.com", name="Anything"))
    assert key(account(domain="example.com")) != key(lead(companyDomain="example.com"))
    assert key(account(name="Acme, Inc.")) == key(account(name="ACME"))
    assert key(account(name="Acme")) != key(account(name="Acme", country="Germany"))
    assert key(lead(email="a.b@gmail.com")) is None
    assert key(account(city="Portland")) is None


async def test_a_key_is_checked_by_a_free_call() -> None:
    http = FakeHttp(sample("crunchbase", "autocomplete_found"))
    assert (await Crunchbase().check_key(http)).valid
    assert http.sent[0].method == "GET"
    assert not (await Crunchbase().check_key(FakeHttp(sample("crunchbase", "unauthorized")))).valid
    with pytest.raises(ProviderError):
        await Crunchbase().check_key(FakeHttp(reply(None, 503)))


def test_it_gives_fields_of_the_catalogue_only() -> None:
    for entity_type, fields in Crunchbase.info.gives.items():
        assert fields <= fields_of(entity_type).keys()
