"""Events reach the endpoints of their organization, signed, in order, with the same id each time.

Longer than most files: everything here is what one sender does with one receiver.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from enrichment.enums import EntityType
from models.audit_list import AuditFilter
from models.db.transaction import unit_of_work
from models.event.cursor import OLDEST
from models.event.kinds import EventKind
from models.event.read import rows_after
from models.event.remove import prune_events
from models.event.single import single_events
from models.webhook.delivery import WebhookDelivery, add_of_log
from models.webhook.kinds import WebhookDeliveryStatus, WebhookPause, WebhookStatus
from resolvers.audit import list_audit
from resolvers.context import Context
from resolvers.erasure.api import erase_record
from resolvers.events.log import ALL_EVENTS, list_events
from resolvers.paging import PageArgs
from resolvers.webhook.api import EndpointChange, get_endpoint, pause, replay, resume, rotate, update_endpoint
from resolvers.webhook.deliveries import list_deliveries, redeliver
from resolvers.webhook.deliveries import test_endpoint as try_endpoint
from resolvers.webhook.message import delivery_of
from service.http.json import as_json
from service.rest.shapes.event import Event
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.log import settled
from tests.support.statements import counted_statements
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, endpoint_at, receiver, send_all, sending, with_webhooks
from workers.upkeep.prune_log import prune_log
from workers.webhook import intake
from workers.webhook import sender as sender_module
from workers.webhook.sender import WebhookSender

pytestmark = pytest.mark.usefixtures("db")
D = WebhookDeliveryStatus


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ctx(redis: ArqRedis, clock: Clock) -> Context:
    return context(with_webhooks(services(redis, StandIn(), now=clock)))


@pytest.fixture
async def sender(ctx: Context) -> AsyncIterator[WebhookSender]:
    async with sending(ctx.services) as sender:
        yield sender


@pytest.fixture
async def at() -> AsyncIterator[Receiver]:
    async with receiver() as at:
        yield at


async def delivered(sender: WebhookSender) -> None:
    await settled()
    await send_all(sender)


async def deliveries(ctx: Context, endpoint_id: str) -> list[Any]:
    page = await list_deliveries(ctx, endpoint_id, None, PageArgs(first=100))
    return list(reversed(page.items))


async def states(ctx: Context, endpoint_id: str) -> list[WebhookDeliveryStatus]:
    return [one.status for one in await deliveries(ctx, endpoint_id)]


async def test_events_arrive_as_the_log_has_them_and_the_reference_verifier_accepts_them(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    made = await endpoint_at(ctx, at.url)
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    await delivered(sender)

    verifier = Webhook(made.secret)
    verified = [verifier.verify(one.body, one.headers) for one in at.received]
    log = (await list_events(ctx, ALL_EVENTS, after=None, first=100)).events
    assert verified == [as_json(Event.of(event, "A1")) for event in log] != []
    with pytest.raises(WebhookVerificationError):
        verifier.verify(at.received[0].body + b" ", at.received[0].headers)
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED] * len(log)


async def test_only_the_chosen_events_come(ctx: Context, sender: WebhookSender, at: Receiver) -> None:
    await endpoint_at(ctx, at.url, kinds=[EventKind.JOB_CREATED], entity_types=[EntityType.LEAD])
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await delivered(sender)
    assert [(one.event["kind"], one.event["entityType"]) for one in at.received] == [("job.created", "lead")]


async def test_what_fails_comes_again_with_the_same_id_and_is_set_aside_after_a_day(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    at.answer = lambda _: 503
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    assert await states(ctx, made.endpoint.id) == [D.PENDING]
    for _ in range(30):
        clock.ahead_seconds += 3600
        await send_all(sender)

    [delivery] = await deliveries(ctx, made.endpoint.id)
    assert delivery.status is D.SET_ASIDE and delivery.due_at is None
    assert len({one.id for one in at.received}) == 1 and len(at.received) == len(delivery.attempts) > 5
    assert {(one["status"], one["fault"]) for one in delivery.attempts} == {(503, "status")}
    assert (await get_endpoint(ctx, made.endpoint.id)).status is WebhookStatus.ACTIVE

    at.answer = lambda _: 204
    again = await redeliver(ctx, delivery.id)
    assert again.status is D.PENDING
    await send_all(sender)
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED]
    assert len({one.id for one in at.received}) == 1


async def test_a_later_event_of_a_record_waits_for_the_earlier_one_and_other_records_do_not(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED, EventKind.RECORD_CHANGED])
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A1", domain="acme.org")
    await send(ctx, "account", "A2", domain="acme.net")
    at.answer = lambda got: 500 if got.event["externalId"] == "A1" and got.event["kind"] == "record.created" else 200
    await delivered(sender)
    clock.ahead_seconds += 3
    await send_all(sender)
    assert [(one.event["externalId"], one.event["kind"]) for one in at.received] == [
        ("A1", "record.created"),
        ("A2", "record.created"),
    ]
    assert await states(ctx, made.endpoint.id) == [D.PENDING, D.PENDING, D.DELIVERED]

    at.answer = lambda _: 200
    clock.ahead_seconds += 60
    await send_all(sender)
    assert [one.event["kind"] for one in at.received[2:]] == ["record.created", "record.changed"]


async def test_an_endpoint_that_never_answers_keeps_no_other_waiting(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    never = asyncio.Event()

    async def hang(_: object) -> web.Response:
        await never.wait()
        return web.Response()

    async with receiver() as silent:
        silent.answer = hang
        slow = await endpoint_at(ctx, silent.url)
        fast = await endpoint_at(ctx, at.url)
        for number in range(20):
            await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
        await settled()
        assert await sender.look() == 2

        async def is_done() -> bool:
            return [*dict.fromkeys(await states(ctx, fast.endpoint.id))] == [D.DELIVERED] and len(at.received) == 40

        await until(is_done)
        assert silent.received and D.DELIVERED not in await states(ctx, slow.endpoint.id)
        never.set()


async def test_two_workers_never_serve_an_endpoint_at_the_same_time(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    await endpoint_at(ctx, at.url)
    await send(ctx, "account", "A1", domain="acme.com")
    await settled()
    async with sending(ctx.services) as other:
        assert sorted(await asyncio.gather(sender.look(), other.look())) == [0, 1]
        await asyncio.gather(sender.settle(), other.settle())
    assert len(at.received) == len({one.id for one in at.received}) == 2


async def test_what_a_worker_sent_that_died_comes_again_with_the_same_id(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    """It is lost in mid delivery: between the request and the note of it."""
    never = asyncio.Event()

    async def hang(_: object) -> web.Response:
        await never.wait()
        return web.Response()

    at.answer = hang
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await settled()
    lost = WebhookSender(ctx.services)
    await lost.look()
    await until(lambda: at.received)
    assert await sender.look() == 0  # its lease holds
    at.answer = lambda _: 200
    clock.ahead_seconds += 31
    await send_all(sender)
    assert [one.id for one in at.received] == [at.received[0].id] * 2
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED]
    never.set()
    await lost.close()
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED]


async def test_a_worker_that_stops_gives_its_leases_back(ctx: Context, sender: WebhookSender, at: Receiver) -> None:
    never = asyncio.Event()

    async def hang(_: object) -> web.Response:
        await never.wait()
        return web.Response()

    at.answer = hang
    await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await settled()
    async with sending(ctx.services) as stopped:
        await stopped.look()
        await until(lambda: at.received)
    at.answer = lambda _: 200
    never.set()
    assert await sender.look() == 1
    await sender.settle()


async def test_both_secrets_sign_while_they_overlap(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    renewed = await rotate(ctx, made.endpoint.id, overlap_hours=2)
    assert renewed.secret != made.secret
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    for secret in (made.secret, renewed.secret):
        Webhook(secret).verify(at.received[0].body, at.received[0].headers)

    clock.ahead_seconds += 2 * 3600 + 1
    await send(ctx, "account", "A2", domain="acme.org")
    await delivered(sender)
    assert " " in at.received[0].headers["webhook-signature"]
    assert " " not in at.received[1].headers["webhook-signature"]


async def test_everything_after_a_cursor_is_sent_again_with_its_ids(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    made = await endpoint_at(ctx, at.url)
    for number in range(3):
        await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
    await delivered(sender)
    ids = {one.event["cursor"]: one.id for one in at.received}
    log = [str(event.cursor) for event in (await list_events(ctx, ALL_EVENTS, after=None, first=100)).events]
    assert set(log) == ids.keys()
    for after, again in ((log[2], log[3:]), ("0", log)):
        at.received.clear()
        await replay(ctx, made.endpoint.id, after)
        await delivered(sender)
        assert {one.event["cursor"]: one.id for one in at.received} == {cursor: ids[cursor] for cursor in again}
        assert len(at.received) == len(again)


async def test_what_waits_after_the_cursor_of_a_replay_is_not_sent_twice(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    at.answer = lambda _: 500
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    at.answer = lambda _: 200
    at.received.clear()
    await replay(ctx, made.endpoint.id, "0")
    await delivered(sender)
    assert len(at.received) == 1 and await states(ctx, made.endpoint.id) == [D.DELIVERED]


async def test_a_paused_endpoint_gets_nothing_and_then_all_that_it_missed(
    ctx: Context, sender: WebhookSender, at: Receiver
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    assert (await pause(ctx, made.endpoint.id)).paused_because is WebhookPause.BY_USER
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    assert at.received == []
    assert (await resume(ctx, made.endpoint.id)).status is WebhookStatus.ACTIVE
    await delivered(sender)
    assert at.kinds == ["record.created"]


async def test_an_endpoint_that_fails_for_days_is_paused_and_the_log_and_the_audit_say_so(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    at.answer = lambda _: 500
    failing = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    assert (await get_endpoint(ctx, failing.endpoint.id)).failing_since is not None
    clock.ahead_seconds += timedelta(days=5).total_seconds()
    await send_all(sender)
    found = await get_endpoint(ctx, failing.endpoint.id)
    assert (found.status, found.paused_because) == (WebhookStatus.PAUSED, WebhookPause.FAILING)
    await settled()
    log = (await list_events(ctx, ALL_EVENTS, after=None, first=100)).events
    assert [event.endpoint_id for event in log if event.kind is EventKind.WEBHOOK_PAUSED] == [found.id]
    assert "webhook_endpoint.paused" in [
        line.action for line in (await list_audit(ctx, AuditFilter(), PageArgs())).items
    ]


async def test_an_endpoint_that_is_gone_is_paused_at_once(ctx: Context, sender: WebhookSender, at: Receiver) -> None:
    at.answer = lambda _: 410
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    assert (await get_endpoint(ctx, made.endpoint.id)).paused_because is WebhookPause.GONE


async def test_a_test_is_sent_and_noted(ctx: Context, sender: WebhookSender, at: Receiver) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.CREDITS_LOW])
    delivery = await try_endpoint(ctx, made.endpoint.id)
    assert delivery.status is D.PENDING
    await send_all(sender)
    assert at.kinds == ["webhook.test"]
    Webhook(made.secret).verify(at.received[0].body, at.received[0].headers)
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED]


async def test_another_address_counts_from_the_next_attempt_on(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    async with receiver() as other:
        other.answer = lambda _: 500
        made = await endpoint_at(ctx, other.url, kinds=[EventKind.RECORD_CREATED])
        await send(ctx, "account", "A1", domain="acme.com")
        await delivered(sender)
        await update_endpoint(ctx, made.endpoint.id, EndpointChange(url=at.url))
        clock.ahead_seconds += 60
        await send_all(sender)
    assert (len(other.received), len(at.received)) == (1, 1)


async def test_an_erased_record_is_in_no_delivery_and_what_waits_of_it_is_not_sent(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    at.answer = lambda got: 200 if got.event["kind"] == "record.created" else 500
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED, EventKind.RECORD_CHANGED])
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await send(ctx, "lead", "L1", email="ann@acme.org")
    await delivered(sender)
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED, D.PENDING]
    erased = await erase_record(ctx, EntityType.LEAD, "L1")
    removed = {part["where"]: part["count"] for part in erased.certificate.removed}
    assert removed["contents of webhook deliveries"] == 2
    left = await WebhookDelivery.filter(endpoint_id=made.endpoint.id)
    assert [(one.status, one.record_id, one.data) for one in left] == [(D.ERASED, None, {})] * 2
    at.received.clear()
    clock.ahead_seconds += 3600
    await delivered(sender)
    assert at.received == []


async def test_an_endpoint_whose_events_were_pruned_says_so_and_goes_on_with_the_oldest(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await pause(ctx, made.endpoint.id)
    for name in ("A1", "A2"):
        await send(ctx, "account", name, domain="acme.com")
        clock.ahead_seconds += 3600
    await settled()
    await prune_events("acme", ctx.services.now() - timedelta(minutes=90), 10)
    await resume(ctx, made.endpoint.id)
    await delivered(sender)
    assert [one.event["externalId"] for one in at.received] == ["A2"]
    assert (await get_endpoint(ctx, made.endpoint.id)).missed_at is not None


async def test_deliveries_are_kept_as_long_as_is_set(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    clock.ahead_seconds += timedelta(days=13).total_seconds()
    await prune_log({"services": ctx.services})
    assert len(await deliveries(ctx, made.endpoint.id)) == 1
    clock.ahead_seconds += timedelta(days=2).total_seconds()
    await prune_log({"services": ctx.services})
    assert await deliveries(ctx, made.endpoint.id) == []


async def test_a_look_costs_one_statement_however_many_organizations_have_no_endpoint(
    ctx: Context, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    for org in ("acme", "other", "third"):
        await send(context(ctx.services, org=org), "account", "A1", domain="acme.com")
    with counted_statements(monkeypatch) as found:
        assert await sender.look() == 0
    assert len(found.texts) <= 1  # SQLite has another connection for it


async def test_an_event_whose_record_was_erased_as_it_was_read_becomes_no_delivery(ctx: Context, at: Receiver) -> None:
    made = await endpoint_at(ctx, at.url)
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await settled()
    read = (await rows_after("acme", OLDEST, 100)).rows
    await erase_record(ctx, EntityType.LEAD, "L1")
    gone = [
        delivery_of("acme", made.endpoint.id, event, ctx.services.now()) for row in read for event in single_events(row)
    ]
    await unit_of_work(add_of_log)(gone)
    assert gone != [] and await deliveries(ctx, made.endpoint.id) == []


async def test_what_comes_after_a_thousand_that_wait_stays_in_the_log(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "MOST_WAITING", 3)
    monkeypatch.setattr(intake, "_ROWS", 1)
    at.answer = lambda _: 500
    made = await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED, EventKind.RECORD_CHANGED])
    await send(ctx, "account", "A1", domain="acme.com")
    await delivered(sender)
    for _ in range(6):  # after which it waits for an hour and more
        clock.ahead_seconds += 2.5 * 3600
        await send_all(sender)
    for number in range(6):
        await send(ctx, "account", "A1", domain=f"acme{number}.com")
    clock.ahead_seconds += 600
    await delivered(sender)
    assert await states(ctx, made.endpoint.id) == [D.PENDING] * 3
    assert await sender.look() == 0  # though the log goes on
    at.answer = lambda _: 200
    clock.ahead_seconds += 4 * 3600
    await send_all(sender)
    assert await states(ctx, made.endpoint.id) == [D.DELIVERED] * 7


async def test_an_endpoint_at_which_nothing_arrives_is_left_alone_for_ever_longer(
    ctx: Context, sender: WebhookSender, at: Receiver, clock: Clock
) -> None:
    at.answer = lambda _: 500
    await endpoint_at(ctx, at.url, kinds=[EventKind.RECORD_CREATED])
    for number in range(10):  # rounds, after which it is left alone for four minutes and more
        await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
        await delivered(sender)
        clock.ahead_seconds += 600
    await send_all(sender)
    at.received.clear()
    await send(ctx, "account", "B", domain="bit.com")
    await delivered(sender)
    assert at.received == []
    clock.ahead_seconds += 600
    await send_all(sender)
    assert "B" in [one.event["externalId"] for one in at.received]
