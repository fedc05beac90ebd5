"""`/jobs` over REST: listed page by page, shown with their steps, tried again."""

import re
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from models.db.columns import new_id
from providers.api import ProviderError
from resolvers.context import Role
from resolvers.paging import cursor_of
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")

ALL = "/jobs?entityType=all&status=all"
UNKNOWN = "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"


@pytest.fixture
def standin() -> StandIn:
    return StandIn(knows={"acme.com": {"industry": "Software", "city": "Berlin"}})


@pytest.fixture
def rest(redis: ArqRedis, standin: StandIn) -> Rest:
    return Rest(services(redis, standin))


@pytest.fixture
def shared(redis: ArqRedis, standin: StandIn) -> Any:
    return services(redis, standin)


def next_link(response: httpx.Response) -> str | None:
    link = response.headers.get("link")
    if link is None:
        return None
    match = re.fullmatch(r'<([^>]+)>; rel="next"', link)
    assert match, link
    return match[1]


def ids(response: httpx.Response) -> list[str]:
    return [job["externalId"] for job in response.json()]


async def test_jobs_are_listed_newest_first_with_everything_about_them(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com", city="Paris")
    await work(shared)
    await send(ctx, "lead", "L1", email="ann@acme.com")

    response = await rest.get(ALL, role=Role.VIEWER)

    assert (response.status_code, ids(response)) == (200, ["L1", "A1"])
    pending, ended = response.json()
    assert (pending["status"], pending["progress"], pending["steps"], pending["finishedAt"]) == ("pending", 0, [], None)
    assert (ended["status"], ended["progress"], ended["fieldsUpdated"]) == ("completed", 100, ["industry"])
    assert [(step["provider"], step["outcome"]) for step in ended["steps"]] == [("standin", "match")]
    reasons = {outcome["field"]: outcome["reason"] for outcome in ended["fieldOutcomes"]}
    assert (reasons["industry"], reasons["city"]) == ("written", "conflict")
    (conflict,) = ended["conflicts"]
    assert (conflict["field"], conflict["jobId"], conflict["externalId"]) == ("address", ended["id"], "A1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", ended["createdAt"])
    assert (await rest.get(f"/jobs/{ended['id']}")).json() == ended


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("entityType=account&status=all", ["A2", "A1"]),
        ("entityType=LEAD&status=ALL", ["L1"]),
        ("entityType=lead,account&status=all", ["L1", "A2", "A1"]),
        ("entityType=all&status=pending", ["L1"]),
        ("entityType=all&status=Completed,pending", ["L1", "A2", "A1"]),
        ("entityType=contact&status=all", []),
        ("entityType=all&status=in_progress", []),
    ],
)
async def test_both_parameters_narrow_the_list(rest: Rest, shared: Any, query: str, found: list[str]) -> None:
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", domain="acme.com")
    await work(shared)
    await send(ctx, "lead", "L1", email="ann@acme.com")

    response = await rest.get(f"/jobs?{query}")

    assert (response.status_code, ids(response)) == (200, found)
    assert "link" not in response.headers


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", ["entityType", "status"]),
        ("?entityType=all", ["status"]),
        ("?status=all", ["entityType"]),
        ("?entityType=&status=all", ["entityType"]),
        ("?entityType=all&status=", ["status"]),
        ("?entityType=%3Cstring%3E&status=%3Cstring%3E", ["entityType", "status"]),
        ("?entityType=all&status=done", ["status"]),
        ("?entityType=all&status=all&status=all", ["status"]),
        ("?entityType=all&status=all&limit=0", ["limit"]),
        ("?entityType=all&status=all&limit=201", ["limit"]),
        ("?entityType=all&status=all&limit=x", ["limit"]),
        ("?entityType=all&status=all&cursor=x", ["cursor"]),
        ("?entityType=all&status=all&cursor=", ["cursor"]),
        ("?entityType=all&status=all&cursor=%00%ff", ["cursor"]),
    ],
)
async def test_a_bad_parameter_is_named(rest: Rest, query: str, paths: list[str]) -> None:
    response = await rest.get(f"/jobs{query}")
    assert (response.status_code, problem_code(response)) == (400, "BAD_REQUEST")
    assert fault_paths(response) == paths


