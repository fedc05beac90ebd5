"""What GraphQL shows of providers that cost: health, keys, estimates and the ledger's proof."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from resolvers.context import Role
from resolvers.secret_box import SecretBox
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

KEY = "sk-live-0123456789abcdef"
PROVIDERS = "{ providers { id configured keyLastFour healthy state lastError { code } needsKey price } }"


async def test_a_key_goes_in_and_only_its_end_comes_out(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", needs_key=True, price=2))
    shared.secret_box = SecretBox(b"m" * 32)
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


async def test_a_key_may_switch_its_provider_on(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", needs_key=True, price=2)
    shared = services(redis, StandIn(id="free"), paid)
    shared.secret_box = SecretBox(b"m" * 32)
    run = Operations(shared)
    off = '[{id: "free"}, {id: "paid", enabled: false, dailyLimit: 9}]'
    await run(f"mutation {{ updateConfig(input: {{providers: {off}}}) {{ version }} }}")
    told = "enabled configured notAskedBecause position"
    set_key = (
        f'mutation($enable: Boolean) {{ setProviderKey(provider: "paid", key: "{KEY}", enable: $enable) {{ {told} }} }}'
    )
    why = "it is switched off in the configuration"
    stored = {"enabled": False, "configured": True, "notAskedBecause": why, "position": 2}
    assert (await run(set_key))["setProviderKey"] == stored
    switched_on = {"enabled": True, "configured": True, "notAskedBecause": None, "position": 2}
    assert (await run(set_key, enable=True))["setProviderKey"] == switched_on
    config = (await run("{ config { version providers { id enabled dailyLimit } } }"))["config"]
    assert config["providers"][1] == {"id": "paid", "enabled": True, "dailyLimit": 9}
    assert (await run(set_key, enable=True))["setProviderKey"] == switched_on
    assert (await run("{ config { version } }"))["config"]["version"] == config["version"]
    removed = await run('mutation { removeProviderKey(provider: "paid") { notAskedBecause } }')
    assert removed["removeProviderKey"] == {"notAskedBecause": "it has no key"}


async def test_a_key_puts_a_provider_into_the_configuration_that_is_not_in_it(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="free"), StandIn(id="paid", needs_key=True))
    shared.secret_box = SecretBox(b"m" * 32)
    run = Operations(shared)
    await run('mutation { updateConfig(input: {providers: [{id: "free"}]}) { version } }')
    [_, paid] = (await run("{ providers { notAskedBecause } }"))["providers"]
    assert paid == {"notAskedBecause": "it is not in the configuration"}
    set_key = f'mutation {{ setProviderKey(provider: "paid", key: "{KEY}", enable: true) {{ enabled position }} }}'
    assert (await run(set_key))["setProviderKey"] == {"enabled": True, "position": 2}
    actions = {line["action"] for line in (await run("{ audit { nodes { action } } }"))["audit"]["nodes"]}
    assert {"provider_key.set", "config.changed"} <= actions


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
