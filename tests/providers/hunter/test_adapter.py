"""Hunter: contradictory statuses, the account that settles them, people without names, and two ways to write sizes."""

from typing import Any

import pytest

from enrichment.catalogue import fields_of
from providers.api import NO_MATCH, ProviderError
from providers.http.adapter import Reply
from providers.hunter.adapter import Hunter
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

NOW = 1_795_478_400.0  # 24 November 2026
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
WEEK = 7 * 86400.0


def hunter() -> Hunter:
    return Hunter(wall=lambda: NOW)


def person(**changes: Any) -> Any:
    return {"data": body_of("hunter", "person_found")["data"] | changes}


def company(**changes: Any) -> Any:
    return {"data": body_of("hunter", "company_found")["data"] | changes}


def balance(used: Any, counter: str = "searches") -> Reply:
    counters = {counter: {"used": used, "available": 2000}}
    return reply({"data": {"reset_date": "2026-12-01", "requests": counters}})


def failed(status: int, error_id: str = "", **headers: str) -> Reply:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply({"errors": [{"id": error_id, "code": status}]}, status, told)


def spoken(details: str) -> Reply:
    return reply({"errors": [{"id": "too_many_requests", "code": 429, "details": details}]}, 429)


async def asked(question: Any, *answers: Reply) -> Any:
    return await hunter().look_up(question, FakeHttp(*answers))


async def refused(question: Any, *answers: Reply | ProviderError, by: Hunter | None = None) -> ProviderError:
    http = FakeHttp(*answers)
    with pytest.raises(ProviderError) as caught:
        await (by or hunter()).look_up(question, http)
    assert [sent.path for sent in http.sent[1:]] == ["/account"] * (len(answers) - 1)
    return caught.value


async def test_a_person_is_read() -> None:
    http = FakeHttp(sample("hunter", "person_found"))
    assert values(await hunter().look_up(MARA, http)) == {
        "firstName": "Mara",
        "lastName": "Lindqvist",
        "phone": "+12025550164",
        "title": "VP of Engineering",
        "seniorityLevel": "VP",
        "department": "Engineering",
        "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist-fictional-000",
        "city": "Portland",
        "state": "Oregon",
        "country": "United States",
        "company": "Example Robotics",
        "companyDomain": "example.com",
    }
    [sent] = http.sent
    assert (sent.method, sent.path, sent.params) == ("GET", "/people/find", {"email": "mara.lindqvist@example.com"})
    assert sent.headers["X-API-KEY"] == "TEST_KEY"


async def test_a_profile_tells_the_address() -> None:
    http = FakeHttp(sample("hunter", "person_found"))
    found = values(
        await hunter().look_up(
            lead("email", linkedinUrl="https://www.linkedin.com/in/mara-lindqvist-fictional-000"), http
        )
    )
    assert found["email"] == "mara.lindqvist@example.com"
    assert http.sent[0].params == {"linkedin_handle": "mara-lindqvist-fictional-000"}


@pytest.mark.parametrize(
    ("metrics", "employees"),
    [
        ({"employees": "201-500"}, "201-500"),
        ({"employees": 420, "employeesRange": "251-1K"}, 420),
        ({"employees": "420"}, 420),
        ({"employees": "1K-5K"}, "1000-5000"),
        ({"employees": None, "employeesRange": "11-50"}, "11-50"),
        ({"employees": True}, None),
        ("none", None),
    ],
)
async def test_employees_are_a_range_or_a_number(metrics: Any, employees: Any) -> None:
    assert values(await asked(EXAMPLE, reply(company(metrics=metrics)))).get("numberOfEmployees") == employees


async def test_a_company_is_read() -> None:
    geo = {"streetAddress": "100 Sample Street", "city": "Portland", "countryCode": "US"}
    category = {"industry": "Machinery", "sic4Codes": ["3559"], "naics6Codes2022": ["333248"], "naics6Codes": ["1"]}
    http = FakeHttp(reply(company(geo=geo, category=category)))
    found = values(await hunter().look_up(EXAMPLE, http))
    assert (found["name"], found["domain"], found["phone"]) == ("Example Robotics", "example.com", "+12025550140")
    assert (found["street"], found["country"]) == ("100 Sample Street", "United States")
    assert (found["industry"], found["sicCode"], found["naicsCode"]) == ("Machinery", "3559", "333248")
    assert (http.sent[0].path, http.sent[0].params) == ("/companies/find", {"domain": "example.com"})


async def test_names_may_be_missing() -> None:
    nameless = values(await asked(MARA, reply(person(name=None))))
    assert "firstName" not in nameless and nameless["title"] == "VP of Engineering"
    found = values(await asked(EXAMPLE, reply(company(name=None))))
    assert "name" not in found and found["foundedYear"] == 2014


async def test_somebody_who_left_is_believed_less() -> None:
    sure = confidences(await asked(MARA, reply(person())))
    left = confidences(await asked(MARA, reply(person(inactiveAt="2026-11-01"))))
    back = confidences(await asked(MARA, reply(person(inactiveAt="2026-01-01"))))
    assert left["title"] < sure["title"] == back["title"]


@pytest.mark.parametrize("body", [{"data": None}, {"data": {}}])
async def test_empty_data_is_no_match(body: Any) -> None:
    assert await asked(MARA, reply(body)) == NO_MATCH
    assert await asked(EXAMPLE, reply(body)) == NO_MATCH


async def test_values_of_wrong_types_are_left_out() -> None:
    odd: dict[str, Any] = {name: [[7]] for name in person()["data"]}
    assert await asked(MARA, reply({"data": odd})) == NO_MATCH
    odd = {name: {"a": True} for name in company()["data"]}
    assert values(await asked(EXAMPLE, reply({"data": odd | {"name": "Example"}}))) == {"name": "Example"}


