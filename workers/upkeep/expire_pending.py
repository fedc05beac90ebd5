"""Pending answers whose job has ended without them: their reservations are settled by what came at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.answer.cache import delete_orphans
from models.answer.pending import AbandonedAnswer, abandoned_answers, delete_pending, end_pending
from models.db.transaction import Transaction, unit_of_work
from models.job.leases import lock_active
from models.job.steps import add_credits
from providers.api import DEFAULT_LIFETIME_DAYS
from resolvers.context import Services
from resolvers.credit.alerts import raise_alerts
from resolvers.credit.settle import CreditSettlement, settle

GRACE = timedelta(hours=1)  # after the end of the wait; a job that is retried meanwhile goes on with it
_AT_ONCE = 500


async def expire_pending(ctx: dict[str, Any]) -> int:
    """Expire pending answers whose job has ended. Returns how many.

    What came at once was a match: it is charged and stored. Where nothing came, nothing is charged, unless the
    provider counts a question when it accepts it.
    """
    services: Services = ctx["services"]
    now = services.now()
    by_organization: dict[str, list[AbandonedAnswer]] = {}
    for answer in await abandoned_answers(now - GRACE, _AT_ONCE):
        by_organization.setdefault(answer.organization_id, []).append(answer)
    expired = 0
    for organization_id, answers in sorted(by_organization.items()):
        expired += await _expire(organization_id, answers, services, now)
        await raise_alerts(services, organization_id)
    await delete_orphans(now - GRACE)
    return expired


@unit_of_work
async def _expire(
    tx: Transaction, organization_id: str, answers: Sequence[AbandonedAnswer], services: Services, now: datetime
) -> int:
    active = await lock_active(tx, [answer.asked_by for answer in answers])
    ended = [answer for answer in answers if answer.asked_by not in active]
    settlements = [
        _settlement(services, answer, answer.reservation_id) for answer in ended if answer.reservation_id is not None
    ]
    charged = await settle(tx, organization_id, settlements, now=now, monthly_grant=services.monthly_credit_grant)
    for answer in ended:
        if credits := charged.get(answer.reservation_id or "", 0):
            await add_credits(tx, answer.asked_by, answer.provider, credits)
        if answer.findings:
            await end_pending(tx, answer.id, now, now + _lifetime(services, answer.provider))
        else:
            await delete_pending(tx, answer.id)
    return len(ended)


def _settlement(services: Services, answer: AbandonedAnswer, reservation_id: str) -> CreditSettlement:
    """For what came at once alone: the rest, which would have cost more, did not come."""
    info, matched = services.registry.info(answer.provider), bool(answer.findings)
    note = info.queued_note if info is not None and not matched else None
    return CreditSettlement(
        reservation_id,
        charge=matched or note is not None,
        credits=info.price if info else 0,
        note=note,
    )


def _lifetime(services: Services, provider_id: str) -> timedelta:
    info = services.registry.info(provider_id)
    return timedelta(days=DEFAULT_LIFETIME_DAYS) if info is None else info.lifetime()
