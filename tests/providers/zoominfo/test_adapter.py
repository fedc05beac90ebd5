"""ZoomInfo: both surfaces, signing in, units, match statuses and what its errors mean.

One file, because both surfaces are held against the same expectations.
"""

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from providers.api import NO_MATCH, ProviderError
from providers.http.adapter import Reply
from providers.http.replies import OPTED_OUT
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
LEGACY = "legacy:svc@example.com:pass:word"


class SlowHttp(FakeHttp):
    """An account whose provider takes a moment to answer."""

    async def send(self, *args: Any, **kwargs: Any) -> Reply:
        await asyncio.sleep(0)
        return await super().send(*args, **kwargs)


def signed_in(**more: Any) -> Reply:
    return reply({"access_token": "T1", "expires_in": 3600, "token_type": "Bearer", **more})


def person(**changes: Any) -> Any:
    body = body_of("zoominfo", "person_found")
    body["data"][0]["attributes"].update(changes)
    return body


def company(**changes: Any) -> Any:
    body = body_of("zoominfo", "company_found")
    attributes = {**body["data"][0]["attributes"], **changes}
    body["data"][0]["attributes"] = {name: value for name, value in attributes.items() if value is not ...}
    return body


def with_status(body: Any, status: str) -> Any:
    body["data"][0]["meta"]["matchStatus"] = status
    return body


async def asked(question: Any, *replies: Reply, key: str = "TEST_TOKEN") -> Any:
    return await ZoomInfo().look_up(question, FakeHttp(*replies, key=key))


async def refused(*replies: Reply | ProviderError, key: str = "TEST_TOKEN") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await ZoomInfo(wall=lambda: 1790000000.0).look_up(MARA, FakeHttp(*replies, key=key))
    return caught.value


async def test_a_contact_is_read_with_its_employer() -> None:
    answer = await asked(MARA, sample("zoominfo", "person_found"))
    assert values(answer) == {
        "firstName": "Mara",
        "lastName": "Lindqvist",
        "email": "mara.lindqvist@example.com",
        "phone": "+12025550141",
        "mobilePhone": "+12025550164",
        "title": "VP of Engineering",
        "seniorityLevel": "VP",
        "department": "Engineering",
        "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist-fictional-000",
        "street": "100 Sample Street",
        "city": "Portland",
        "state": "Oregon",
        "postalCode": "97201",
        "country": "United States",
        "company": "Example Robotics",
        "companyDomain": "example.com",
        "website": "https://example.com",
        "industry": "Manufacturing",
        "numberOfEmployees": 420,
        "annualRevenue": 58_000_000,
    }
    assert {finding.observed_at for finding in answer.findings} == {datetime(2026, 9, 15, tzinfo=UTC)}


async def test_a_company_is_read_with_its_revenue_in_dollars() -> None:
    answer = await asked(EXAMPLE, sample("zoominfo", "company_found"))
    assert values(answer) == {
        "name": "Example Robotics",
        "domain": "example.com",
        "website": "https://example.com",
        "phone": "+12025550140",
        "industry": "Manufacturing",
        "subIndustry": "Industrial Machinery & Equipment",
        "numberOfEmployees": 420,
        "annualRevenue": 58_000_000,
        "foundedYear": 2014,
        "description": "Fictional maker of warehouse robots.",
        "linkedinUrl": "https://www.linkedin.com/company/example-robotics-fictional",
        "street": "100 Sample Street",
        "city": "Portland",
        "state": "Oregon",
        "postalCode": "97201",
        "country": "United States",
        "naicsCode": "333",
        "sicCode": "35",
    }


@pytest.mark.parametrize(
    ("told", "revenue"),
    [
        ({"revenue": 58000}, 58_000_000),
        ({"revenue": "58000"}, 58_000_000),
        ({"revenue": 58000, "revenueRange": ...}, 58_000_000),
        ({"revenue": 58_000_000}, 58_000_000),  # in dollars, as its range says
        ({"revenue": 0}, "50000000-100000000"),
        ({"revenue": None, "revenueRange": "Over $5 bil."}, "5000000000+"),
        ({"revenue": [58000], "revenueRange": {"min": 1}}, None),
    ],
)
async def test_revenue_is_told_in_thousands(told: dict[str, Any], revenue: Any) -> None:
    answer = await asked(EXAMPLE, reply(company(**told)))
    assert values(answer).get("annualRevenue") == revenue


