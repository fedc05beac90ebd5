"""One round of sending: what is due is sent, a few at a time, and what became of it is written in one unit of work."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
import structlog

from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events
from models.record.queries import external_ids_of
from models.webhook.delivery import DueDelivery, SentDelivery, WebhookAttempt, note_sent
from models.webhook.endpoint import pause_endpoint
from models.webhook.kinds import WebhookDeliveryStatus, WebhookFault, WebhookPause
from models.webhook.queue import HeldEndpoint, note_health
from resolvers.audit import record_audit
from resolvers.context import Services
from resolvers.secret_box import CannotUnseal
from resolvers.webhook.secrets import unseal
from workers.webhook.retries import quiet_after, wait_before
from workers.webhook.sent import Sent
from workers.webhook.signature import signed_headers

if TYPE_CHECKING:
    from workers.webhook.connections import Connections

AT_ONCE = 8  # messages under way to one endpoint
BEGIN_SECONDS = 5.0  # after which a round begins no further attempt
_KEPT_ATTEMPTS = 20  # of a delivery, the last ones
_GONE = 410
_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """How a round went. `quiet_until`: nothing arrived, so nothing is sent before then. `paused`: nothing is sent."""

    quiet_until: datetime | None
    paused: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    delivery: DueDelivery
    began_at: datetime
    milliseconds: int
    sent: Sent


async def send_round(
    services: Services, connections: "Connections", held: HeldEndpoint, due: Sequence[DueDelivery]
) -> RoundResult:
    """Send these deliveries and note what became of them."""
    attempts = await _attempts(services, connections, held, due)
    now = services.now()
    arrived = [attempt for attempt in attempts if attempt.sent.fault is None]
    gone = any(attempt.sent.status == _GONE for attempt in attempts)
    failing_since = None if arrived else held.failing_since or now
    failures = 0 if arrived else held.failures + 1
    because = None
    if not arrived and gone:
        because = WebhookPause.GONE
    elif failing_since is not None and now - failing_since >= services.webhooks.pause_after:
        because = WebhookPause.FAILING
    results = [_result(services, attempt, now) for attempt in attempts]
    delivered_at = now if arrived else None
    await _note(services, held, results, failing_since, failures, delivered_at, because, now)
    if because is not None:
        _log.warning(
            "webhook endpoint paused", organization=held.organization_id, endpoint_id=held.id, reason=because.value
        )
    quiet = None if arrived else now + quiet_after(failures, spread=_CHANCE.random())
    return RoundResult(quiet, paused=because is not None)


async def _attempts(
    services: Services, connections: "Connections", held: HeldEndpoint, due: Sequence[DueDelivery]
) -> list[_Attempt]:
    secrets = _secrets(services, held)
    record_ids = list({delivery.record_id for delivery in due if delivery.record_id is not None})
    named = await external_ids_of(held.organization_id, record_ids) if record_ids else {}
    waiting, ends_at = list(reversed(due)), time.monotonic() + BEGIN_SECONDS
    attempts: list[_Attempt] = []

    async def send_next() -> None:
        while waiting and (not attempts or time.monotonic() < ends_at):
            delivery = waiting.pop()
            began, began_at = time.monotonic(), services.now()
            body = orjson.dumps({**delivery.data, "externalId": named.get(delivery.record_id or "")})
            if secrets:
                headers = signed_headers(delivery.message_id, began_at, body, secrets)
                sent = await _sent(connections, held, headers, body)
            else:
                sent = Sent(None, WebhookFault.SECRET_UNREADABLE)
            attempts.append(_Attempt(delivery, began_at, round((time.monotonic() - began) * 1000), sent))

    await asyncio.gather(*(send_next() for _ in range(min(AT_ONCE, len(due)))))
    return attempts


async def _sent(connections: "Connections", held: HeldEndpoint, headers: Mapping[str, str], body: bytes) -> Sent:
    """How it went. What nobody foresaw fails this delivery, and forgets none of those beside it."""
    try:
        return await connections.send(held.url, headers, body)
    except Exception as error:
        _log.error("a webhook could not be sent", endpoint_id=held.id, error=type(error).__name__)
        return Sent(None, WebhookFault.CONNECTION)


def _secrets(services: Services, held: HeldEndpoint) -> list[str]:
    """The secrets to sign with: the present one first, and the one before while they overlap."""
    sealed = [held.secret]
    if held.previous_secret is not None and held.previous_until is not None and services.now() < held.previous_until:
        sealed.append(held.previous_secret)
    if services.secret_box is None:
        return []
    try:
        return [unseal(services.secret_box, text, held.organization_id, held.id) for text in sealed]
    except CannotUnseal:
        _log.error("a webhook's secret cannot be unsealed", organization=held.organization_id, endpoint_id=held.id)
        return []


def _result(services: Services, attempt: _Attempt, now: datetime) -> SentDelivery:
    delivery, sent = attempt.delivery, attempt.sent
    tries = delivery.tries + 1
    made = WebhookAttempt(attempt.began_at, sent.status, sent.fault, attempt.milliseconds)
    attempts = [*delivery.attempts, made.as_json()][-_KEPT_ATTEMPTS:]
    if sent.fault is None:
        return SentDelivery(delivery.id, WebhookDeliveryStatus.DELIVERED, tries, attempts, None, None, now)
    give_up_at = delivery.give_up_at or attempt.began_at + services.webhooks.retry_for
    due_at = now + wait_before(tries, spread=_CHANCE.random(), retry_after=sent.retry_after)
    if due_at > give_up_at:
        return SentDelivery(delivery.id, WebhookDeliveryStatus.SET_ASIDE, tries, attempts, None, give_up_at, now)
    return SentDelivery(delivery.id, WebhookDeliveryStatus.PENDING, tries, attempts, due_at, give_up_at, None)


@unit_of_work
async def _note(
    tx: Transaction,
    services: Services,
    held: HeldEndpoint,
    results: Sequence[SentDelivery],
    failing_since: datetime | None,
    failures: int,
    delivered_at: datetime | None,
    because: WebhookPause | None,
    now: datetime,
) -> None:
    await note_health(tx, held, failing_since=failing_since, failures=failures, delivered_at=delivered_at)
    await note_sent(tx, held.organization_id, results)
    if because is None or not await pause_endpoint(tx, held.organization_id, held.id, because, now):
        return
    paused = NewEvent(held.organization_id, now, EventKind.WEBHOOK_PAUSED, data={"endpoint": held.id})
    await add_events(tx, [paused])
    await record_audit(
        tx,
        held.organization_id,
        action="webhook_endpoint.paused",
        subject=held.id,
        actor=None,
        origin="worker",
        now=now,
        seals=services.audit_seals,
        details={"because": because.value},
    )
