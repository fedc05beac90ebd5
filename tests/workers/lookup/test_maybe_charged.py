"""Calls that may have been charged are not repeated by themselves, and refusals are never taken for such calls."""

import socket

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.db.statements import query
from providers.api import ProviderError
from providers.apollo.adapter import Apollo
from providers.crunchbase.adapter import Crunchbase
from providers.http.adapter import Adapter
from providers.http.client import ClientLimits, HttpClient
from providers.http.provider import HttpProvider
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from providers.zoominfo.adapter import ZoomInfo
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.api import retry_job
from tests.support.factories import configure, context, job_of, send, services, work
from tests.support.fake_http import account
from tests.support.provider_server import SHORT, OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply, sampled

EXAMPLE = account(domain="example.com")
PATHS = {
    "apollo": "/organizations/enrich",
    "peopledatalabs": "/v5/company/enrich",
    "hunter": "/companies/find",
    "zoominfo": "/data/v1/companies/enrich",
    "crunchbase": "/data/searches/organizations",
}
HTML = ScriptedReply(200, b"<html><body>Please sign in</body></html>", {"content-type": "text/html"})
CUT_OFF = ScriptedReply(200, b'{"data": {"name": "Exam', {"content-type": "application/json"})
NO_RECORD = json_reply([["what"]])
SILENT = ScriptedReply(200, hangs=True)


@pytest.fixture
def http_limits() -> ClientLimits:
    return SHORT


def source(adapter: Adapter, url: str, transport: HttpClient) -> HttpProvider:
    return HttpProvider(adapter, transport, OneKey("a-token"), dict.fromkeys(adapter.bases, url))


async def refused(asking: HttpProvider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asking.ask(EXAMPLE)
    return caught.value


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("reply", [HTML, CUT_OFF, NO_RECORD, SILENT])
@pytest.mark.parametrize("make", [Apollo, PeopleDataLabs, Hunter])
async def test_an_unreadable_answer_is_not_asked_for_again_by_the_next_record(
    make: type[Apollo] | type[PeopleDataLabs] | type[Hunter],
    reply: ScriptedReply,
    server: StandInServer,
    transport: HttpClient,
    redis: ArqRedis,
) -> None:
    adapter = make()
    path = PATHS[adapter.info.id]
    server.script(path, reply, sampled(adapter.info.id, "company_found"))
    shared = services(redis, source(adapter, server.url, transport))
    ctx = context(shared)
    jobs = []
    for record in ("A1", "A2"):
        sent = await send(ctx, "account", record, domain="example.com")
        await work(shared)
        jobs.append(await job_of(sent))
    assert [(job.status, job.error_code) for job in jobs] == [(JobStatus.FAILED, "maybe_charged")] * 2
    assert len(server.calls_to(path)) == 1
    usage = await get_credits(ctx)
    assert (usage.balance, usage.reserved) == (1000, 0)

    await retry_job(ctx, jobs[0].id)  # a person who knows of it may ask again
    await work(shared)

    assert len(server.calls_to(path)) == 2
    assert (await get_credits(ctx)).used == 1
    assert (await check_ledger("acme")).faults == []


@pytest.mark.usefixtures("db")
async def test_an_organization_may_have_such_calls_repeated(
    server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    server.script(PATHS["hunter"], HTML, sampled("hunter", "company_found"))
    shared = services(redis, source(Hunter(), server.url, transport))
    ctx = context(shared)
    await configure(ctx, maybeCharged="retry")
    for record in ("A1", "A2"):
        sent = await send(ctx, "account", record, domain="example.com")
        await work(shared)
    assert (await job_of(sent)).status is JobStatus.COMPLETED


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
async def test_a_refusal_holds_nothing_back(
    status: int, server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    server.script(PATHS["peopledatalabs"], ScriptedReply(status, b"<html>no</html>"))
    shared = services(redis, source(PeopleDataLabs(), server.url, transport))
    sent = await send(context(shared), "account", "A1", domain="example.com")
    await work(shared)
    assert (await job_of(sent)).error_code in {"rejected", "no_access", "unavailable"}
    assert await query("SELECT * FROM answer") == []


async def test_who_cannot_be_connected_to_has_charged_nothing(transport: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("http", "https"):
        error = await refused(source(Hunter(), f"{scheme}://127.0.0.1:{port}", transport))
        assert (error.code, error.maybe_charged) == ("unavailable", False)


async def test_a_server_that_speaks_no_tls_has_charged_nothing(server: StandInServer, transport: HttpClient) -> None:
    error = await refused(source(Hunter(), server.url.replace("http:", "https:"), transport))
    assert (error.code, error.maybe_charged) == ("unavailable", False)
    assert server.calls == []


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (PeopleDataLabs, 402, "out_of_credits"),
        (PeopleDataLabs, 401, "bad_key"),
        (PeopleDataLabs, 429, "rate_limited"),
        (Apollo, 403, "no_access"),
        (Crunchbase, 404, "rejected"),
        (ZoomInfo, 500, "unavailable"),
    ],
)
async def test_a_refusal_whose_words_do_not_come_is_the_refusal(
    make: type[Adapter], status: int, code: str, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    server.script(PATHS[adapter.info.id], ScriptedReply(status, hangs=True))
    error = await refused(source(adapter, server.url, transport))
    assert (error.code, error.maybe_charged) == (code, False)


@pytest.mark.parametrize("usage", [SILENT, ScriptedReply(500), HTML])
async def test_a_slow_look_at_the_account_does_not_hide_that_credits_are_used_up(
    usage: ScriptedReply, server: StandInServer, transport: HttpClient
) -> None:
    server.script(PATHS["hunter"], ScriptedReply(402))
    server.script("/account", usage)
    server.script(PATHS["apollo"], json_reply({"error": "Insufficient credits"}, 422))
    server.script("/usage_stats/credit_usage_stats", usage)
    for adapter in (Hunter(), Apollo()):
        error = await refused(source(adapter, server.url, transport))
        assert (error.code, error.maybe_charged) == ("out_of_credits", False)
    assert len(server.calls) == 4


async def test_the_requests_of_one_look_up_share_its_time(server: StandInServer) -> None:
    limits = ClientLimits(connect_seconds=1, read_seconds=5, whole_seconds=5, look_up_seconds=0.7)
    transport = HttpClient(development=True, limits=limits)
    asking = source(Hunter(), server.url, transport)
    server.script(PATHS["hunter"], ScriptedReply(402))
    server.script("/account", SILENT)
    error = await refused(asking)
    assert (error.code, error.maybe_charged) == ("out_of_credits", False)
    server.script(PATHS["hunter"], SILENT)
    error = await refused(asking)
    assert (error.code, error.maybe_charged) == ("timeout", True)
    await transport.close()


async def test_a_garbled_sign_in_has_charged_nothing(server: StandInServer, transport: HttpClient) -> None:
    class Pair(OneKey):
        async def key_of(self, organization_id: str, provider_id: str) -> str | None:
            return "my-id:my-secret"

    adapter = ZoomInfo()
    asking = HttpProvider(adapter, transport, Pair(), dict.fromkeys(adapter.bases, server.url))
    for reply in (HTML, CUT_OFF, ScriptedReply(204, b""), SILENT):
        server.script("/oauth2/default/v1/token", reply)
        assert not (await refused(asking)).maybe_charged