async def test_a_range_stands_in_for_a_head_count_that_is_missing() -> None:
    answer = await asked(EXAMPLE, reply(company(employeeCount=0)))
    assert values(answer)["numberOfEmployees"] == "250-500"


@pytest.mark.parametrize("score", [95, "95"])
async def test_the_accuracy_score_is_the_belief_in_what_changes_with_a_job(score: Any) -> None:
    sure = confidences(await asked(MARA, reply(person(contactAccuracyScore=score))))
    unsure = confidences(await asked(MARA, reply(person(contactAccuracyScore=75))))
    assert sure["email"] == pytest.approx(0.95 * 0.95, abs=0.001)
    assert unsure["email"] == pytest.approx(0.95 * 0.75, abs=0.001)
    assert sure["firstName"] == unsure["firstName"]


@pytest.mark.parametrize("score", [None, "high", 950, -1, True])
async def test_a_score_that_is_none_leaves_a_moderate_belief(score: Any) -> None:
    found = confidences(await asked(MARA, reply(person(contactAccuracyScore=score))))
    assert found["title"] == pytest.approx(0.95 * 0.8, abs=0.001)


async def test_who_has_moved_is_hardly_believed_to_work_there() -> None:
    found = confidences(await asked(MARA, reply(person(personHasMoved="Yes"))))
    assert found["title"] < 0.5 < found["linkedinUrl"]


@pytest.mark.parametrize(
    ("flag", "kept"), [("mobilePhoneDoNotCall", {"phone"}), ("directPhoneDoNotCall", {"mobilePhone"})]
)
async def test_a_number_that_must_not_be_called_is_left_out(flag: str, kept: set[str]) -> None:
    found = values(await asked(MARA, reply(person(**{flag: True}))))
    assert found.keys() & {"phone", "mobilePhone"} == kept


async def test_of_codes_the_narrowest_of_the_main_branch_is_taken() -> None:
    codes = [{"id": "35"}, {"id": "3569"}, {"id": "356"}, {"id": "87111"}, {"id": 7}, "x"]
    assert values(await asked(EXAMPLE, reply(company(sicCodes=codes))))["sicCode"] == "3569"


async def test_values_of_wrong_types_are_left_out() -> None:
    record: dict[str, Any] = {name: {"odd": [1]} for name in person()["data"][0]["attributes"]}
    record.update(email="mara.lindqvist@example.com", firstName=7, managementLevel=[{"x": 1}, 5], externalUrls="none")
    body = person()
    body["data"][0]["attributes"] = record
    assert values(await asked(MARA, reply(body))) == {"email": "mara.lindqvist@example.com"}


@pytest.mark.parametrize(
    "status", ["NO_MATCH", "NON_MATCH_BY_VALID_DATE", "NON_MATCH_BY_REQUIRED_FIELDS", "A_STATUS_OF_TOMORROW"]
)
async def test_no_match_is_told_by_the_record(status: str) -> None:
    answer = await asked(MARA, reply(with_status(person(), status)))
    assert (answer.matched, answer.findings) == (False, ())


async def test_a_record_of_type_no_match_is_none() -> None:
    assert not (await asked(account(domain="no-such.example"), sample("zoominfo", "not_found"))).matched
    assert not (await asked(EXAMPLE, reply({"data": []}))).matched
    assert not (await asked(EXAMPLE, reply({"data": [{"id": "0", "type": "NoMatch"}]}))).matched


@pytest.mark.parametrize("key", ["TEST_TOKEN", LEGACY])
@pytest.mark.parametrize("wanted", [("mobilePhone",), ("email",), ("phone", "mobilePhone"), ("mobilePhone", "title")])
async def test_a_contact_without_the_only_field_that_is_wanted_is_not_paid_for(
    wanted: tuple[str, ...], key: str
) -> None:
    required = None if len(wanted) > 1 else [*wanted]
    question = lead(*wanted, email="mara.lindqvist@example.com", phone="+12025550100")
    everything = lead(email="mara.lindqvist@example.com", phone="+12025550100")
    adapter, missed = ZoomInfo(), with_status(person(), "NON_MATCH_BY_REQUIRED_FIELDS")
    signs_in = [sample("zoominfo", "legacy_authenticate")] if key == LEGACY else []
    http = FakeHttp(*signs_in, reply(missed), key=key)
    with suppress(ProviderError):  # the older surface's answer has another form
        assert await adapter.look_up(question, http) == replace(
            NO_MATCH, detail="ZoomInfo: non match by required fields"
        )
    sent = http.sent[-1].json
    assert (sent if key == LEGACY else sent["data"]["attributes"]).get("requiredFields") == required
    assert (adapter.batch_of(question) == adapter.batch_of(everything)) is (required is None)
    assert adapter.broader_key(question) == (adapter.input_key(everything) if required else None)
    assert ((adapter.input_key(question) or "") in adapter.narrower_keys(everything)) is (required is not None)
    many = FakeHttp(reply(missed), key=key)
    with suppress(ProviderError):
        await adapter.look_up_many([question, question], many)
    sent = many.sent[-1].json
    assert (sent if key == LEGACY else sent["data"]["attributes"]).get("requiredFields") == required


