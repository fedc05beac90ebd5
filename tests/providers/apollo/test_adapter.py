"""Apollo: nobody in a 200, credits in a 422, e-mails of several worth, and phone numbers that come later.

One file, because most of it is answers beside what must be read from them.
"""

from dataclasses import replace
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, Pending, ProviderError, Question
from providers.apollo.adapter import Apollo
from providers.http.adapter import Reply
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

NOW = 1_795_478_400.0  # 24 November 2026
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
HOOK = "https://crm.example.com/hooks/apollo"


def apollo(*, phones: bool = False) -> Apollo:
    return Apollo(phones=phones, wall=lambda: NOW)


def person(**changes: Any) -> Any:
    body = body_of("apollo", "person_found")
    body["person"].update(changes)
    return body


def company(**changes: Any) -> Any:
    body = body_of("apollo", "company_found")
    body["organization"].update(changes)
    return body


async def asked(question: Any, answer: Reply) -> Any:
    return await apollo().look_up(question, FakeHttp(answer))


async def refused(question: Any, *answers: Reply | ProviderError) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await apollo().look_up(question, FakeHttp(*answers))
    return caught.value


async def test_a_person_is_read_with_the_employer() -> None:
    http = FakeHttp(sample("apollo", "person_found"))
    assert values(await apollo().look_up(MARA, http)) == {
        "firstName": "Mara",
        "lastName": "Lindqvist",
        "email": "mara.lindqvist@example.com",
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
        "numberOfEmployees": 420,
        "annualRevenue": 58_000_000,
    }
    [sent] = http.sent
    assert (sent.method, sent.path, sent.headers["x-api-key"]) == ("POST", "/people/match", "TEST_KEY")
    assert sent.params == {
        "email": "mara.lindqvist@example.com",
        "reveal_personal_emails": "false",
        "reveal_phone_number": "false",
    }


async def test_a_company_is_read() -> None:
    http = FakeHttp(sample("apollo", "company_found"))
    found = values(await apollo().look_up(EXAMPLE, http))
    assert found["phone"] == "+12025550140"
    assert found["annualRevenue"] == 58_000_000  # dollars
    assert (found["street"], found["postalCode"], found["foundedYear"]) == ("100 Sample Street", "97201", 2014)
    assert (found["techStack"], found["tags"]) == (["Kubernetes", "PostgreSQL"], ["warehouse robots", "fleet software"])
    assert (http.sent[0].method, http.sent[0].path) == ("GET", "/organizations/enrich")
    assert http.sent[0].params == {"domain": "example.com"}


@pytest.mark.parametrize(
    "body",
    [body_of("apollo", "not_found"), {}, {"person": {}, "request_id": 1}, {"person": {"id": None, "name": None}}],
)
async def test_nobody_is_told_by_200(body: Any) -> None:
    assert await asked(MARA, reply(body)) == NO_MATCH


@pytest.mark.parametrize("body", [{"organization": None}, {}, {"organization": []}])
async def test_no_company_is_told_by_200(body: Any) -> None:
    assert await asked(EXAMPLE, reply(body)) == NO_MATCH


@pytest.mark.parametrize(
    ("status", "kept"),
    [("verified", True), ("unverified", True), (None, True), (7, True), ("bounced", False), ("unavailable", False)],
)
async def test_an_address_that_does_not_work_is_left_out(status: Any, kept: bool) -> None:
    assert ("email" in values(await asked(MARA, reply(person(email_status=status))))) is kept


async def test_an_address_is_believed_by_its_status() -> None:
    async def belief(**changes: Any) -> float:
        return confidences(await asked(MARA, reply(person(**changes))))["email"]

    verified, guessed = await belief(), await belief(email_status="guessed")
    assert verified > await belief(email_status="unverified") > guessed
    assert await belief(email_status="extrapolated", extrapolated_email_confidence=0.8) > guessed


async def test_a_locked_address_is_none() -> None:
    found = values(await asked(MARA, reply(person(email="email_not_unlocked@domain.com", email_status=None))))
    assert "email" not in found
    assert found["firstName"] == "Mara"


async def test_values_of_wrong_types_are_left_out() -> None:
    odd: dict[str, Any] = {name: [[7]] for name in body_of("apollo", "person_found")["person"]}
    assert values(await asked(MARA, reply({"person": odd | {"first_name": "Mara"}}))) == {"firstName": "Mara"}
    odd = {name: {"a": True} for name in body_of("apollo", "company_found")["organization"]}
    assert values(await asked(EXAMPLE, reply({"organization": odd | {"name": "Example"}}))) == {"name": "Example"}


