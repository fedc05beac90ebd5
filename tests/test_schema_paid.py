"""What GraphQL shows of providers that cost: health, keys, estimates and the ledger's proof."""

import pytest
from arq.connections import ArqRedis

from enrichment.vocabulary import EntityType
from resolvers.context import Role
from resolvers.sealing import Sealer
from tests.factories import StandIn, context, send, services, work
from tests.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

KEY = "sk-live-0123456789abcdef"
PROVIDERS = "{ providers { id configured keyLastFour healthy state lastError { code } needsKey price } }"


async def test_a_key_goes_in_and_only_its_end_comes_out(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", needs_key=True, price=2))
    shared.sealer = Sealer(b"m" * 32)
    run = Operations(shared)
    set_key = "mutation($key: String!) { setProviderKey(provider: paid, key: $key) { configured keyLastFour } }"
    set_key = set_key.replace("provider: paid", 'provider: "paid"')
    assert (await run(set_key, key=KEY))["setProviderKey"] == {"configured": True, "keyLastFour": "cdef"}
    [shown] = (await run(PROVIDERS))["providers"]
    assert (shown["state"], shown["healthy"], shown["lastError"], shown["price"]) == ("CLOSED", True, None, 2)
    assert await Operations(shared, role=Role.MANAGER).code(set_key, key=KEY) == "FORBIDDEN"
    removed = await run('mutation { removeProviderKey(provider: "paid") { configured keyLastFour } }')
    assert removed["removeProviderKey"] == {"configured": False, "keyLastFour": None}
    assert (await run('mutation { testProvider(id: "paid") { ok } }'))["testProvider"]["ok"]
    assert await run.code('mutation { resetProvider(id: "nobody") { id } }') == "NOT_FOUND"


async def test_an_estimate_a_maximum_and_the_proof(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", price=2, knows={"acme.com": {"city": "Berlin"}}))
    run = Operations(shared)
    await run("mutation { updateConfig(input: {triggers: {onCreate: false}, maybeCharged: RETRY}) { maybeCharged } }")
    await send(context(shared), EntityType.ACCOUNT, "A1", domain="acme.com")
    estimate = (
        await run(
            "{ estimateEnrichment(selection: {entityType: ACCOUNT}) { eligible minimum expected maximum"
            " byProvider { provider questions maximum } ineligible { reason records } } }"
        )
    )["estimateEnrichment"]
    assert (estimate["eligible"], estimate["minimum"], estimate["maximum"]) == (1, 0, 2)
    assert estimate["byProvider"] == [{"provider": "paid", "questions": 1, "maximum": 2}]
    enrich = "mutation { enrichRecords(selection: {entityType: ACCOUNT}, maxCredits: 1) { queuedCount } }"
    assert (await run(enrich))["enrichRecords"]["queuedCount"] == 1
    await work(shared)
    proof = await run("{ verifyLedger { addsUp balance reserved faults } credits { alerts { threshold } } }")
    assert proof["verifyLedger"] == {"addsUp": True, "balance": 1000, "reserved": 0, "faults": []}
    assert proof["credits"]["alerts"] == []


async def test_texts_that_no_database_can_hold_are_refused(redis: ArqRedis) -> None:
    run = Operations(services(redis))
    for operation in (
        "mutation($text: String!) { pausePipeline(reason: $text) { paused } }",
        'mutation($text: String!) { grantCredits(amount: 1, note: $text, idempotencyKey: "k") { balance } }',
        "query($text: String!) { records(filter: {search: $text}) { nodes { id } } }",
    ):
        assert await run.code(operation, text="a\0b") in {"VALIDATION_FAILED", "BAD_REQUEST"}