async def test_link_leads_through_the_whole_list_once(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    for number in range(5):
        await send(ctx, "account", f"A{number}", name=f"Acme {number}")
    await send(ctx, "lead", "L1", email="ann@acme.com")

    address: str | None = "/jobs?entityType=account&status=PENDING,completed&limit=2"
    pages = []
    while address:
        response = await rest.get(address.removeprefix("http://test"))
        pages.append(ids(response))
        address = next_link(response)
        if address:
            sent = httpx.URL(address).params
            assert (sent["entityType"], sent["status"], sent["limit"]) == ("account", "PENDING,completed", "2")
            assert sent.get_list("cursor") == [sent["cursor"]]

    assert pages == [["A4", "A3"], ["A2", "A1"], ["A0"]]


async def test_a_cursor_past_the_end_gives_an_empty_page(rest: Rest) -> None:
    cursor = cursor_of(UNKNOWN, "jobs")
    response = await rest.get(f"{ALL}&cursor={cursor}")
    assert (response.status_code, response.json()) == (200, [])


async def test_by_default_there_are_50_on_a_page(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    for number in range(51):
        await send(ctx, "account", f"A{number}", name=f"Acme {number}")
    response = await rest.get(ALL)
    assert len(response.json()) == 50
    assert next_link(response)
    assert len((await rest.get(f"{ALL}&limit=200")).json()) == 51


async def test_a_failed_job_is_queued_again(rest: Rest, shared: Any, standin: StandIn) -> None:
    standin.fails.append(ProviderError("bad_key", "no", retryable=False))
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    assert sent.job is not None
    await work(shared)
    failed = (await rest.get(f"/jobs/{sent.job.id}")).json()
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == failed["steps"][0]["error"]["code"] == "bad_key"

    response = await rest.post(f"/jobs/{sent.job.id}/retry", role=Role.USER)

    assert (response.status_code, response.json()["status"]) == (202, "pending")
    again = await rest.post(f"/jobs/{sent.job.id}/retry")
    assert (again.status_code, problem_code(again), again.json()["state"]) == (409, "JOB_NOT_RETRYABLE", "pending")


@pytest.mark.parametrize("content", [b"", b"{}", b"{"])
async def test_a_retry_needs_no_body_and_reads_none(rest: Rest, content: bytes) -> None:
    response = await rest.post(f"/jobs/{UNKNOWN}/retry", content=content)
    assert (response.status_code, problem_code(response)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs/{}"), ("POST", "/jobs/{}/retry")])
async def test_a_job_that_is_not_there_is_not_found(rest: Rest, method: str, path: str) -> None:
    response = await rest(method, path.format(UNKNOWN))
    assert (response.status_code, problem_code(response)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("bad", ["1", "<string>", "null", "%00", "01936f2a6f1c7d3e8a550c8f5f2b9a10", "é", "a" * 3000])
@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs/{}"), ("POST", "/jobs/{}/retry")])
async def test_what_is_no_id_is_a_bad_request(rest: Rest, method: str, path: str, bad: str) -> None:
    response = await rest(method, path.format(bad))
    assert (response.status_code, fault_paths(response)) == (400, ["id"])


async def test_an_id_is_found_in_any_case(rest: Rest, shared: Any) -> None:
    sent = await send(context(shared), "account", "A1", name="Acme")
    assert sent.job is not None
    assert (await rest.get(f"/jobs/{sent.job.id.upper()}")).json()["id"] == sent.job.id


async def test_jobs_of_another_organization_are_not_there(rest: Rest, shared: Any) -> None:
    sent = await send(context(shared), "account", "A1", name="Acme")
    assert sent.job is not None
    assert (await rest.get(ALL, org="other")).json() == []
    foreign = await rest.get(f"/jobs/{sent.job.id}", org="other")
    missing = await rest.get(f"/jobs/{new_id()}", org="other")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await rest.post(f"/jobs/{sent.job.id}/retry", org="other")).status_code == 404


async def test_a_viewer_may_not_retry(rest: Rest) -> None:
    response = await rest.post(f"/jobs/{UNKNOWN}/retry", role=Role.VIEWER)
    assert (response.status_code, problem_code(response)) == (403, "FORBIDDEN")


async def test_the_next_page_is_below_the_public_address_and_never_where_a_stranger_says(shared: Any) -> None:
    ctx = context(shared)
    for number in range(2):
        await send(ctx, "account", f"A{number}", name="Acme")
    forwarded = {"Host": "crm.example:8443", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    at_its_host = next_link(await Rest(shared).get(f"{ALL}&limit=1", headers=forwarded))
    in_public = next_link(await Rest(shared, public_url="https://api.example/in").get(f"{ALL}&limit=1"))

    assert at_its_host is not None
    assert in_public is not None
    assert at_its_host.startswith("http://crm.example:8443/v1/auto-enrichment/jobs?entityType=all&status=all&limit=1&")
    assert in_public.startswith("https://api.example/in/v1/auto-enrichment/jobs?entityType=all")


async def test_jobs_are_listed_in_the_order_in_which_they_ended(rest: Rest, shared: Any) -> None:
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    for external_id in ("A2", "A3"):
        await send(ctx, "account", external_id, name="Acme", domain="acme.com")

    first = await rest.get(f"{ALL}&orderBy=Finished_At_Desc&limit=2")
    assert ids(first) == ["A1", "A3"]
    following = next_link(first)
    assert following is not None
    assert ids(await rest.get(following.split("/v1/auto-enrichment")[1])) == ["A2"]
    assert ids(await rest.get(f"{ALL}&orderBy=finished_at_asc")) == ["A2", "A3", "A1"]
    assert ids(await rest.get(f"{ALL}&finishedAfter=2020-01-01&orderBy=created_at_asc")) == ["A1"]
    assert ids(await rest.get(f"{ALL}&finishedBefore=2020-01-01")) == []
    other = await rest.get(following.split("/v1/auto-enrichment")[1].replace("Finished_At_Desc", "finished_at_asc"))
    assert (other.status_code, fault_paths(other)) == (400, ["cursor"])
    for wrong in ("all", "progress", "created_at_asc,created_at_desc"):
        refused = await rest.get(f"{ALL}&orderBy={wrong}")
        assert (refused.status_code, fault_paths(refused)) == (400, ["orderBy"]), wrong