@pytest.mark.parametrize(
    ("question", "path", "params"),
    [
        (
            lead(firstName="Mara", lastName="Lindqvist", companyDomain="example.com"),
            "/people/match",
            {"first_name": "Mara", "last_name": "Lindqvist", "domain": "example.com"},
        ),
        (
            lead(firstName="Mara", lastName="Lindqvist", company="Example Robotics"),
            "/people/match",
            {"first_name": "Mara", "last_name": "Lindqvist", "organization_name": "Example Robotics"},
        ),
        (
            lead(linkedinUrl="https://www.linkedin.com/in/mara-lindqvist-fictional-000"),
            "/people/match",
            {"linkedin_url": "https://www.linkedin.com/in/mara-lindqvist-fictional-000"},
        ),
        (lead("industry", email="mara.lindqvist@example.com"), "/organizations/enrich", {"domain": "example.com"}),
        (lead(companyDomain="example.com"), "/organizations/enrich", {"domain": "example.com"}),
        (account(name="Example Robotics"), "/organizations/enrich", {"name": "Example Robotics"}),
    ],
)
async def test_it_asks_by_what_is_known(question: Any, path: str, params: dict[str, str]) -> None:
    http = FakeHttp(sample("apollo", "person_found" if path == "/people/match" else "company_found"))
    assert values(await apollo().look_up(question, http))["numberOfEmployees"] == 420
    assert http.sent[0].path == path
    assert params.items() <= http.sent[0].params.items()


def test_one_answer_serves_all_who_ask_the_same() -> None:
    key = apollo().input_key
    assert key(lead("industry", email="a.b@example.com")) == key(lead("industry", email="c.d@example.com"))
    assert key(lead("title", email="a.b@example.com")) != key(lead("title", email="c.d@example.com"))
    assert key(lead("title", companyDomain="example.com")) is None
    assert key(lead(firstName="Mara")) is None
    assert key(lead("mobilePhone", email="a.b@example.com")) is None  # no numbers unless somebody set them up
    assert apollo(phones=True).input_key(MARA) != key(MARA)


async def test_a_name_is_believed_less_than_an_address() -> None:
    by_name = await asked(
        lead(firstName="Mara", lastName="Lindqvist", company="Example"), sample("apollo", "person_found")
    )
    by_email = await asked(MARA, sample("apollo", "person_found"))
    assert confidences(by_name)["title"] < confidences(by_email)["title"]


async def test_out_of_credits_is_a_validation_error_of_one_wording_and_lasts_until_the_cycle_ends() -> None:
    http = FakeHttp(reply({"error": "Sorry: Insufficient Credits."}, 422), sample("apollo", "credit_balance"))
    with pytest.raises(ProviderError) as caught:
        await apollo().look_up(MARA, http)
    error = caught.value
    assert (error.code, error.retryable, error.retry_after_seconds) == ("out_of_credits", False, 7 * 86400.0)
    for usage in (sample("apollo", "unauthorized"), ProviderError("timeout", "x", retryable=True), reply(b"<html>")):
        error = await refused(MARA, reply(b"insufficient credits", 422), usage)
        assert (error.code, error.retry_after_seconds) == ("out_of_credits", None)


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "wait"),
    [
        (sample("apollo", "invalid_request"), "rejected", False, None),
        (sample("apollo", "unauthorized"), "bad_key", False, None),
        (reply({"error": "x", "error_code": "API_INACCESSIBLE"}, 403), "no_access", False, None),
        (sample("apollo", "rate_limited"), "rate_limited", True, 37.0),
        (reply({"message": "x"}, 429), "rate_limited", True, 60.0),
        (reply(b"<html>", 500), "unavailable", True, None),
        (reply(None, 404), "rejected", False, None),
        (reply({"error": "x"}), "invalid_answer", False, None),
        (reply(b"garbage"), "invalid_answer", False, None),
        (reply([]), "invalid_answer", False, None),
        (reply(None, 302), "invalid_answer", False, None),
    ],
)
async def test_errors_are_told_apart(answer: Reply, code: str, retryable: bool, wait: float | None) -> None:
    error = await refused(MARA, answer)
    assert (error.code, error.retryable, error.retry_after_seconds) == (code, retryable, wait)
    assert "TEST_KEY" not in error.message


@pytest.mark.parametrize(
    ("question", "body"),
    [
        (lead(email="bo.berg@acme.test"), person()),
        (lead(firstName="Mara", lastName="Lindqvist", companyDomain="acme.io"), person()),
        (lead(firstName="Mara", lastName="Lindqvist", company="Acme Paper"), person()),
        (lead(linkedinUrl="https://www.linkedin.com/in/bo-berg"), person()),
        (account(linkedinUrl="https://www.linkedin.com/company/acme"), company()),
        (account(domain="acme.io"), company()),
        (account(name="Wholly Different"), company()),
    ],
)
async def test_an_answer_about_somebody_else_is_refused(question: Any, body: Any) -> None:
    assert (await refused(question, reply(body))).code == "wrong_entity"