async def test_who_opted_out_is_left_alone_and_no_error() -> None:
    answer = await asked(MARA, reply(with_status(person(), "OPT_OUT")))
    assert answer == OPTED_OUT


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        ("LIMIT_EXCEEDED", "out_of_credits", False),
        ("INVALID_INPUT", "rejected", False),
        ("SERVICE_ERROR", "unavailable", True),
    ],
)
async def test_a_status_that_is_no_answer_is_an_error(status: str, code: str, retryable: bool) -> None:
    error = await refused(reply(with_status({"data": [{"type": "NoMatch", "meta": {}}]}, status)))
    assert (error.code, error.retryable) == (code, retryable)


async def test_a_match_of_the_company_alone_tells_nothing_of_the_person() -> None:
    found = values(await asked(MARA, reply(with_status(person(), "COMPANY_ONLY_MATCH"))))
    assert found["company"] == "Example Robotics"
    assert not found.keys() & {"firstName", "email", "title", "city"}


async def test_a_match_of_the_person_alone_tells_nothing_of_the_employer() -> None:
    found = values(await asked(MARA, reply(with_status(person(), "CONTACT_ONLY_MATCH"))))
    assert found["firstName"] == "Mara"
    assert not found.keys() & {"company", "companyDomain", "annualRevenue"}


