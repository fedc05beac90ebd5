"""Reservations of credits without the calls that they are for, and the proof of the ledger."""

from enrichment.credits import CreditLimits
from enrichment.enums import EntityType, JobTrigger
from enrichment.waterfall.skip_reason import SkipReason
from models.db.columns import new_id
from models.db.transaction import unit_of_work
from resolvers.context import Services
from resolvers.credit.api import get_credits
from resolvers.credit.reserve import Reservation, reserve
from resolvers.credit.verify import check_ledger
from tests.support.factories import context

NO_LIMITS = CreditLimits()


async def ledger_adds_up(org: str = "acme") -> None:
    assert (await check_ledger(org)).faults == []


def reservation(price: int = 1, provider: str = "paid", cap: int | None = None) -> Reservation:
    """A reservation for a job of its own; `cap` is the provider's daily limit."""
    return Reservation(new_id(), new_id(), provider, price, EntityType.LEAD, JobTrigger.MANUAL, cap)


async def reserved(shared: Services, *wanted: Reservation, limits: CreditLimits = NO_LIMITS) -> list[str | SkipReason]:
    """For each reservation of the organization `acme`: its id, or why it does not fit."""
    await get_credits(context(shared))  # makes the organization
    return await unit_of_work(reserve)(
        "acme", wanted, limits=limits, now=shared.now(), monthly_grant=shared.monthly_credit_grant
    )