async def test_phones_are_revealed_only_to_those_who_want_them() -> None:
    http = FakeHttp(sample("apollo", "person_found"))
    titled = lead("title", email="mara.lindqvist@example.com")
    assert isinstance(await apollo(phones=True).look_up(titled, http), Answer)
    assert http.sent[0].params["reveal_phone_number"] == "false"
    assert not {"webhook_url", "poll_only"} & http.sent[0].params.keys()


MOBILE = lead("mobilePhone", "title", email="mara.lindqvist@example.com")


async def pending(question: Question = MOBILE, **changes: Any) -> Pending:
    http = FakeHttp(reply(body_of("apollo", "person_found") | changes))
    answer = await apollo(phones=True).look_up(question, http)
    assert http.sent[0].params["reveal_phone_number"] == "true"
    assert http.sent[0].params.get("webhook_url") == question.callback
    assert http.sent[0].params.get("poll_only") == (None if question.callback else "true")
    assert isinstance(answer, Pending)
    return answer


async def sent() -> Pending:
    """What is waited for where the numbers are sent."""
    return await pending(replace(MOBILE, callback=HOOK))


def phones(**changes: Any) -> Any:
    """What Apollo sends, with changes of the person."""
    body = body_of("apollo", "phone_result_ready")["webhook_result"]
    body["people"][0].update(changes)
    return body


async def test_a_phone_comes_later_and_is_asked_for_less_and_less_often() -> None:
    waiting = await pending()
    assert waiting.so_far is not None
    assert values(waiting.so_far)["title"] == "VP of Engineering"
    pauses = [waiting.retry_after_seconds]
    for _ in range(6):
        http = FakeHttp(sample("apollo", "pending"))
        answer = await apollo(phones=True).poll(waiting.token, MARA, http)
        assert isinstance(answer, Pending)
        assert (http.sent[0].method, http.sent[0].path) == ("GET", "/webhook_result/700000000000000001")
        waiting = answer
        pauses.append(waiting.retry_after_seconds)
    assert pauses == [10, 20, 40, 80, 120, 120, 120]

    ready = reply(body_of("apollo", "phone_result_ready") | {"request_id": "700000000000000001"})
    answer = await apollo(phones=True).poll(waiting.token, MARA, FakeHttp(ready))
    assert values(answer) == {"mobilePhone": "+12025550164"}
    assert isinstance(answer, Answer) and answer.extra


async def test_a_phone_that_is_sent_is_asked_for_only_in_case_that_it_does_not_come() -> None:
    waiting = await sent()
    assert waiting.retry_after_seconds == 300
    told = reply({"error_code": "result_pending", "retry_after_seconds": 1800}, 404)
    answer = await apollo(phones=True).poll(waiting.token, MARA, FakeHttp(told))
    assert isinstance(answer, Pending)
    assert answer.retry_after_seconds == 1800


@pytest.mark.parametrize(
    "refusal",
    [
        sample("apollo", "pending_unknown_id"),
        sample("apollo", "pending_expired"),
        reply({"error_code": "invalid_request_id"}, 400),
        reply({"error_code": "API_INACCESSIBLE"}, 403),
    ],
)
async def test_where_nothing_is_to_be_asked_for_the_webhook_is_waited_for(refusal: Reply) -> None:
    waiting = await apollo(phones=True).poll((await sent()).token, MARA, FakeHttp(refusal))
    assert isinstance(waiting, Pending)
    http = FakeHttp()
    assert isinstance(await apollo(phones=True).poll(waiting.token, MARA, http), Pending)
    assert http.sent == []
    assert apollo(phones=True).is_about(phones(), waiting.token)
    assert not apollo(phones=True).is_about(phones(id="another"), waiting.token)


@pytest.mark.parametrize("request_id", [None, True, 1.5, "x", [1], "1/../people"])
async def test_without_an_id_of_the_request_only_the_webhook_is_waited_for(request_id: Any) -> None:
    found = reply(body_of("apollo", "person_found") | {"request_id": request_id})
    assert isinstance(await apollo(phones=True).look_up(MOBILE, FakeHttp(found)), Answer)
    waiting = await pending(replace(MOBILE, callback=HOOK), request_id=request_id)
    assert values(apollo(phones=True).receive_callback(MARA, waiting.token, phones())) == {
        "mobilePhone": "+12025550164"
    }