@pytest.mark.parametrize(
    ("question", "body"),
    [
        (lead(email="bo.berg@acme.test"), person()),
        (lead(email="mara.lindqvist@example.com", firstName="Bo", lastName="Berg"), person(email="x@example.com")),
        (lead(firstName="Mara", lastName="Lindqvist", company="Acme", companyDomain="acme.com"), person()),
        (account(domain="acme.com"), company()),
        (account(name="Acme Paper"), company()),
    ],
)
async def test_an_answer_about_somebody_else_is_refused(question: Any, body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        await asked(question, reply(body))
    assert (caught.value.code, caught.value.retryable) == ("wrong_entity", False)


async def test_a_company_is_known_by_any_of_its_domains() -> None:
    answer = await asked(account(domain="example.net"), reply(company(domainList=["example.com", "example.net"])))
    assert values(answer)["domain"] == "example.com"


async def test_the_gtm_request_is_as_documented() -> None:
    http = FakeHttp(sample("zoominfo", "person_found"), key="TEST_TOKEN")
    await ZoomInfo().look_up(MARA, http)
    [sent] = http.sent
    assert (sent.method, sent.base, sent.path) == ("POST", "", "/data/v1/contacts/enrich")
    assert sent.headers == {
        "Authorization": "Bearer TEST_TOKEN",
        "Content-Type": "application/vnd.api+json",
        "Accept": "application/vnd.api+json",
    }
    attributes = sent.json["data"]["attributes"]
    assert sent.json["data"]["type"] == "ContactEnrich"
    assert attributes["matchPersonInput"] == [{"emailAddress": "mara.lindqvist@example.com"}]
    assert {"jobTitle", "companyWebsite", "contactAccuracyScore"} <= set(attributes["outputFields"])


@pytest.mark.parametrize(
    ("question", "path", "match"),
    [
        (EXAMPLE, "/data/v1/companies/enrich", {"companyWebsite": "www.example.com"}),
        (
            account(name="Example Robotics", country="Germany"),
            "/data/v1/companies/enrich",
            {"companyName": "Example Robotics", "companyCountry": "Germany"},
        ),
        (
            lead(fullName="Mara Lindqvist", company="Example Robotics"),
            "/data/v1/contacts/enrich",
            {"firstName": "Mara", "lastName": "Lindqvist", "companyName": "Example Robotics"},
        ),
        (lead(mobilePhone="+12025550164"), "/data/v1/contacts/enrich", {"phone": "+12025550164"}),
        (
            lead("industry", email="mara.lindqvist@example.com"),  # nothing of the person is wanted
            "/data/v1/companies/enrich",
            {"companyWebsite": "www.example.com"},
        ),
    ],
)
async def test_the_cheapest_look_up_that_serves_is_made(question: Any, path: str, match: Any) -> None:
    http = FakeHttp(reply({"data": []}))
    await ZoomInfo().look_up(question, http)
    assert http.sent[0].path == path
    attributes = http.sent[0].json["data"]["attributes"]
    assert (attributes.get("matchPersonInput") or attributes["matchCompanyInput"]) == [match]


def test_leads_of_one_company_share_a_key_when_only_the_company_is_wanted() -> None:
    adapter = ZoomInfo()
    keys = {adapter.input_key(lead("industry", email=f"{name}@example.com")) for name in ("a.b", "c.d")}
    assert len(keys) == 1
    assert None not in keys
    both = {adapter.input_key(lead("title", email=f"{name}@example.com")) for name in ("a.b", "c.d")}
    assert len(both) == 2
    assert adapter.input_key(account(domain="example.com")) not in keys  # an account's answer has other fields


@pytest.mark.parametrize(
    "question",
    [
        lead(),
        lead(firstName="Mara", lastName="Lindqvist"),
        lead("title", company="Example Robotics"),
        lead("title", email="info@acme.io"),
        account(city="Portland"),
    ],
)
def test_a_record_without_enough_to_ask_by_is_not_asked_for(question: Any) -> None:
    assert ZoomInfo().input_key(question) is None


async def test_client_credentials_are_exchanged_once_for_a_token() -> None:
    clock = [0.0]
    adapter = ZoomInfo(clock=lambda: clock[0])
    found = sample("zoominfo", "person_found")
    http = FakeHttp(signed_in(), found, found, signed_in(access_token="T2"), found, key="my-id:my:secret")
    for now in (0.0, 3500.0, 3545.0):
        clock[0] = now
        await adapter.look_up(MARA, http)
    login = http.sent[0]
    assert (login.method, login.base, login.path) == ("POST", "login", "/oauth2/default/v1/token")
    assert login.form == {"grant_type": "client_credentials", "scope": "api:data:contact api:data:company"}
    assert login.headers["Authorization"] == "Basic " + base64.b64encode(b"my-id:my:secret").decode()
    tokens = [sent.headers["Authorization"] for sent in http.sent if not sent.base]
    assert tokens == ["Bearer T1", "Bearer T1", "Bearer T2"]


async def test_a_token_that_ended_early_is_renewed_once() -> None:
    http = FakeHttp(
        signed_in(),
        sample("zoominfo", "unauthorized"),
        signed_in(access_token="T2"),
        sample("zoominfo", "person_found"),
        key="id:secret",
    )
    assert (await ZoomInfo().look_up(MARA, http)).matched  # type: ignore[union-attr]  # ZoomInfo is never pending
    again = FakeHttp(
        signed_in(),
        sample("zoominfo", "unauthorized"),
        signed_in(),
        sample("zoominfo", "unauthorized"),
        key="id:secret",
    )
    with pytest.raises(ProviderError) as caught:
        await ZoomInfo().look_up(MARA, again)
    assert caught.value.code == "bad_key"


async def test_look_ups_at_the_same_moment_sign_in_once() -> None:
    adapter, found = ZoomInfo(), sample("zoominfo", "person_found")
    http = SlowHttp(signed_in(), found, found, found, key="id:secret")
    await asyncio.gather(*(adapter.look_up(MARA, http) for _ in range(3)))
    assert [sent.base for sent in http.sent].count("login") == 1


async def test_accounts_do_not_share_tokens() -> None:
    adapter = ZoomInfo()
    one = FakeHttp(signed_in(), sample("zoominfo", "person_found"), key="one:secret")
    other = FakeHttp(signed_in(access_token="T9"), sample("zoominfo", "person_found"), key="other:secret")
    await adapter.look_up(MARA, one)
    await adapter.look_up(MARA, other)
    assert other.sent[1].headers["Authorization"] == "Bearer T9"


@pytest.mark.parametrize("key", ["", ":", "id:", ":secret", "legacy:", "legacy:user:"])
async def test_a_key_of_another_form_is_a_bad_key_and_nothing_is_sent(key: str) -> None:
    http = FakeHttp(key=key)
    with pytest.raises(ProviderError) as caught:
        await ZoomInfo().look_up(MARA, http)
    assert caught.value.code == "bad_key"
    assert http.sent == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply({"error": "invalid_client"}, 401), "bad_key"),
        (reply({"error": "invalid_scope"}, 400), "bad_key"),
        (reply({"token_type": "Bearer"}), "invalid_answer"),
        (reply(b"<html>", 503), "unavailable"),
        (reply(None, 429), "rate_limited"),
        (ProviderError("timeout", "no reply", retryable=True, maybe_charged=True), "timeout"),
    ],
)
async def test_failing_to_sign_in_charges_nothing(answer: Any, code: str) -> None:
    error = await refused(answer, key="id:a-secret")
    assert (error.code, error.maybe_charged) == (code, False)
    assert "a-secret" not in str(error)


