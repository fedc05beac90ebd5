"""Take the answers that providers send by themselves. Whoever sends one shows no token of ours but the address's."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson
import structlog

from models.answer_cache import AnswerState
from models.answer_deliveries import Waiting, answers_due, find_waiting, make_due, note_refusal, take_delivery
from models.db.transaction import Transaction, unit_of_work
from providers.api import ReceivesCallback
from resolvers.context import Services
from resolvers.errors import NotFound, StateConflict, ValidationFailed
from resolvers.provider.callback_urls import Called
from resolvers.queue_wakeup import wake_workers

REFUSED = "an answer that was sent was not about this record, and was refused"
_TRIES = 3  # while the question moves on under our hands

_log = structlog.get_logger(__name__)


class Delivery(StrEnum):
    """What became of an answer that was sent."""

    TAKEN = "taken"
    REPEATED = "repeated"  # the same was sent before
    LATE = "late"  # nobody waits for it any more


def open_callback(services: Services, provider_id: str, token: str) -> Called:
    """The question that an address names. Raises NotFound for every address that is not one of ours, or has ended."""
    called = None if services.callback_urls is None else services.callback_urls.open(provider_id, token, services.now())
    if called is None or _hearing(services, provider_id) is None:
        raise NotFound("not found")
    return called


def _hearing(services: Services, provider_id: str) -> ReceivesCallback | None:
    provider: object = services.registry.get(provider_id)
    return provider if isinstance(provider, ReceivesCallback) else None


async def deliver(services: Services, called: Called, payload: Mapping[str, Any]) -> Delivery:
    """Keep what was sent with its question, and let the job that waits for it go on.

    Only the first answer counts. Raises NotFound when nobody has asked, StateConflict for another answer than the
    first, and ValidationFailed for one about somebody else.
    """
    text = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(text).hexdigest()
    for _ in range(_TRIES):
        waiting = await find_waiting(called.provider, called.job_id, called.input_key)
        if waiting is None or not called.is_of(waiting.organization_id):
            raise NotFound("not found")
        if waiting.digest == digest:
            return Delivery.REPEATED
        if waiting.digest is not None:
            raise StateConflict("another answer was sent before", state="answered")
        if waiting.state not in {AnswerState.ASKING, AnswerState.PENDING}:
            return Delivery.LATE
        await _refuse_strangers(services, called, waiting, payload)
        if await _take(services, called, waiting, text.decode(), digest):
            await wake_workers(services.redis)
            return Delivery.TAKEN
    raise StateConflict("the question is being answered", state="answered")


async def _refuse_strangers(services: Services, called: Called, waiting: Waiting, payload: Mapping[str, Any]) -> None:
    """Raises ValidationFailed for what cannot be the answer to this question, and notes it."""
    provider = _hearing(services, called.provider)
    try:
        fits = provider is not None and provider.is_about(payload, waiting.token)
    except Exception:
        _log.exception("provider cannot read what was sent", provider=called.provider, job_id=called.job_id)
        fits = False
    if fits:
        return
    _log.warning("answer refused", provider=called.provider, job_id=called.job_id, organization=waiting.organization_id)
    await note_refusal(waiting, called.provider, called.input_key, REFUSED)
    raise ValidationFailed("this is no answer to the question of this address")


async def _take(services: Services, called: Called, waiting: Waiting, text: str, digest: str) -> bool:
    async def body(tx: Transaction) -> bool:
        now = services.now()
        due = await make_due(tx, [called.job_id], now)
        taken = await take_delivery(tx, waiting, called.provider, called.input_key, text, digest)
        if taken and due:
            await answers_due(tx, list(due), now)
        return taken

    return await unit_of_work(body)()
