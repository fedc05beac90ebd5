"""Answers that providers sent for calls whose worker is gone: read here, since no job waits for them.

Such an answer ends its call: where that is still open it is charged by its figure, else it stays maybe charged. It is
kept for the job's own retry, and for whoever asks next where it is a whole answer. Of somebody who is suppressed only
the cost is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
import structlog

from models.answer.deliveries import UnreadDelivery, drop_delivered, forget_delivery, unread_deliveries
from models.answer.row import AnswerKey
from models.credit.intent import intents_of_question
from models.job.transitions import as_claimed
from providers.api import Provider, ProviderError, Question, ReceivesCallback
from resolvers.context import Services
from resolvers.out_of_reach import is_out_of_reach
from workers.job.load import ClaimedJob, load_claimed
from workers.lookup.batched_store import BatchedStore
from workers.lookup.opted_out import Answered, keep_with_others
from workers.lookup.reply import LookupReply, failed, reply_of
from workers.lookup.settlement import settlement_of
from workers.lookup.suppression_guard import Found, SuppressionGuard

_AT_ONCE = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    provider: Provider
    question: Question
    reply: LookupReply


async def read_deliveries(services: Services) -> int:
    """Read what was sent for calls that are over. Returns how many answers were kept or paid.

    One that cannot be read or settled is forgotten, and holds up none of the others.
    """
    kept, found = 0, await unread_deliveries(services.now(), _AT_ONCE)
    while found:
        kept += await _read_all(services, found)
        found = await unread_deliveries(services.now(), _AT_ONCE) if len(found) == _AT_ONCE else []
    return kept


async def _read_all(services: Services, found: Sequence[UnreadDelivery]) -> int:
    now, store = services.now(), BatchedStore(services)
    claims = await as_claimed(sorted({delivery.asked_by for delivery in found}))
    jobs = {job.id: job for job in await load_claimed(services, claims, now)} if claims else {}
    kept = 0
    for delivery in found:
        job = jobs.get(delivery.asked_by)
        read = None if job is None else _read(services, delivery, job)
        if job is None or read is None:
            await forget_delivery(delivery)
            continue
        try:
            await SuppressionGuard(store).withhold([Found(read.question, job, read.reply)])
            await _settle(store, services, delivery, job, read)
            answered = Answered(read.provider, read.question, job, read.reply)
            await keep_with_others([answered], services.registry, now)
        except Exception as error:
            if is_out_of_reach(error):
                raise
            _log.exception("an answer that was sent cannot be settled", provider=delivery.provider, job_id=job.id)
            await forget_delivery(delivery)
            continue
        await drop_delivered(delivery)
        kept += 1
    return kept


def _read(services: Services, delivery: UnreadDelivery, job: ClaimedJob) -> _Read | None:
    """What was sent, read with the record as it is now; None where it is no answer to the question."""
    provider = services.registry.get(delivery.provider)
    if provider is None or not isinstance(provider, ReceivesCallback):
        return None
    wanted = provider.info.gives.get(job.entity_type, frozenset())
    question = Question(job.entity_type, job.record.state.fields, wanted, job.organization_id)
    try:
        answer = provider.receive_callback(question, None, orjson.loads(delivery.delivered))
        return _Read(provider, question, reply_of(provider, question, answer, services.now()))
    except ProviderError as error:
        _log.warning("answer refused", provider=delivery.provider, job_id=job.id, code=error.code)
        if error.stated is not None:  # its figure ends the call
            return _Read(provider, question, failed(error))
    except Exception:
        _log.exception("provider cannot read what was sent", provider=delivery.provider, job_id=job.id)
    return None


async def _settle(
    store: BatchedStore, services: Services, delivery: UnreadDelivery, job: ClaimedJob, read: _Read
) -> None:
    key = AnswerKey(delivery.organization_id, delivery.provider, delivery.input_key, job.id, fence=delivery.fence or 0)
    intents = await intents_of_question(key.organization_id, key.provider, key.input_key, job.id)
    reservation_id = intents[0].id if intents else None
    settlement = settlement_of(read.provider, read.reply, key, reservation_id, job, services.now())
    if job.suppressed or job.found_suppressed:
        settlement = replace(settlement, answer=None)
    await store.settle_all([settlement])
