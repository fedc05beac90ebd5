"""Every subscription, while another organization does all that there is to watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from arq.connections import ArqRedis

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from tests.service.access.documents import Call, as_text, calls_of
from tests.service.access.graphql_checks import known_texts, with_id
from tests.service.access.organizations import OTHER, OWN, SHARED_ID, Traces, fill, shared_services, traces
from tests.support.factories import configure, context
from tests.support.graphql_client import SCHEMA, Operations
from tests.support.log import settled
from tests.support.waiting import until

EVENTS = 9  # in the log of each organization, of what `some_life` does
JOB = 1  # among the samples

pytestmark = pytest.mark.usefixtures("db")

# They send nothing of an organization in this test, and why.
SILENT = {
    "Subscription.configChanged": "a version, and nothing that would tell whose",
    "Subscription.creditsChanged": "only where a threshold is crossed",
    "Subscription.providerChanged": "only where a provider's health changes",
}


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    shared = shared_services(redis)
    await shared.events.start()
    yield shared
    assert shared.events.watching == 0
    await shared.events.stop()


class Watcher:
    """One subscription of an organization, and all that it was sent."""

    def __init__(self, shared: Services, org: str, call: Call) -> None:
        self.call = call
        self.texts: list[str] = []
        self.task = asyncio.create_task(self._watch(GraphQLContext(shared, Caller(org, "ann", Role.ADMIN))))

    async def _watch(self, context: GraphQLContext) -> None:
        async with aclosing(await SCHEMA.stream(self.call.document, dict(self.call.variables), context)) as results:
            async for result in results:
                self.texts.append(as_text([result.data, [error.message for error in result.errors or ()]]))


def calls_of_subscriptions(of_other: Traces, *, every: bool) -> list[Call]:
    """With the id of OTHER's job where one is needed."""
    calls = calls_of(SCHEMA._schema, known_texts, every=every)
    return [with_id(call, of_other.samples[JOB]) for call in calls if call.field.startswith("Subscription.")]


async def have_begun(shared: Services, watchers: list[Watcher]) -> None:
    """Wait until each watches, or has been refused."""
    await until(lambda: shared.events.watching >= sum(not watcher.task.done() for watcher in watchers))


async def some_life(shared: Services, org: str) -> None:
    """What there is to watch: a record, its job and conflict, the pipeline, the rules, a provider's key."""
    ask = Operations(shared, org=org)
    word = org.removesuffix("org")
    await ask("mutation ($w: String!) { pausePipeline(reason: $w) { paused } resumePipeline { paused } }", w=word)
    await ask('mutation { setProviderKey(provider: "standin", key: "another-key-of-somebody") { id } }')
    await configure(context(shared, org=org), cooldownHours=0, maxAttempts=3 if org == OWN else 4)
    conflict = (await ask("{ conflicts(first: 1) { nodes { id } } }"))["conflicts"]["nodes"][0]["id"]
    await ask("mutation ($id: ID!) { resolveConflict(id: $id) { id } }", id=conflict)
    await ask("mutation ($id: ID!) { reopenConflict(id: $id) { id } }", id=conflict)
    changed = {"entityType": "ACCOUNT", "externalId": SHARED_ID, "fields": {"domain": f"{word}-again.com"}}
    await ask("mutation ($r: [RecordInput!]!) { upsertRecords(records: $r) { results { outcome } } }", r=[changed])
    await settled(org)


async def test_nobody_is_sent_what_another_organization_does(shared: Services) -> None:
    await fill(shared, OWN)
    await fill(shared, OTHER)
    of_other = await traces()
    with_few, with_all = calls_of_subscriptions(of_other, every=False), calls_of_subscriptions(of_other, every=True)
    own = [Watcher(shared, OWN, call) for call in with_few + with_all]
    other = [Watcher(shared, OTHER, call) for call in with_few]
    await have_begun(shared, own + other)
    await some_life(shared, OTHER)
    await some_life(shared, OWN)
    of_other = await traces()
    (log,) = (watcher for watcher in own if watcher.call in with_few and watcher.call.field == "Subscription.events")
    (their_log,) = (watcher for watcher in other if watcher.call.field == "Subscription.events")
    told = [watcher for watcher in other if watcher.call.field not in SILENT]
    # What its own organization did last has come: so has all before it, and the same was sent to the other one.
    await until(lambda: len(log.texts) == len(their_log.texts) == EVENTS)
    await until(lambda: all(of_other.found_in(" ".join(watcher.texts)) for watcher in told))
    for watcher in own:
        assert not of_other.found_in(" ".join(watcher.texts)), (watcher.call.field, watcher.texts)
    for watcher in own + other:
        watcher.task.cancel()
    await asyncio.gather(*(watcher.task for watcher in own + other), return_exceptions=True)