async def test_the_older_surface_signs_in_by_password_and_is_read_the_same() -> None:
    http = FakeHttp(sample("zoominfo", "legacy_authenticate"), sample("zoominfo", "legacy_person_found"), key=LEGACY)
    found = values(await ZoomInfo().look_up(MARA, http))
    assert (found["annualRevenue"], found["department"], found["seniorityLevel"]) == (58_000_000, "Engineering", "VP")
    assert http.sent[0].json == {"username": "svc@example.com", "password": "pass:word"}
    enrich = http.sent[1]
    assert (enrich.base, enrich.path) == ("legacy", "/enrich/contact")
    assert enrich.headers["Authorization"] == "Bearer TEST_JWT"
    assert enrich.json["matchPersonInput"] == [{"emailAddress": "mara.lindqvist@example.com"}]
    assert http.credits == [9988]


async def test_a_company_of_the_older_surface_has_its_revenue_in_thousands() -> None:
    http = FakeHttp(sample("zoominfo", "legacy_authenticate"), sample("zoominfo", "legacy_company_found"), key=LEGACY)
    found = values(await ZoomInfo().look_up(EXAMPLE, http))
    assert found["annualRevenue"] == 58_000_000
    assert http.sent[1].json["matchCompanyInput"] == [{"companyWebsite": "http://www.example.com"}]


async def test_a_jwt_is_used_for_55_minutes() -> None:
    clock = [0.0]
    adapter = ZoomInfo(clock=lambda: clock[0])
    login, found = sample("zoominfo", "legacy_authenticate"), sample("zoominfo", "legacy_company_found")
    http = FakeHttp(login, found, found, login, found, key=LEGACY)
    for minute in (0, 54, 56):
        clock[0] = minute * 60.0
        await adapter.look_up(EXAMPLE, http)
    assert [sent.path for sent in http.sent].count("/authenticate") == 2


@pytest.mark.parametrize("result", [[], [{"input": {}, "data": []}], [{"input": {}}]])
async def test_an_older_answer_without_a_record_is_no_match(result: Any) -> None:
    body = {"success": True, "data": {"outputFields": [], "result": result}}
    assert not (await asked(MARA, reply(body), key="legacy:ready-token")).matched


async def test_an_older_account_whose_records_are_used_up_is_out_of_credits() -> None:
    used_up = {"x-usage-record-limit-remaining": "0", "x-usage-request-limit-remaining": "900"}
    assert (await refused(reply(None, 403, used_up), key="legacy:token")).code == "out_of_credits"


@pytest.mark.parametrize(
    ("left", "code"), [(0, "out_of_credits"), (5, "no_access"), (None, "no_access")], ids=["none", "some", "untold"]
)
async def test_an_older_accounts_usage_is_read_where_a_403_does_not_say_which(left: int | None, code: str) -> None:
    limits = [{"limitType": "recordLimit", "usageRemaining": left}] if left is not None else []
    http = FakeHttp(reply({"message": "no"}, 403), reply({"usage": limits}), key="legacy:token")
    with pytest.raises(ProviderError) as caught:
        await ZoomInfo().look_up(MARA, http)
    assert caught.value.code == code
    assert [sent.path for sent in http.sent] == ["/enrich/contact", "/lookup/usage"]


@pytest.mark.parametrize(
    ("case", "code", "retryable"),
    [
        ("unauthorized", "bad_key", False),
        ("unauthorized_jsonapi", "bad_key", False),
        ("forbidden", "no_access", False),
        ("rate_limited", "rate_limited", True),
        ("server_error", "unavailable", True),
    ],
)
async def test_documented_errors_are_told_apart(case: str, code: str, retryable: bool) -> None:
    error = await refused(sample("zoominfo", case))
    assert (error.code, error.retryable) == (code, retryable)


