"""How what a lookup holds ends: by its answer, by what its call may have cost, or by giving it back."""

import asyncio
from contextlib import suppress
from datetime import datetime

from models.answer.row import AnswerKey
from models.db.health import UNUSABLE, ping
from workers.lookup.batched_store import CallSettlement
from workers.lookup.lookup import Lookup, Stage
from workers.lookup.settlement import interrupted, settlement_of

_TRIES = 10  # to store an answer with a database that can be reached
_PAUSE_SECONDS = 0.2  # before the next, and the longer the more there were


async def wait_for_database(lookup: Lookup) -> None:
    """Keep an answer until the database takes it: it is paid for. The worker's end alone breaks that off."""
    while True:
        await asyncio.sleep(_PAUSE_SECONDS * max(lookup.tries, 1))
        with suppress(*UNUSABLE):
            await ping()
            break
    lookup.stage = Stage.SETTLE if lookup.judged else Stage.WITHHOLD


def failed_here(lookup: Lookup, error: Exception) -> None:
    """What was to be done with this failed. An answer is kept, and tried to be stored again soon."""
    if lookup.called and lookup.tries < _TRIES:
        lookup.tries, lookup.stage = lookup.tries + 1, Stage.UNSETTLED
    else:
        lookup.fail(error)


def end_of(lookup: Lookup, now: datetime) -> CallSettlement:
    """The end of what a lookup holds: settled by its answer, maybe charged where it was sent, or released."""
    if lookup.called and lookup.judged:
        # Worked out once: the reply says afterwards what became of it, and what is tried again must be the same.
        if lookup.settlement is None:
            key, reservation_id = _key(lookup), lookup.reservation_id
            lookup.settlement = settlement_of(lookup.provider, lookup.reply, key, reservation_id, lookup.job, now)
        return lookup.settlement
    if not lookup.sent:
        return _release(lookup)
    held = _key(lookup), lookup.reservation_id
    return interrupted(lookup.provider, *held, lookup.job, now, is_over=lookup.stage is Stage.SETTLE)


def _key(lookup: Lookup) -> AnswerKey:
    assert lookup.answer_key is not None  # it holds the question
    return lookup.answer_key


def _release(lookup: Lookup) -> CallSettlement:
    return CallSettlement(lookup.job.organization_id, lookup.reservation_id, _key(lookup))
