"""The ends of calls that nobody saw: their worker died, was stopped past its lease, or could not write.

The provider may have charged such a call. Its credits are given back with a note that says so, which `credits` shows as
`maybeCharged`, and whether its question may be put again is the organization's `maybeCharged`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from enrichment.config import MaybeCharged
from models.answer.cache import release, store
from models.answer.row import AnswerKey, AnswerResult
from models.credit.intent import IntentRow, organizations_with_strays, strays, unseen_ends
from models.db.transaction import Transaction, unit_of_work
from providers.api import ProviderInfo
from resolvers.context import Services
from resolvers.credit.settle import MAYBE_CHARGED, CreditSettlement, settle_all
from resolvers.organizations import config_of, organization_of
from workers.lookup.settlement import held_back

_AT_ONCE = 500

_log = structlog.get_logger(__name__)


async def end_calls(services: Services) -> int:
    """End the calls that are over, and whose worker has lost the job. Returns how many."""
    ended, now = 0, services.now()
    while unseen := await unseen_ends(now, _AT_ONCE):
        policies = {
            organization_id: config_of(await organization_of(organization_id, services.registry, now)).maybe_charged
            for organization_id in {intent.organization_id for intent in unseen}
        }
        answers: list[AnswerResult | AnswerKey] = []
        settlements: dict[str, list[CreditSettlement]] = {}
        for intent in unseen:
            info = services.registry.info(intent.provider)
            note = None if info is not None and not info.remote else MAYBE_CHARGED
            settlement = CreditSettlement(intent.id, charge=False, note=note)
            settlements.setdefault(intent.organization_id, []).append(settlement)
            answers += _of_question(intent, info, policies[intent.organization_id], now)
        await _end(settlements, answers, now, services.monthly_credit_grant)
        ended += len(unseen)
        _log.warning("calls ended unseen", calls=len(unseen), organizations=len(settlements))
    return ended


async def end_strays(ctx: dict[str, Any]) -> int:
    """Settle the reservations of which no call is written down, as older versions left them. Returns how many."""
    services: Services = ctx["services"]
    ended, now = 0, services.now()
    for organization_id in await organizations_with_strays():
        while found := await strays(organization_id, now, _AT_ONCE):
            settlements = [CreditSettlement(reservation.id, charge=False, note=MAYBE_CHARGED) for reservation in found]
            await _end({organization_id: settlements}, [], now, services.monthly_credit_grant)
            ended += len(found)
    return ended


def _of_question(
    intent: IntentRow, info: ProviderInfo | None, policy: MaybeCharged, now: datetime
) -> Sequence[AnswerResult | AnswerKey]:
    """What becomes of the question: held back for a while, or released; nothing of that of an erased record."""
    if intent.input_key is None:
        return []
    key = AnswerKey(intent.organization_id, intent.provider, intent.input_key, intent.job_id, fence=intent.fence)
    if info is not None and (not info.remote or info.repeats_free or policy is MaybeCharged.RETRY):
        return [key]
    name = intent.provider if info is None else info.name
    return [held_back(key, f"{name} may have charged a call whose end was not seen; it is not repeated", now)]


@unit_of_work
async def _end(
    tx: Transaction,
    settlements: dict[str, list[CreditSettlement]],
    answers: Sequence[AnswerResult | AnswerKey],
    now: datetime,
    monthly_grant: int,
) -> None:
    await settle_all(tx, settlements, now=now, monthly_grant=monthly_grant)
    await store(tx, [answer for answer in answers if isinstance(answer, AnswerResult)])
    await release(tx, [answer for answer in answers if isinstance(answer, AnswerKey)])
