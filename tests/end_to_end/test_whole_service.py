"""The command as it is run: a server and workers on real stores, and paid providers that count what they served.

Every test is an organization or more of its own, on the same processes.

One file, because the tests share what starts and watches the processes.
"""

import asyncio
import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from models.db import connection
from service.embedded.redis import recorded_socket, socket_url
from service.redis_pool import redis_at
from tests.support.canaries import redis_texts, stored_texts
from tests.support.commands import command
from tests.support.leaks import files_of, found_in
from tests.support.paid_standin import PaidStandIn, paid_standin, rate_limited
from tests.support.whole_service import SET_KEY, Caller, WholeService

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("whole service")]

PAID = ("apollo", "peopledatalabs", "hunter", "zoominfo", "crunchbase", "clearbit")
WORKERS = 2
HANGS_SECONDS = 15  # a worker waits so long for a reply that does not come
INHOUSE = {
    "id": "inhouse",
    "name": "In-house",
    "entityTypes": ["lead", "contact", "account"],
    "request": {"url": "PLACE/inhouse/companies?domain={companyDomain}"},
    "auth": {"header": "X-Inhouse-Key", "value": "{key}"},
    "fields": {"city": "town"},
    "identity": {"domain": "web"},
    "callsPerMinute": 6000,
}

# One has all that texts of some kind would write differently; ZoomInfo's are a name and a secret.
KEYS = {
    "of the environment": "env-hunter-5b3c9a71",
    "with odd letters": "odd +/=&?%22\"'\\<key> 9d41",
    "replaced": "first-key-of-rotating-77aa",
    "its replacement": "second-key-of-rotating-88bb",
    **{f"of {provider}": f"client-{provider}:secret-{provider}-e2f1" for provider in PAID},
    **{
        f"of {name}": f"key-of-{name}-{number:04}"
        for number, name in enumerate(
            ("twice", "killed", "usual", "limited", "empty", "inhouse", "watched", "too-long" + "x" * 5000)
        )
    },
}
HOSTILE = {
    # How the account misbehaves, how the provider's step then ends, and what its breaker says.
    "hang": ({"maybe_charged", "rate_limited", "circuit_open"}, ("OPEN", "failures")),
    "endless": ({"maybe_charged", "circuit_open"}, ("OPEN", "failures")),
    "bomb": ({"maybe_charged", "circuit_open"}, ("OPEN", "failures")),
    "html": ({"maybe_charged", "circuit_open"}, ("OPEN", "failures")),
    "wrong_types": ({"maybe_charged", "circuit_open"}, ("OPEN", "failures")),
    "garbage": ({"maybe_charged", "circuit_open"}, ("OPEN", "failures")),
    "failing": ({"unavailable", "circuit_open"}, ("OPEN", "failures")),
    "redirect_away": ({"invalid_answer", "circuit_open"}, ("OPEN", "failures")),
    "others_data": ({"wrong_entity"}, ("CLOSED", None)),
    "bad_key": ({"bad_key", "circuit_open"}, ("OPEN", "bad_key")),
    "out_of_credits": ({"out_of_credits", "circuit_open"}, ("OPEN", "out_of_credits")),
}
KEYS |= {f"of {mode}": f"key-of-{mode}-{number:04}" for number, mode in enumerate(HOSTILE, 100)}


@pytest.fixture(scope="module")
def paid() -> Iterator[PaidStandIn]:
    with paid_standin() as standin:
        standin.account(KEYS["of the environment"])
        standin.account(KEYS["of inhouse"])
        yield standin


