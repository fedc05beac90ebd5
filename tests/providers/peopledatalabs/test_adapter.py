"""People Data Labs: likelihood, masked values, lower case, and credits in the headers."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from providers.api import NO_MATCH, Answer, ProviderError
from providers.http.adapter import Reply
from providers.peopledatalabs.adapter import PeopleDataLabs
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC).timestamp()
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
MASKABLE = [
    *("work_email", "mobile_phone", "emails", "phone_numbers", "personal_emails", "recommended_personal_email"),
    *("birth_date", "location_locality", "location_region", "location_name", "location_country"),
]


def pdl() -> PeopleDataLabs:
    return PeopleDataLabs(wall=lambda: NOW)


def person(likelihood: Any = 9, **changes: Any) -> Any:
    body = body_of("peopledatalabs", "person_found")
    body["data"].update(changes)
    return body | {"likelihood": likelihood}


def company(**changes: Any) -> Any:
    return body_of("peopledatalabs", "company_found") | changes


async def asked(question: Any, answer: Reply) -> Any:
    return await pdl().look_up(question, FakeHttp(answer))


async def refused(question: Any, answer: Reply) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asked(question, answer)
    return caught.value


async def test_a_person_is_read_with_the_employer() -> None:
    http = FakeHttp(sample("peopledatalabs", "person_found"))
    answer = await pdl().look_up(MARA, http)
    assert values(answer) == {
        "firstName": "Mara",
        "lastName": "Lindqvist",
        "email": "mara.lindqvist@example.com",
        "mobilePhone": "+12025550164",
        "title": "VP of Engineering",
        "seniorityLevel": "VP",
        "department": "Engineering",
        "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist-fictional-000",
        "city": "Portland",
        "state": "Oregon",
        "country": "United States",
        "company": "Example Robotics",
        "companyDomain": "example.com",
        "website": "https://example.com",
        "industry": "industrial automation",
        "numberOfEmployees": "201-500",
    }
    assert isinstance(answer, Answer)
    assert {finding.observed_at for finding in answer.findings} == {datetime(2026, 10, 1, tzinfo=UTC)}
    [sent] = http.sent
    assert (sent.method, sent.path, sent.headers["X-Api-Key"]) == ("GET", "/v5/person/enrich", "TEST_KEY")
    assert (sent.params["email"], sent.params["min_likelihood"]) == ("mara.lindqvist@example.com", "6")


async def test_a_company_is_read_though_it_has_no_data_around_it() -> None:
    http = FakeHttp(sample("peopledatalabs", "company_found"))
    assert values(await pdl().look_up(EXAMPLE, http)) == {
        "name": "Example Robotics",
        "domain": "example.com",
        "website": "https://example.com",
        "industry": "industrial automation",
        "numberOfEmployees": 420,
        "annualRevenue": "50000000-100000000",
        "foundedYear": 2014,
        "description": "fictional maker of warehouse robots",
        "linkedinUrl": "https://www.linkedin.com/company/example-robotics-fictional",
        "street": "100 Sample Street",
        "city": "Portland",
        "state": "Oregon",
        "postalCode": "97201",
        "country": "United States",
        "techStack": ["kubernetes"],
        "tags": ["robotics"],
    }
    assert (http.sent[0].path, http.sent[0].params["website"]) == ("/v5/company/enrich", "example.com")
    assert http.sent[0].params["min_likelihood"] == "4"


@pytest.mark.parametrize("masked", [True, False])
async def test_masked_values_are_dropped(masked: bool) -> None:
    found = values(await asked(MARA, reply(person(**dict.fromkeys(MASKABLE, masked)))))
    assert found.keys().isdisjoint({"email", "mobilePhone", "phone", "city", "state", "country"})
    assert found["title"] == "VP of Engineering"


async def test_values_of_wrong_types_are_left_out() -> None:
    odd: dict[str, Any] = {name: {"a": [True]} for name in body_of("peopledatalabs", "person_found")["data"]}
    assert values(await asked(MARA, reply({"data": odd | {"work_email": MARA.fields["email"]}}))) == MARA.fields
    odd = {name: [[7]] for name in body_of("peopledatalabs", "company_found")}
    found = values(await asked(EXAMPLE, reply(odd | {"website": "example.com"})))
    assert found == {"domain": "example.com", "website": "https://example.com"}


async def test_belief_follows_the_likelihood() -> None:
    odd_ones: list[Any] = [None, "high", True, [], 1e300, -4]
    beliefs = [confidences(await asked(MARA, reply(person(told))))["firstName"] for told in range(1, 11)]
    assert beliefs == sorted(set(beliefs))
    assert beliefs[0] < 0.2 and beliefs[-1] < 1
    for odd in odd_ones:
        assert 0 < confidences(await asked(MARA, reply(person(odd))))["firstName"] < 1


async def test_personal_addresses_are_left_out_and_a_second_number_is_found() -> None:
    personal = person(work_email=None, emails=[{"address": "mara@example.org", "type": "personal"}])
    assert "email" not in values(await asked(lead(email="mara@example.org"), reply(personal)))
    listed = person(work_email=True, emails=[{"address": "mara.l@example.com", "type": "professional"}])
    assert values(await asked(MARA, reply(listed)))["email"] == "mara.l@example.com"
    phones = values(await asked(MARA, reply(person(phone_numbers=["+12025550164", "+12025550199"]))))
    assert (phones["mobilePhone"], phones["phone"]) == ("+12025550164", "+12025550199")


@pytest.mark.parametrize(
    ("size", "revenue", "employees", "money"),
    [
        ("10001+", "$10B+", "10001+", "10000000000+"),
        ("1-10", "$0-$1M", "1-10", "0-1000000"),
        ("51-200", "$500M-$1B", "51-200", "500000000-1000000000"),
        (True, 5, None, None),
    ],
)
async def test_sizes_are_ranges_where_no_count_is_told(size: Any, revenue: Any, employees: Any, money: Any) -> None:
    body = company(employee_count=None, size=size, inferred_revenue=revenue)
    found = values(await asked(EXAMPLE, reply(body)))
    assert found.get("numberOfEmployees") == employees
    if money is not None:
        assert found["annualRevenue"] == money


@pytest.mark.parametrize("codes", [["334111"], [{"naics_code": "334111"}], "334111"])
async def test_codes_are_texts_or_objects(codes: Any) -> None:
    assert values(await asked(EXAMPLE, reply(company(naics=codes))))["naicsCode"] == "334111"


@pytest.mark.parametrize(
    ("question", "kind", "by"),
    [
        (
            lead(linkedinUrl="https://www.linkedin.com/in/mara-lindqvist-fictional-000"),
            "person",
            {"profile": "https://www.linkedin.com/in/mara-lindqvist-fictional-000"},
        ),
        (
            lead(firstName="Mara", lastName="Lindqvist", company="Example Robotics"),
            "person",
            {"first_name": "Mara", "last_name": "Lindqvist", "company": "Example Robotics"},
        ),
        (lead(mobilePhone="+12025550164"), "person", {"phone": "+12025550164"}),
        (lead("industry", email="mara.lindqvist@example.com"), "company", {"website": "example.com"}),
        (
            account(name="Example Robotics", country="United States"),
            "company",
            {"name": "Example Robotics", "country": "United States"},
        ),
    ],
)
async def test_it_asks_by_what_is_known(question: Any, kind: str, by: dict[str, str]) -> None:
    http = FakeHttp(sample("peopledatalabs", f"{kind}_found"))
    assert values(await pdl().look_up(question, http))
    assert http.sent[0].path == f"/v5/{kind}/enrich"
    assert by.items() <= http.sent[0].params.items()
    assert "min_likelihood" in http.sent[0].params


def test_one_answer_serves_all_who_ask_the_same() -> None:
    key = pdl().input_key
    assert key(lead("industry", email="a.b@example.com")) == key(lead("industry", email="c.d@example.com"))
    assert key(lead("title", email="a.b@example.com")) != key(lead("title", email="c.d@example.com"))
    assert key(lead("title", companyDomain="example.com")) is None
    assert key(lead(firstName="Mara")) is None


@pytest.mark.parametrize(
    ("wanted", "required"),
    [
        (("mobilePhone",), "mobile_phone OR phone_numbers"),
        (("phone", "mobilePhone"), "mobile_phone OR phone_numbers"),
        (("linkedinUrl",), "linkedin_url"),
        (("mobilePhone", "title"), None),
    ],
)
async def test_a_match_without_the_only_field_that_is_wanted_is_not_paid_for(
    wanted: tuple[str, ...], required: str | None
) -> None:
    question, everything = lead(*wanted, email="mara.lindqvist@example.com"), lead(email="mara.lindqvist@example.com")
    adapter, http = pdl(), FakeHttp(sample("peopledatalabs", "person_found"))
    await adapter.look_up(question, http)
    assert http.sent[0].params.get("required") == required
    batches = adapter.batch_of(question), adapter.batch_of(everything)
    assert (batches[0] == batches[1]) is (required is None)
    if required is not None:
        assert adapter.broader_key(question) == adapter.input_key(everything)
        assert (adapter.input_key(question) or "") in adapter.narrower_keys(everything)
        body = reply([{"status": 404}] * 2)
        many = FakeHttp(body)
        with suppress(ProviderError):
            await adapter.look_up_many([question, question], many)
        assert many.sent[0].json["required"] == required
    assert "required" not in (adapter.input_key(everything) or "")


async def test_a_miss_is_free_and_its_headers_are_read() -> None:
    http = FakeHttp(sample("peopledatalabs", "not_found"))
    assert await pdl().look_up(MARA, http) == replace(NO_MATCH, stated=0)
    assert http.credits == [268]
    silent = FakeHttp(reply({"status": 404}, 404, {"x-totallimit-remaining": "lots"}))
    assert await pdl().look_up(MARA, silent) == NO_MATCH
    assert silent.credits == []


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "wait"),
    [
        (sample("peopledatalabs", "invalid_request"), "rejected", False, None),
        (sample("peopledatalabs", "unauthorized"), "bad_key", False, None),
        (reply({"error": {"type": "payment_required"}}, 402), "out_of_credits", False, None),
        (sample("peopledatalabs", "rate_limited"), "rate_limited", True, 30.0),  # until the reset that it names
        (sample("peopledatalabs", "rate_limited", retry_after="7"), "rate_limited", True, 7.0),
        (reply(None, 429, {"x-ratelimit-reset": "soon"}), "rate_limited", True, 60.0),
        (sample("peopledatalabs", "server_error"), "unavailable", True, None),
        (reply({"error": {"type": "invalid_request_error"}}, 404), "rejected", False, None),
        (reply(b"<html>no such page</html>", 404), "rejected", False, None),
        (reply(b"garbage"), "invalid_answer", False, None),
        (reply({"status": 200, "data": None}), "invalid_answer", False, None),
        (reply([person()]), "invalid_answer", False, None),
    ],
)
async def test_errors_are_told_apart(answer: Reply, code: str, retryable: bool, wait: float | None) -> None:
    error = await refused(MARA, answer)
    assert (error.code, error.retryable, error.retry_after_seconds) == (code, retryable, wait)


async def test_an_answer_about_somebody_else_is_refused() -> None:
    for question in (
        lead(email="bo.berg@acme.test"),
        lead(firstName="Bo", lastName="Berg", company="Example Robotics"),
        lead(firstName="Mara", lastName="Lindqvist", company="Acme Paper"),
        lead(linkedinUrl="https://www.linkedin.com/in/bo-berg"),
        lead(mobilePhone="+12025559999"),
    ):
        assert (await refused(question, reply(person()))).code == "wrong_entity"
    for other in (account(domain="acme.io"), account(linkedinUrl="https://www.linkedin.com/company/acme")):
        assert (await refused(other, reply(company()))).code == "wrong_entity"
    assert values(await asked(account(domain="example.net"), reply(company())))["name"]  # an alias


async def test_a_key_is_checked_by_a_miss() -> None:
    http = FakeHttp(sample("peopledatalabs", "not_found"), sample("peopledatalabs", "invalid_request"))
    check = await pdl().check_key(http)
    assert check.may == {"people": True, "companies": True}
    companies_only = await pdl().check_key(FakeHttp(reply(None, 403), sample("peopledatalabs", "invalid_request")))
    assert (companies_only.valid, companies_only.may) == (True, {"people": False, "companies": True})
    assert (check.valid, check.credits_left, http.credits) == (True, 268, [268])
    assert http.sent[0].params["email"].endswith(".invalid")
    assert not (await pdl().check_key(FakeHttp(sample("peopledatalabs", "unauthorized")))).valid
    empty = await pdl().check_key(FakeHttp(reply(None, 402, {"x-totallimit-remaining": "0"})))
    assert (empty.valid, empty.credits_left) == (True, 0)
    with pytest.raises(ProviderError):
        await pdl().check_key(FakeHttp(sample("peopledatalabs", "rate_limited")))


def test_it_gives_fields_of_the_catalogue_only() -> None:
    for entity_type, fields in PeopleDataLabs.info.gives.items():
        assert fields <= fields_of(entity_type).keys()


async def test_what_a_call_consumed_is_read_from_its_headers() -> None:
    assert (await asked(MARA, sample("peopledatalabs", "person_found"))).stated == 1
    assert (await asked(EXAMPLE, sample("peopledatalabs", "company_found"))).stated == 1
    assert (await asked(MARA, sample("peopledatalabs", "not_found"))).stated == 0
    spent = reply(body_of("peopledatalabs", "person_found"), 200, {"x-call-credits-spent": "0.5"})
    assert (await asked(MARA, spent)).stated == 0.5
    assert (await refused(lead(email="bo.berg@acme.test"), spent)).stated == 0.5