async def test_numbers_are_a_part_only_where_nobody_saw_the_first_answer() -> None:
    found = person(id=None) | {"request_id": None}
    waiting = await apollo(phones=True).look_up(replace(MOBILE, callback=HOOK), FakeHttp(reply(found)))
    assert isinstance(waiting, Pending)
    assert waiting.token == "||0w"  # which names neither the request nor the person
    bodies: list[Any] = [phones(), {"people": []}]
    for body in bodies:
        assert not apollo(phones=True).receive_callback(MARA, waiting.token, body).is_part
        assert apollo(phones=True).receive_callback(MARA, None, body).is_part


@pytest.mark.parametrize("case", ["pending_unknown_id", "pending_expired"])
async def test_a_phone_that_never_came_is_final(case: str) -> None:
    answer = await apollo(phones=True).poll((await pending()).token, MARA, FakeHttp(sample("apollo", case)))
    assert isinstance(answer, Answer)
    assert (answer.matched, answer.findings, answer.extra) == (True, (), False)  # the person was found, and counted


@pytest.mark.parametrize(
    ("change", "found", "mobile"),
    [
        ({"type_cd": "work_direct"}, {"phone": "+12025550164"}, False),
        ({"type_cd": "work_hq"}, {}, False),
        ({"dnc_status_cd": "found"}, {}, True),  # which costs as much
        ({"status_cd": "invalid_number"}, {}, True),
        ({"sanitized_number": None}, {"mobilePhone": "+12025550164"}, True),
        ({"sanitized_number": True, "raw_number": 5}, {}, False),
    ],
)
async def test_numbers_are_read_by_kind_and_only_if_they_may_be_called(change: Any, found: Any, mobile: bool) -> None:
    body = phones()
    body["people"][0]["phone_numbers"][0].update(change)
    answer = apollo(phones=True).receive_callback(MARA, (await sent()).token, body)
    assert (values(answer), answer.extra) == (found, mobile)
    polled = await apollo(phones=True).poll((await pending()).token, MARA, FakeHttp(reply({"webhook_result": body})))
    assert polled == answer


@pytest.mark.parametrize(
    ("kinds", "figure", "extra", "stated"),
    [
        (("other", "other"), 1, False, 1),  # Apollo's own example
        (("mobile",), 8, True, 9),  # of the number alone: the person was counted before
        (("mobile", "other"), 9, True, 9),
        (("other",), 2.5, False, 2.5),
        (("other",), 0, False, 0),
        (("mobile",), None, True, None),
        (("mobile",), -1, True, None),
        (("mobile",), "many", True, None),
    ],
)
async def test_what_numbers_consumed_is_read(kinds: Any, figure: Any, extra: bool, stated: float | None) -> None:
    number = phones()["people"][0]["phone_numbers"][0]
    people = [{**phones()["people"][0], "phone_numbers": [{**number, "type_cd": kind} for kind in kinds]}]
    body = {**phones(), "people": people, "credits_consumed": figure}
    sent_to_us = apollo(phones=True).receive_callback(MARA, (await sent()).token, body)
    polled = await apollo(phones=True).poll((await pending()).token, MARA, FakeHttp(reply({"webhook_result": body})))
    assert sent_to_us == polled
    assert (sent_to_us.extra, sent_to_us.stated) == (extra, stated)


async def test_what_a_first_answer_consumed_is_read_also_of_a_miss_and_of_somebody_else() -> None:
    found = body_of("apollo", "person_found") | {"credits_consumed": 1}
    assert (await asked(MARA, reply(found))).stated == 1
    assert (await asked(MARA, reply({"person": None, "credits_consumed": 0}))).stated == 0
    assert (await refused(lead(email="bo.berg@acme.test"), reply(found))).stated == 1
    assert (await asked(MARA, sample("apollo", "person_found"))).stated is None


@pytest.mark.parametrize("nobody", [[], None])
async def test_a_result_without_people_is_no_number(nobody: Any) -> None:
    answer = apollo(phones=True).receive_callback(MARA, (await sent()).token, {"people": nobody, "missing_records": 1})
    assert (answer.matched, answer.findings, answer.extra) == (True, (), False)