@pytest.fixture(scope="module")
def stores(migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of the stores: embedded, or those that the tests were given, emptied."""
    if migrated_url.startswith("sqlite"):
        yield {}
        return

    async def empty() -> None:
        connection = await asyncpg.connect(migrated_url)
        await connection.execute("TRUNCATE organization CASCADE")
        await connection.close()

    asyncio.run(empty())
    yield {"DATABASE_URL": migrated_url, "REDIS_URL": redis_url}
    asyncio.run(empty())


@pytest.fixture(scope="module")
def service(
    paid: PaidStandIn, stores: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WholeService]:
    folder = tmp_path_factory.mktemp("whole")
    described = folder / "inhouse.json"
    described.write_text(json.dumps(INHOUSE).replace("PLACE", paid.url))
    settings = {f"{provider.upper()}_BASE_URL": f"{paid.url}/{provider}" for provider in PAID}
    settings |= {"HUNTER_API_KEY": KEYS["of the environment"], "DESCRIBED_PROVIDERS": str(described)}
    running = WholeService(folder / "data", settings | stores)
    try:
        running.start(WORKERS)
        yield running
    finally:
        running.stop()


def leads(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Leads of as many companies, unless `fields` say otherwise."""
    return [
        {"id": f"L{n}", "company": f"Company{n}", "companyDomain": f"company{n}.example", **fields}
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def killed(service: WholeService, paid: PaidStandIn) -> Caller:
    """An organization whose jobs were under way when the workers were killed; others took their places."""
    caller = service.caller("killed")
    account = paid.account(KEYS["of killed"], delay_seconds=0.3)

    async def begin() -> None:
        await caller.use("apollo", "peopledatalabs", key=KEYS["of killed"])
        await caller.send("LEAD", *leads(90))
        await account.until_asked(30)
        for worker in service.workers:
            worker.kill()

    asyncio.run(begin())
    service.add_workers(WORKERS)
    return caller


async def test_leads_of_one_company_ask_and_pay_for_it_once(service: WholeService, paid: PaidStandIn) -> None:
    async def send_to(provider: str) -> None:
        key = KEYS[f"of {provider}"]
        account = paid.account(key, delay_seconds=0.2)
        caller = service.caller(provider)
        await caller.use(provider, key=key)
        company = {"company": "Acme", "companyDomain": "acme.example"}
        some = [{**lead, "id": f"{lead['id']}-{part}"} for part in range(3) for lead in leads(20, **company)]
        await asyncio.gather(*(caller.send("LEAD", *some[start::3]) for start in range(3)))
        jobs = await caller.until_ended()
        assert Counter(job["status"] for job in jobs) == {"COMPLETED": 60}
        assert all(job["record"]["fields"]["numberOfEmployees"] for job in jobs)
        assert [(call.about, call.outcome) for call in account.asked] == [("acme.example", "match")]
        assert account.matches() == {provider: 1}
        assert await caller.paid() == ({} if provider == "crunchbase" else {provider: 1})  # whose licence counts none

    await asyncio.gather(*map(send_to, PAID))


async def test_the_same_person_in_one_batch_and_in_two_requests_at_once_is_paid_for_once(
    service: WholeService, paid: PaidStandIn
) -> None:
    account = paid.account(KEYS["of twice"], delay_seconds=0.2)
    caller = service.caller("twice")
    await caller.use("apollo", "hunter", key=KEYS["of twice"], minChance=None)
    ann = {"id": "C1", "email": "ann.berg@acme.example"}
    selection = {"entityType": "CONTACT", "externalIds": ["C1"]}
    await asyncio.gather(
        caller.send("CONTACT", ann, ann),
        caller.send("CONTACT", ann),
        caller.send("CONTACT", {**ann, "id": "C2", "email": "Ann.Berg@ACME.example"}),
    )
    await asyncio.gather(*(caller(ENRICH, selection=selection, force=True) for _ in range(3)))
    jobs = await caller.until_ended()
    assert {job["status"] for job in jobs} == {"COMPLETED"}
    assert {(call.provider, call.about) for call in account.asked} == {
        ("apollo", "ann.berg@acme.example"),
        ("hunter", "ann.berg@acme.example"),
    }
    assert await caller.paid() == account.matches() == {"apollo": 1, "hunter": 1}


async def test_hostile_accounts_spoil_their_own_jobs_alone_and_slow_nobody(
    service: WholeService, paid: PaidStandIn, killed: Caller
) -> None:
    usual = service.caller("usual")
    paid.account(KEYS["of usual"])
    await usual.use("apollo", key=KEYS["of usual"])
    seconds: list[float] = []

    async def be_served() -> None:
        for lead in leads(5):
            started = time.monotonic()
            await usual.send("LEAD", lead)
            assert {job["status"] for job in await usual.until_ended()} == {"COMPLETED"}
            seconds.append(time.monotonic() - started)
            await asyncio.sleep(1)

    ends = await asyncio.gather(be_served(), *(_suffer(service, paid, mode) for mode in HOSTILE))
    assert max(seconds) < HANGS_SECONDS, seconds
    assert dict(zip(HOSTILE, ends[1:], strict=True)) == {mode: breaker for mode, (_, breaker) in HOSTILE.items()}
    assert not paid.unknown_keys


async def _suffer(service: WholeService, paid: PaidStandIn, mode: str) -> Any:
    """Jobs of an organization whose account at Apollo misbehaves: they end, with what another provider tells."""
    account = paid.account(KEYS[f"of {mode}"], mode=mode)
    caller = service.caller(mode)
    for provider, key in (("apollo", KEYS[f"of {mode}"]), ("inhouse", KEYS["of inhouse"])):
        await caller.use(provider, key=key)
    await caller.use("apollo", "inhouse", maxAttempts=1, backoff={"initialSeconds": 1, "maxSeconds": 1})
    await caller.send("LEAD", *leads(8))
    jobs = await caller.until_ended()
    codes = {job["steps"][0]["error"]["code"] for job in jobs}
    assert codes <= HOSTILE[mode][0], (mode, codes)
    assert {job["status"] for job in jobs} == {"PARTIAL"}, mode
    assert all(job["record"]["fields"]["city"] == "Portland" for job in jobs), mode
    assert len(account.asked) <= 8, mode
    # What the provider says that its answers about somebody else consumed is charged.
    assert await caller.paid() == {} or mode == "others_data", mode
    shown = await caller.provider("apollo")
    return shown["state"], shown["stateReason"]


async def test_jobs_of_killed_workers_end_once_and_cost_once(paid: PaidStandIn, killed: Caller) -> None:
    account = paid.accounts[KEYS["of killed"]]
    jobs = await killed.until_ended()
    ends = Counter(job["status"] for job in jobs)
    assert ends.keys() <= {"COMPLETED", "PARTIAL"}
    assert len({job["record"]["externalId"] for job in jobs}) == 90
    assert all(job["record"]["fields"]["numberOfEmployees"] for job in jobs)
    assert {job["attempts"] for job in jobs} == {1}  # the death of a worker uses up none
    # A call that was under way when its worker died is in doubt and not made again: the next provider is asked.
    charged, served = await killed.paid(), account.matches()
    assert sum(charged.values()) == 90
    assert charged.get("peopledatalabs", 0) == served["peopledatalabs"] == ends["PARTIAL"]
    assert charged.get("apollo", 0) <= served["apollo"] <= charged.get("apollo", 0) + ends["PARTIAL"]
    assert set(Counter((call.provider, call.about) for call in account.asked).values()) == {1}


async def test_an_account_without_credits_or_with_a_bad_key_is_left_alone_until_that_changes(
    service: WholeService, paid: PaidStandIn
) -> None:
    caller = service.caller("rotating")
    old = paid.account(KEYS["replaced"], mode="bad_key")
    new = paid.account(KEYS["its replacement"])
    await caller.use("apollo", key=KEYS["replaced"])
    await caller.send("LEAD", *leads(1))
    assert {job["status"] for job in await caller.until_ended()} == {"FAILED"}
    await caller.send("LEAD", *leads(6)[1:])
    assert {job["error"]["code"] for job in await caller.until_ended()} == {"bad_key", "circuit_open"}
    assert len(old.asked) == 1
    assert not (await caller.provider("apollo"))["healthy"]

    await caller(SET_KEY, provider="apollo", key=KEYS["its replacement"])
    shown = await caller.provider("apollo")
    assert (shown["healthy"], shown["keyLastFour"]) == (True, "88bb")
    await asyncio.gather(*(caller(RETRY, id=job["id"]) for job in await caller.jobs()))
    assert {job["status"] for job in await caller.until_ended()} == {"COMPLETED"}
    assert (len(old.asked), await caller.paid()) == (1, {"apollo": 6})
    assert new.matches() == {"apollo": 6}

    empty = service.caller("empty")
    account = paid.account(KEYS["of empty"], mode="out_of_credits")
    await empty.use("apollo", key=KEYS["of empty"])
    await empty.send("LEAD", *leads(1))
    await empty.until_ended()
    await empty.send("LEAD", *leads(9)[1:])
    assert {job["error"]["code"] for job in await empty.until_ended()} == {"out_of_credits", "circuit_open"}
    shown = await empty.provider("apollo")
    assert (shown["state"], shown["stateReason"], len(account.asked)) == ("OPEN", "out_of_credits", 1)
    assert shown["stateUntil"] is not None


async def test_no_worker_calls_before_the_moment_that_a_provider_named(
    service: WholeService, paid: PaidStandIn
) -> None:
    pause = 4
    caller = service.caller("limited")
    account = paid.account(KEYS["of limited"], first=[rate_limited(pause)])
    await caller.use("apollo", key=KEYS["of limited"], backoff={"initialSeconds": 1, "maxSeconds": 2})
    await caller.send("LEAD", *leads(1))
    await account.until_asked(1)
    await caller.send("LEAD", *leads(30)[1:])
    assert {job["status"] for job in await caller.until_ended()} == {"COMPLETED"}
    refused, *later = account.asked
    assert min(call.at for call in later) - refused.at >= pause
    assert (len(later), await caller.paid()) == (30, {"apollo": 30})


async def test_no_key_is_found_anywhere_but_sealed(
    service: WholeService, paid: PaidStandIn, stores: dict[str, str], tmp_path: Path
) -> None:
    await _use_keys(service, paid)
    await _ask_for_everything(service)
    shown = command("settings", data_dir=tmp_path / "other", AUTO_ENRICHMENT_HUNTER_API_KEY=KEYS["of the environment"])
    sources = {
        "answers": b"\n".join(service.answers),
        "logs": service.output,
        "settings": (shown.stdout + shown.stderr).encode(),
        **await _kept(service, stores),
        **dict(files_of(service.data_dir)),
    }
    secrets = KEYS | {"token of zoominfo": f"token-of-{KEYS['of zoominfo']}"}
    assert {index: found for index, text in sources.items() if (found := found_in(text, secrets))} == {}
    # What may be seen of a key is where it belongs, so that the search looks at what is there.
    assert b"88bb" in sources["database"] and b"88bb" in sources["answers"]
    assert b"auto-enrichment:rate:apollo" in sources["redis"]
    assert b"circuit breaker" in sources["logs"]


async def _kept(service: WholeService, stores: dict[str, str]) -> dict[str, bytes]:
    """All that database and Redis hold, as text."""
    socket = recorded_socket(service.data_dir)
    redis = redis_at(stores.get("REDIS_URL") or socket_url(socket or Path()), tries=1)
    await connection.connect(stores.get("DATABASE_URL", f"sqlite://{service.data_dir / 'auto-enrichment.db'}"))
    try:
        return {
            "database": "\n".join(await stored_texts()).encode(),
            "redis": b"\n".join(await redis_texts(redis)),
        }
    finally:
        await connection.close()
        await redis.aclose(close_connection_pool=True)


async def _use_keys(service: WholeService, paid: PaidStandIn) -> None:
    """A key that is shown by its last four characters, and one whose account has no credits left."""
    await service.caller("rotating")(SET_KEY, provider="apollo", key=KEYS["its replacement"])
    watched = service.caller("watched")
    paid.account(KEYS["of watched"], mode="out_of_credits")
    await watched.use("apollo", key=KEYS["of watched"])
    await watched.send("LEAD", *leads(1))
    await watched.until_ended()


async def _ask_for_everything(service: WholeService) -> None:
    """Every page that could show a key, and every operation that is refused one."""
    caller, other = service.caller("rotating"), service.caller("twice")
    for refused in ("of too-long", "with odd letters"):
        await caller.result(SET_KEY, provider="apollo", key=KEYS.get(refused, "x") + "\u00e9")
        await caller.result(SET_KEY, provider="nobody", key=KEYS.get(refused, "x"))
    await service.caller("rotating", "MANAGER").result(SET_KEY, provider="apollo", key=KEYS["of usual"])
    torn = f'mutation {{ setProviderKey(provider: "{KEYS["of usual"]}'
    await caller.request("POST", "/graphql", json={"query": torn})
    await other.use("hunter", key=KEYS["with odd letters"])
    await other.send("LEAD", *leads(2))
    await other.until_ended()
    for provider in (*PAID, "inhouse", "directory"):
        for user in (caller, other, service.caller("hang")):
            await user.result("mutation($id: ID!) { testProvider(id: $id) { ok detail creditsLeft } }", id=provider)
    for query in ("{ config { version } }", "{ stats { matchRate } }", "{ conflicts { nodes { field } } }"):
        await caller.result(query)
    for path in ("config", "jobs?status=all&entityType=all", "conflicts", "stats", "credits"):
        await caller.request("GET", f"/v1/auto-enrichment/{path}")
    for path in ("/metrics", "/readyz", "/healthz", "/v1/openapi.json", "/v1/docs", "/graphql"):
        await caller.request("GET", path, headers={"Accept": "text/html"})


ENRICH = """mutation($selection: RecordSelection!, $force: Boolean) {
  enrichRecords(selection: $selection, force: $force) { queuedCount foldedCount skippedCount } }"""
RETRY = "mutation($id: ID!) { retryJob(id: $id) { status } }"


def test_the_search_knows_a_secret_in_any_form() -> None:
    secret = KEYS["with odd letters"]
    written = [
        quote(secret),
        json.dumps({"key": secret}),
        b64encode(f"user:{secret}".encode()).decode(),
        repr([secret]),
    ]
    assert all(found_in(f"before {text} after".encode(), {"it": secret}) == {"it"} for text in written)
    assert found_in(b"before and after", {"it": secret}) == set()