@pytest.mark.parametrize("envelope", ["error", "errors"])
@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "PFAPI0011", "out_of_credits"),
        (400, "PFAPI0001", "rejected"),
        (500, "PFAPI0007", "unavailable"),
        (504, "PFAPI0010", "unavailable"),
        (403, "ZI0002", "no_access"),
        (429, "ZI0004", "rate_limited"),
        (200, "PFAPI0011", "out_of_credits"),
    ],
)
async def test_the_code_decides_in_both_forms_of_errors(envelope: str, status: int, code: str, meaning: str) -> None:
    told = {"code": code, "message": "mara.lindqvist@example.com"}
    error = await refused(reply({envelope: told if envelope == "error" else [told]}, status))
    assert error.code == meaning
    assert "mara" not in error.message


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    assert (await refused(sample("zoominfo", "rate_limited", retry_after="3600"))).retry_after_seconds == 3600
    by_reset = reply({"error": {"code": "ZI0004"}}, 429, {"x-ratelimit-reset": "1790000002"})
    assert (await refused(by_reset)).retry_after_seconds == 2


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>hello</html>"),
        reply(["a list"]),
        reply({"data": "x"}),
        reply({"data": [7]}),
        reply({"message": "hi"}),
        reply(None),
    ],
)
async def test_garbage_is_no_miss(answer: Reply) -> None:
    assert (await refused(answer)).code == "invalid_answer"


async def test_a_field_outside_of_the_plan_costs_one_call_and_not_the_provider() -> None:
    adapter = ZoomInfo()
    http = FakeHttp(sample("zoominfo", "invalid_field"), *[sample("zoominfo", "person_found")] * 2)
    for _ in range(2):
        assert values(await adapter.look_up(MARA, http))["firstName"] == "Mara"
    asked_for = [len(sent.json["data"]["attributes"]["outputFields"]) for sent in http.sent]
    assert asked_for[0] > asked_for[1] == asked_for[2]


async def test_a_request_that_stays_refused_is_rejected() -> None:
    twice = sample("zoominfo", "invalid_field"), sample("zoominfo", "invalid_field")
    assert (await refused(*twice)).code == "rejected"


async def test_a_key_is_checked_by_reading_usage() -> None:
    usage = [
        {"limitType": "requestLimit", "usageRemaining": 3},
        {"limitType": "recordLimit", "usageRemaining": 99950},
        {"limitType": "uniqueIdLimit", "usageRemaining": 9988},
    ]
    http = FakeHttp(
        reply({"data": [{"attributes": {"usage": usage}}]}),
        sample("zoominfo", "forbidden"),
        sample("zoominfo", "invalid_field"),
    )
    check = await ZoomInfo().check_key(http)
    assert check.may == {"people": False, "companies": True}
    assert [sent.json["data"]["attributes"].get("matchPersonInput") for sent in http.sent[1:]] == [[], None]
    assert (check.valid, check.credits_left) == (True, 9988)
    assert (http.sent[0].method, http.sent[0].path) == ("GET", "/data/v1/users/usage")
    assert http.credits == [9988]
    legacy = FakeHttp(sample("zoominfo", "legacy_usage"), reply(None, 400), reply(None, 400), key="legacy:token")
    assert (await ZoomInfo().check_key(legacy)).credits_left == 9988
    assert not (await ZoomInfo().check_key(FakeHttp(sample("zoominfo", "unauthorized")))).valid
    with pytest.raises(ProviderError):
        await ZoomInfo().check_key(FakeHttp(sample("zoominfo", "server_error")))


def test_it_gives_fields_of_the_catalogue_only() -> None:
    for entity_type, fields in ZoomInfo.info.gives.items():
        assert fields <= fields_of(entity_type).keys()
    assert ZoomInfo.info.gives[EntityType.LEAD] == ZoomInfo.info.gives[EntityType.CONTACT]


async def test_everything_found_is_among_what_it_says_it_gives() -> None:
    for question, case in ((MARA, "person_found"), (EXAMPLE, "company_found")):
        found = values(await asked(question, sample("zoominfo", case)))
        assert found.keys() <= ZoomInfo.info.gives[question.entity_type]
        assert json.dumps(found)