@pytest.mark.parametrize(
    "body",
    [
        phones(id="another"),
        phones(id=None),
        phones(email="bo.berg@acme.test"),
        phones(linkedin_url="http://www.linkedin.com/in/bo-berg"),
        phones() | {"request_id": 7},
        {"people": ["x"]},
        {"people": "x"},
        {},
        {"error": "x"},
    ],
)
async def test_the_phone_of_somebody_else_is_refused(body: Any) -> None:
    mara = replace(MARA, fields={**MARA.fields, "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist"})
    with pytest.raises(ProviderError) as caught:
        apollo(phones=True).receive_callback(mara, (await sent()).token, body)
    assert caught.value.code == "wrong_entity"
    polled = FakeHttp(reply({"webhook_result": body, "request_id": body.get("request_id")}))
    token = (await pending()).token
    with pytest.raises(ProviderError):
        await apollo(phones=True).poll(token, mara, polled)


@pytest.mark.parametrize(
    "body",
    [
        phones(),
        phones(email="MARA.lindqvist@example.com", linkedin_url="http://www.linkedin.com/in/an-older-one"),
        phones() | {"request_id": "700000000000000001"},
        phones() | {"request_id": "68f1c0ffee0000000000abcd"},  # another kind of id, which says nothing
        {"webhook_result": phones(), "request_id": 700000000000000001},
    ],
)
async def test_the_phone_of_who_was_asked_for_is_taken(body: Any) -> None:
    mara = replace(MARA, fields={**MARA.fields, "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist"})
    assert values(apollo(phones=True).receive_callback(mara, (await sent()).token, body)) == {
        "mobilePhone": "+12025550164"
    }


@pytest.mark.parametrize("token", ["", "x", "1/../people", "1|../a|0", "1|a|b", "|a|0", "1|a|0x", "\u0661||0"])
async def test_a_token_of_another_make_asks_nothing(token: str) -> None:
    http = FakeHttp()
    with pytest.raises(ProviderError) as caught:
        await apollo(phones=True).poll(token, MARA, http)
    assert (caught.value.code, http.sent) == ("rejected", [])


@pytest.mark.parametrize(
    "answer", [sample("apollo", "unauthorized"), sample("apollo", "rate_limited"), reply(None, 404)]
)
async def test_a_poll_that_fails_is_an_error(answer: Reply) -> None:
    with pytest.raises(ProviderError):
        await apollo(phones=True).poll("-5|a|0", MARA, FakeHttp(answer))


def test_only_a_question_for_the_phone_of_a_person_may_cost_more() -> None:
    asks_extra = apollo(phones=True).asks_extra
    assert asks_extra(MOBILE)
    assert not asks_extra(lead("title", email="mara.lindqvist@example.com"))
    assert not asks_extra(lead("mobilePhone", "industry", companyDomain="example.com"))
    assert not asks_extra(account("phone", domain="example.com"))
    assert not apollo().asks_extra(MOBILE)


async def test_a_key_is_checked_by_the_usage_call() -> None:
    invalid = sample("apollo", "invalid_request")
    http = FakeHttp(sample("apollo", "credit_balance"), invalid, reply({"error_code": "API_INACCESSIBLE"}, 403))
    check = await apollo().check_key(http)
    assert check.may == {"people": True, "companies": False}
    assert (check.valid, check.credits_left, http.credits) == (True, 3090, [3090])
    assert check.renews_at is not None and check.renews_at.isoformat() == "2026-12-01T00:00:00+00:00"
    assert (http.sent[0].method, http.sent[0].path) == ("POST", "/usage_stats/credit_usage_stats")
    assert not (await apollo().check_key(FakeHttp(sample("apollo", "unauthorized")))).valid
    scoped = reply({"error": "x", "error_code": "API_INACCESSIBLE"}, 403)
    assert (await apollo().check_key(FakeHttp(scoped, invalid, scoped))).valid
    nothing = await apollo().check_key(FakeHttp(scoped, scoped, scoped))
    assert (nothing.valid, nothing.may) == (False, {"people": False, "companies": False})
    unknown = await apollo().check_key(FakeHttp(scoped, sample("apollo", "rate_limited"), reply(None, 500)))
    assert (unknown.valid, unknown.may) == (True, {})
    with pytest.raises(ProviderError):
        await apollo().check_key(FakeHttp(sample("apollo", "rate_limited")))


def test_it_gives_fields_of_the_catalogue_only_and_no_phones_of_people_by_default() -> None:
    for adapter in (apollo(), apollo(phones=True)):
        for entity_type, fields in adapter.info.gives.items():
            assert fields <= fields_of(entity_type).keys()
    assert "mobilePhone" not in set().union(*apollo().info.gives.values())
    with_phones = apollo(phones=True).info
    assert (apollo().info.price, apollo().info.extra_price) == (1, 0)
    assert (with_phones.price, with_phones.extra_price) == (1, 8)
    assert with_phones.source(EntityType.LEAD).extra == {"phone", "mobilePhone"}
    assert with_phones.source(EntityType.ACCOUNT).extra == set()
