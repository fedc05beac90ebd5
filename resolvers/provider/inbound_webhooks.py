"""Answers that providers send by themselves. The token in the URL is all that tells who sends one."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
import structlog

from enrichment.enums import EntityType
from models.answer.deliveries import (
    DeliveryTarget,
    find_target,
    make_answers_due,
    note_refusal,
    store_delivery,
)
from models.answer.row import AnswerState
from models.credit.intent import IntentRow, erased_intents
from models.db.acting import across_organizations
from models.db.transaction import Transaction, unit_of_work
from models.job.leases import make_due
from providers.api import ProviderError, ProviderInfo, Question, ReceivesCallback
from resolvers.context import Services
from resolvers.credit.cost import consumed, cost_of_answer
from resolvers.credit.settle import CreditSettlement, settle
from resolvers.errors import NotFound, StateConflict, ValidationFailed
from resolvers.provider.callback_urls import CallbackQuestion
from resolvers.queue_wakeup import wake_workers

REFUSED = "an answer that was sent was not about this record, and was refused"
_ATTEMPTS = 3  # while the question changes meanwhile

_log = structlog.get_logger(__name__)


class Delivery(StrEnum):
    """What became of an answer that was sent."""

    ACCEPTED = "taken"
    REPEATED = "repeated"  # the same was sent before
    LATE = "late"  # no job waits for it any more, or its record was erased


def open_callback(services: Services, provider_id: str, token: str) -> CallbackQuestion:
    """The question that a URL names. Raises NotFound for every URL that is not one of ours, or has expired."""
    urls = services.callback_urls
    question = None if urls is None else urls.read(provider_id, token, services.now())
    if question is None or _receiver(services, provider_id) is None:
        raise NotFound("not found")
    return question


def _receiver(services: Services, provider_id: str) -> ReceivesCallback | None:
    provider: object = services.registry.get(provider_id)
    return provider if isinstance(provider, ReceivesCallback) else None


async def deliver(services: Services, question: CallbackQuestion, payload: Mapping[str, Any]) -> Delivery:
    """Store what was sent with its question, and let the job that waits for it go on.

    Where its worker is gone, upkeep reads it. Of a record that was erased only the cost is kept.

    Only the first answer counts. Raises NotFound when the question was not asked, StateConflict for another answer
    than the first, and ValidationFailed for one about somebody else.
    """
    with across_organizations():  # the address is signed, and names its question and not the organization
        return await _deliver(services, question, payload)


async def _deliver(services: Services, question: CallbackQuestion, payload: Mapping[str, Any]) -> Delivery:
    text = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(text).hexdigest()
    for _ in range(_ATTEMPTS):
        target = await find_target(question.provider, question.job_id, question.input_key)
        if target is None:
            return await _of_erased(services, question, payload)
        if not question.is_of(target.organization_id):
            raise NotFound("not found")
        if target.delivered_digest == digest:
            return Delivery.REPEATED
        if target.delivered_digest is not None:
            raise StateConflict("another answer was sent before", state="answered")
        if target.state is AnswerState.ANSWERED:
            return Delivery.LATE
        await _refuse_unrelated(services, target, payload)
        if await _store(target, text.decode(), digest, services.now()):
            await wake_workers(services.redis)
            return Delivery.ACCEPTED
    raise StateConflict("the question is being answered", state="answered")


async def _refuse_unrelated(services: Services, target: DeliveryTarget, payload: Mapping[str, Any]) -> None:
    """Raises ValidationFailed for what cannot be the answer to this question, and notes it."""
    provider = _receiver(services, target.provider)
    try:
        fits = provider is not None and provider.is_about(payload, target.token)
    except Exception:
        _log.exception("provider cannot read what was sent", provider=target.provider, job_id=target.asked_by)
        fits = False
    if fits:
        return
    _log.warning(
        "answer refused", provider=target.provider, job_id=target.asked_by, organization=target.organization_id
    )
    await note_refusal(target, REFUSED)
    raise ValidationFailed("this is no answer to the question of this address")


async def _of_erased(services: Services, question: CallbackQuestion, payload: Mapping[str, Any]) -> Delivery:
    """Keep the cost of a call whose record was erased meanwhile.

    An erasure forgets which question is which call's. What was sent settles the call about the person where exactly
    one has not ended, and never the one about an account, which may be the person's company. Raises NotFound where no
    call is under way, and for what is no answer.
    """
    intents = [
        intent
        for intent in await erased_intents(question.provider, question.job_id)
        if question.is_of(intent.organization_id)
    ]
    receiver, info = _receiver(services, question.provider), services.registry.info(question.provider)
    if receiver is None or info is None:
        raise NotFound("not found")
    of_person = [intent for intent in intents if intent.entity_type is not EntityType.ACCOUNT]
    if intents and len(of_person) != 1:
        return Delivery.LATE
    settlement = _cost_of_erased(receiver, info, of_person[0], payload) if of_person else None
    if settlement is None:
        raise NotFound("not found")
    await unit_of_work(settle)(
        of_person[0].organization_id, [settlement], now=services.now(), monthly_grant=services.monthly_credit_grant
    )
    return Delivery.LATE


def _cost_of_erased(
    receiver: ReceivesCallback, info: ProviderInfo, intent: IntentRow, payload: Mapping[str, Any]
) -> CreditSettlement | None:
    """What a call cost by what was sent; None where it is no answer to it, or a refusal that names no figure."""
    try:
        asked = Question(intent.entity_type, {}, frozenset(), intent.organization_id)
        answer = receiver.receive_callback(asked, None, payload)
    except ProviderError as error:
        figure = consumed(info, error.stated)
        if figure is None:
            return None
        return CreditSettlement(intent.id, charge=figure > 0, credits=figure, stated=error.stated)
    except Exception:
        return None
    credits = cost_of_answer(
        info, matched=answer.matched, extra=answer.extra, uncounted=answer.uncounted, stated=answer.stated
    )
    return CreditSettlement(intent.id, charge=credits > 0, credits=credits, stated=answer.stated)


@unit_of_work
async def _store(tx: Transaction, target: DeliveryTarget, text: str, digest: str, now: datetime) -> bool:
    due = await make_due(tx, [target.asked_by], now)
    stored = await store_delivery(tx, target, text, digest)
    if stored and due:
        await make_answers_due(tx, list(due), now)
    return stored