async def test_a_miss_is_told_by_404() -> None:
    assert await asked(MARA, sample("hunter", "not_found")) == NO_MATCH
    assert await asked(MARA, reply(None, 404)) == NO_MATCH
    assert (await refused(MARA, failed(404, "wrong_route"))).code == "rejected"
    assert (await refused(MARA, reply(b"<html>no such page</html>", 404))).code == "rejected"


async def test_who_asked_not_to_be_processed_is_left_alone() -> None:
    answer = await asked(MARA, failed(451, "claimed_email"))
    assert (answer.matched, answer.detail) == (False, "the person asked not to be processed")


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "wait"),
    [
        (sample("hunter", "unauthorized"), "bad_key", False, None),
        (sample("hunter", "invalid_request"), "rejected", False, None),
        (reply(b"<html>", 502), "unavailable", True, None),
        (failed(429, "usage_exceeded", retry_after="9"), "rate_limited", True, 9.0),  # it says when to come again
        (failed(403, retry_after="9"), "rate_limited", True, 9.0),
        (reply(None, 202), "unavailable", True, None),
        (reply(b"garbage"), "invalid_answer", False, None),
        (reply({}), "invalid_answer", False, None),
        (reply({"data": [1]}), "invalid_answer", False, None),
        (reply([]), "invalid_answer", False, None),
    ],
)
async def test_errors_are_told_apart(answer: Reply, code: str, retryable: bool, wait: float | None) -> None:
    error = await refused(MARA, answer)
    assert (error.code, error.retryable, error.retry_after_seconds) == (code, retryable, wait)


@pytest.mark.parametrize(
    ("answer", "told", "code", "wait"),
    [
        (failed(402), balance(2000), "out_of_credits", WEEK),
        (failed(402), reply(None, 500), "out_of_credits", None),
        (sample("hunter", "out_of_credits"), sample("hunter", "credit_balance"), "out_of_credits", WEEK),
        (failed(429), balance(2000), "out_of_credits", WEEK),
        (failed(429), balance(2000, "credits"), "out_of_credits", WEEK),
        (failed(429), balance(1999), "rate_limited", 60.0),
        (failed(429), reply(b"<html>"), "rate_limited", 60.0),
        (failed(429), ProviderError("timeout", "x", retryable=True), "rate_limited", 60.0),
        (sample("hunter", "rate_limited"), balance(5), "rate_limited", 60.0),
        (sample("hunter", "rate_limited"), balance(2000), "out_of_credits", WEEK),
        (spoken("You reached your usage limit"), reply(None, 500), "out_of_credits", None),
        (spoken("You reached your usage limit"), balance(5), "rate_limited", 60.0),
        (spoken("Slow down"), reply(None, 500), "rate_limited", 60.0),
        (failed(403), balance(5), "rate_limited", 60.0),
        (failed(403), failed(401), "bad_key", None),
        (failed(403), reply(None, 403), "bad_key", None),
    ],
)
async def test_the_account_settles_what_a_status_means(
    answer: Reply, told: Reply | ProviderError, code: str, wait: float | None
) -> None:
    error = await refused(MARA, answer, told)
    assert (error.code, error.retry_after_seconds) == (code, wait)
    assert error.retryable is (code == "rate_limited")


async def test_a_403_that_stays_says_that_the_key_may_not() -> None:
    adapter = hunter()

    async def code() -> str:
        return (await refused(MARA, failed(403, "forbidden"), balance(5), by=adapter)).code

    assert [await code() for _ in range(4)] == ["rate_limited", "rate_limited", "rate_limited", "no_access"]
    await adapter.look_up(MARA, FakeHttp(sample("hunter", "person_found")))
    assert await code() == "rate_limited"


async def test_an_answer_about_somebody_else_is_refused() -> None:
    for question in (
        lead(email="bo.berg@acme.test"),
        lead(linkedinUrl="https://www.linkedin.com/in/bo-berg"),
    ):
        assert (await refused(question, reply(person()))).code == "wrong_entity"
    assert (await refused(account(domain="acme.io"), reply(company()))).code == "wrong_entity"
    assert values(await asked(account(domain="acme.io"), reply(company(domainAliases=["acme.io"]))))["name"]


def test_one_answer_serves_all_who_ask_the_same() -> None:
    key = hunter().input_key
    assert key(lead("industry", email="a.b@example.com")) == key(lead("industry", email="c.d@example.com"))
    assert key(lead("title", email="a.b@example.com")) != key(lead("title", email="c.d@example.com"))
    assert key(lead("title", companyDomain="example.com")) is None
    assert key(lead("email", email="a.b@example.com")) is None  # it would only be repeated
    assert key(lead(firstName="Mara", lastName="Lindqvist", company="Example")) is None
    assert key(account(name="Example")) is None


async def test_a_key_is_checked_by_the_account() -> None:
    http = FakeHttp(sample("hunter", "credit_balance"), sample("hunter", "invalid_request"), failed(403))
    check = await hunter().check_key(http)
    assert check.may == {"people": True, "companies": False}
    assert (check.valid, check.credits_left, http.credits) == (True, 1880, [1880])
    assert check.renews_at is not None and check.renews_at.date().isoformat() == "2026-12-01"
    assert http.sent[0].path == "/account"
    assert not (await hunter().check_key(FakeHttp(sample("hunter", "unauthorized")))).valid
    with pytest.raises(ProviderError):
        await hunter().check_key(FakeHttp(failed(429)))


def test_repeats_may_cost_and_it_gives_fields_of_the_catalogue_only() -> None:
    assert not Hunter.info.repeats_free
    for entity_type, fields in Hunter.info.gives.items():
        assert fields <= fields_of(entity_type).keys()
