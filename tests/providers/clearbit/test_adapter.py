"""Clearbit: combined answers with missing halves, answers that come later, and what a miss costs.

One file, because most of it is answers beside what must be read from them.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from providers.api import NO_MATCH, Pending, ProviderError
from providers.clearbit.adapter import Clearbit
from providers.http.adapter import Reply
from tests.support.fake_http import FakeHttp, account, body_of, confidences, lead, reply, sample, values

NOW = 1_789_999_990.0
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")


def clearbit() -> Clearbit:
    return Clearbit(wall=lambda: NOW)


def combined(*, person: Any = ..., company: Any = ...) -> Any:
    """The combined answer, each half as it is, changed by a dict, or replaced by anything else."""
    body = body_of("clearbit", "combined_found")
    for half, change in (("person", person), ("company", company)):
        if change is not ...:
            body[half] = {**body[half], **change} if isinstance(change, dict) else change
    return body


async def asked(question: Any, answer: Reply) -> Any:
    return await clearbit().look_up(question, FakeHttp(answer))


async def refused(answer: Reply, question: Any = MARA) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asked(question, answer)
    return caught.value


async def test_both_halves_are_read() -> None:
    http = FakeHttp(sample("clearbit", "combined_found"))
    answer = await clearbit().look_up(MARA, http)
    assert values(answer) == {
        "firstName": "Mara",
        "lastName": "Lindqvist",
        "title": "VP of Engineering",
        "seniorityLevel": "VP",  # of an "executive", by the title
        "department": "Engineering",
        "linkedinUrl": "https://www.linkedin.com/in/mara-lindqvist-fictional-000",
        "city": "Portland",
        "state": "Oregon",
        "country": "United States",
        "company": "Example Robotics",
        "companyDomain": "example.com",
        "website": "https://example.com",
        "industry": "Industrial Machinery",
        "numberOfEmployees": 420,
        "annualRevenue": "50000000-100000000",
    }
    [sent] = http.sent
    assert (sent.method, sent.base, sent.path) == ("GET", "", "/v2/combined/find")
    assert sent.params == {"email": "mara.lindqvist@example.com"}
    assert sent.headers["Authorization"] == "Bearer TEST_KEY"
    assert sent.headers["API-Version"] == "2019-12-19"


async def test_a_company_is_read() -> None:
    http = FakeHttp(sample("clearbit", "company_found"))
    answer = await clearbit().look_up(EXAMPLE, http)
    assert values(answer) == {
        "name": "Example Robotics",
        "domain": "example.com",
        "website": "https://example.com",
        "phone": "+12025550140",
        "industry": "Industrial Machinery",
        "subIndustry": "Industrial Machinery & Equipment",
        "numberOfEmployees": 420,
        "annualRevenue": "50000000-100000000",
        "foundedYear": 2014,
        "description": "Fictional maker of warehouse robots.",
        "linkedinUrl": "https://www.linkedin.com/company/example-robotics-fictional",
        "street": "100 Sample Street",
        "city": "Portland",
        "state": "Oregon",
        "postalCode": "97201",
        "country": "United States",
        "techStack": ["kubernetes", "postgresql"],
        "tags": ["Robotics", "B2B"],
        "naicsCode": "33",
        "sicCode": "35",
    }
    assert (http.sent[0].base, http.sent[0].path, http.sent[0].params) == (
        "company",
        "/v2/companies/find",
        {"domain": "example.com"},
    )
    assert {finding.observed_at for finding in answer.findings} == {datetime(2026, 9, 1, tzinfo=UTC)}  # type: ignore[union-attr]  # not pending


async def test_a_streaming_answer_is_read_the_same() -> None:
    assert values(await asked(MARA, sample("clearbit", "streaming_found")))["numberOfEmployees"] == 420


async def test_a_half_that_is_missing_costs_only_what_it_would_tell() -> None:
    person_only = values(await asked(lead(email="mara@example.org"), sample("clearbit", "combined_person_only")))
    assert (person_only["firstName"], person_only["companyDomain"]) == ("Mara", "example.com")
    assert "numberOfEmployees" not in person_only
    company_only = values(await asked(MARA, reply(combined(person=None))))
    assert company_only["numberOfEmployees"] == 420
    assert "firstName" not in company_only


@pytest.mark.parametrize("body", [combined(person=None, company=None), {}, None])
async def test_no_half_is_no_match(body: Any) -> None:
    assert await asked(MARA, Reply(200, {}, b"null") if body is None else reply(body)) == NO_MATCH


@pytest.mark.parametrize("half", ["text", 7, [1], True])
async def test_halves_of_wrong_types_are_as_good_as_missing(half: Any) -> None:
    assert values(await asked(MARA, reply(combined(person=half))))["company"] == "Example Robotics"
    assert values(await asked(MARA, reply(combined(company=half))))["firstName"] == "Mara"


async def test_values_of_wrong_types_are_left_out() -> None:
    half: dict[str, Any] = {name: [[7]] for name in body_of("clearbit", "company_found")}
    half["domain"] = "example.com"
    assert values(await asked(EXAMPLE, reply(half))) == {"domain": "example.com", "website": "https://example.com"}


async def test_a_fuzzy_match_is_believed_less() -> None:
    sure = confidences(await asked(MARA, reply(combined())))
    fuzzy = confidences(await asked(MARA, reply(combined(person={"fuzzy": True}))))
    assert fuzzy["firstName"] < sure["firstName"]
    assert fuzzy["numberOfEmployees"] == sure["numberOfEmployees"]  # the other half is no less sure


@pytest.mark.parametrize(
    ("metrics", "employees", "revenue"),
    [
        ({"employees": None, "employeesRange": "251-1K", "annualRevenue": 5_000_000}, "251-1000", 5_000_000),
        ({"employees": None, "employeesRange": "1K-5K", "estimatedAnnualRevenue": "$1B-$10B"}, "1000-5000", None),
        ({"employees": None, "employeesRange": "100K+", "estimatedAnnualRevenue": "$10B+"}, "100000+", "10000000000+"),
        ({"employees": 0, "employeesRange": "1-10", "estimatedAnnualRevenue": "$0-$1M"}, "1-10", "0-1000000"),
        ({"employees": True, "employeesRange": 5}, None, None),
        ("none", None, None),
    ],
)
async def test_sizes_are_numbers_or_ranges(metrics: Any, employees: Any, revenue: Any) -> None:
    found = values(await asked(EXAMPLE, reply({**body_of("clearbit", "company_found"), "metrics": metrics})))
    assert found.get("numberOfEmployees") == employees
    if revenue is not None:
        assert found["annualRevenue"] == revenue


@pytest.mark.parametrize(
    ("geo", "street"),
    [
        ({"countryCode": "DE", "streetName": "Hauptstrasse", "streetNumber": "5"}, "Hauptstrasse 5"),
        (
            {"countryCode": "GB", "streetName": "High Street", "streetNumber": "5", "subPremise": "Flat 2"},
            "5 High Street, Flat 2",
        ),
        ({"countryCode": "GB", "streetName": "High Street"}, "High Street"),
        ({"countryCode": "GB", "streetNumber": "5"}, None),
    ],
)
async def test_a_street_is_put_together_as_its_country_writes_it(geo: Any, street: str | None) -> None:
    found = values(await asked(EXAMPLE, reply({**body_of("clearbit", "company_found"), "geo": geo})))
    assert found.get("street") == street


@pytest.mark.parametrize("handle", ["in/mara", "mara", "/in/mara/"])
async def test_handles_become_addresses(handle: str) -> None:
    body = combined(person={"linkedin": {"handle": handle}})
    assert values(await asked(MARA, reply(body)))["linkedinUrl"] == "https://www.linkedin.com/in/mara"


async def test_a_queued_look_up_is_pending_and_asked_for_again_by_the_same_call() -> None:
    adapter = clearbit()
    pending = await adapter.look_up(MARA, FakeHttp(sample("clearbit", "pending")))
    assert isinstance(pending, Pending)
    assert pending.token.startswith("combined|")
    assert pending.expires_at == datetime.fromtimestamp(NOW + 3600, UTC)
    assert pending.retry_after_seconds > 0

    again = await Clearbit(wall=lambda: NOW + 1800).poll(pending.token, MARA, FakeHttp(sample("clearbit", "pending")))
    assert again == pending  # waiting does not grow

    # The record may have changed meanwhile: what was asked for is asked for again.
    http = FakeHttp(sample("clearbit", "combined_found"))
    answer = await adapter.poll(pending.token, lead("title", email="mara.lindqvist@example.com", phone="1"), http)
    assert values(answer)["firstName"] == "Mara"
    assert http.sent[0].params == {"email": "mara.lindqvist@example.com"}

    missed = await adapter.poll(pending.token, MARA, FakeHttp(sample("clearbit", "not_found")))
    assert missed == NO_MATCH


async def test_a_queued_company_is_asked_for_at_its_own_host() -> None:
    pending = await asked(EXAMPLE, sample("clearbit", "pending"))
    http = FakeHttp(sample("clearbit", "company_found"))
    assert values(await clearbit().poll(pending.token, EXAMPLE, http))["name"] == "Example Robotics"
    assert http.sent[0].base == "company"


@pytest.mark.parametrize("token", ["", "combined", "person|1|a@example.com", "company|soon|example.com", "company|1|"])
async def test_a_token_of_another_make_asks_nothing(token: str) -> None:
    http = FakeHttp()
    with pytest.raises(ProviderError) as caught:
        await clearbit().poll(token, MARA, http)
    assert (caught.value.code, http.sent) == ("rejected", [])


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"type": "unknown_record", "message": "x"}},
        [{"type": "unknown_record"}],
        {"error": [{"type": "unknown_record"}, 5]},
        {"errors": [{"error": {"type": "unknown_record"}}]},
        None,
    ],
)
async def test_a_miss_is_told_by_404(body: Any) -> None:
    assert await asked(MARA, reply(body, 404)) == NO_MATCH


async def test_a_wrong_path_is_no_miss() -> None:
    assert (await refused(reply({"error": {"type": "unknown_route"}}, 404))).code == "rejected"


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "wait"),
    [
        (sample("clearbit", "unauthorized"), "bad_key", False, None),
        (sample("clearbit", "unauthorized_missing"), "bad_key", False, None),
        (sample("clearbit", "invalid_email"), "rejected", False, None),
        (sample("clearbit", "rate_limited"), "rate_limited", True, 10.0),  # until the reset that it names
        (reply(None, 429), "rate_limited", True, 60.0),
        (reply([{"type": "over_quota"}], 402), "out_of_credits", False, None),
        (reply(b"<html>", 500), "unavailable", True, None),
        (reply(None, 504, {"retry-after": "30"}), "unavailable", True, 30.0),
        (reply(b"garbage"), "invalid_answer", False, None),
        (reply(["x"]), "invalid_answer", False, None),
        (reply(None, 302), "invalid_answer", False, None),
    ],
)
async def test_errors_are_told_apart(answer: Reply, code: str, retryable: bool, wait: float | None) -> None:
    error = await refused(answer)
    assert (error.code, error.retryable, error.retry_after_seconds) == (code, retryable, wait)


async def test_who_asked_not_to_be_processed_is_left_alone() -> None:
    answer = await asked(MARA, reply(None, 451))
    assert (answer.matched, answer.detail) == (False, "the person asked not to be processed")


@pytest.mark.parametrize(
    ("question", "body"),
    [
        (lead(email="bo.berg@acme.test"), combined()),
        (lead(email="bo.berg@acme.test"), combined(person=None)),
        (lead(email="x1@example.com", firstName="Bo", lastName="Berg"), combined()),
    ],
)
async def test_an_answer_about_somebody_else_is_refused(question: Any, body: Any) -> None:
    assert (await refused(reply(body), question)).code == "wrong_entity"


async def test_a_company_is_known_by_its_aliases_and_not_by_another_domain() -> None:
    alias = await asked(account(domain="example.net"), sample("clearbit", "company_found"))
    assert values(alias)["domain"] == "example.com"
    assert (await refused(sample("clearbit", "company_found"), account(domain="acme.com"))).code == "wrong_entity"


async def test_a_company_half_that_is_not_the_employer_is_left_out() -> None:
    other = await asked(MARA, reply(combined(company={"domain": "acme.com", "domainAliases": []})))
    assert "numberOfEmployees" not in values(other)
    assert values(other)["firstName"] == "Mara"
    mail = combined(company={"domain": "gmail.com", "emailProvider": True, "domainAliases": []})
    mail["person"] = None
    assert await asked(lead(email="mara@gmail.com"), reply(mail)) == NO_MATCH


def test_a_company_is_asked_for_once_where_nothing_else_is_wanted() -> None:
    key = clearbit().input_key
    assert key(lead("industry", email="a.b@example.com")) == key(lead("industry", email="c.d@example.com"))
    assert key(lead("title", email="a.b@example.com")) != key(lead("title", email="c.d@example.com"))
    assert key(lead("title", companyDomain="example.com")) is None  # a company does not tell it
    assert key(lead(email="info@acme.io")) == key(lead(companyDomain="acme.io"))  # a shared mailbox is nobody
    assert key(account(name="Acme")) is None


async def test_a_key_is_checked_by_a_call_that_is_not_counted() -> None:
    http = FakeHttp(sample("clearbit", "invalid_email"))
    assert (await clearbit().check_key(http)).valid
    assert http.sent[0].params == {"email": "not-an-email"}
    assert not (await clearbit().check_key(FakeHttp(sample("clearbit", "unauthorized")))).valid
    with pytest.raises(ProviderError):
        await clearbit().check_key(FakeHttp(sample("clearbit", "rate_limited")))


def test_it_says_that_misses_count_and_gives_fields_of_the_catalogue_only() -> None:
    assert "miss" in Clearbit.info.remarks[0]
    for entity_type, fields in Clearbit.info.gives.items():
        assert fields <= fields_of(entity_type).keys()
