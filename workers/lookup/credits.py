"""The stage `RESERVE`: is the provider well, and are there credits for what the question may cost?"""

from collections.abc import Sequence

from enrichment.credits import CreditLimits
from enrichment.waterfall.skip_reason import SkipReason
from models.db.health import ping
from providers.api import ProviderError
from resolvers.context import Services
from resolvers.credit.reserve import Reservation, ReservationRequest
from resolvers.halving import run_halving
from workers.lookup.batched_store import BatchedStore
from workers.lookup.bulk import ALONE_WITHIN_SECONDS
from workers.lookup.call import CALL_SECONDS, ProviderCaller
from workers.lookup.concurrency import PERMIT_WAIT_SECONDS, next_recheck
from workers.lookup.lookup import Lookup, Stage
from workers.lookup.reply import failed, skipped, waiting

_LONGEST_CALL_SECONDS = ALONE_WITHIN_SECONDS + PERMIT_WAIT_SECONDS + CALL_SECONDS  # from the reservation on


class CreditStage:
    """Reserves credits for the calls of one worker."""

    def __init__(self, services: Services, store: BatchedStore, caller: ProviderCaller) -> None:
        self._store = store
        self._caller = caller
        self._now = services.now

    async def reserve(self, lookups: Sequence[Lookup]) -> None:
        """Let through those whose provider is well, and for whose price credits are set aside."""
        refusals: dict[tuple[str, str], ProviderError | None] = {}
        priced: list[tuple[Lookup, int]] = []
        for lookup in lookups:
            info, organization_id = lookup.provider.info, lookup.job.organization_id
            # An open breaker lets one call through as a trial: who comes after is not let through on its account.
            known = refusals.get((organization_id, info.id))
            refusal = known or await self._caller.refusal(info, organization_id)
            refusals[organization_id, info.id] = refusal
            if refusal is not None:
                lookup.ended(failed(refusal))
            elif lookup.holds and (price := _most(lookup)):
                priced.append((lookup, price))
            else:
                lookup.stage = Stage.CALL
        requests = [_reservation(lookup, price) for lookup, price in priced]
        results = await run_halving(self._store.reserve, requests, ping) if requests else []
        for (lookup, _), reserved in zip(priced, results, strict=True):
            if isinstance(reserved, Exception):
                lookup.fail(reserved)
            elif reserved is SkipReason.CREDITS_HELD:
                recheck = next_recheck(lookup.job.created_at, self._now())
                lookup.ended(waiting(recheck, reason=reserved))
            elif isinstance(reserved, SkipReason):
                lookup.ended(skipped(reserved))
            else:
                lookup.reservation_id, lookup.stage = reserved, Stage.CALL


def _most(lookup: Lookup) -> int:
    """The most credits that the question may cost."""
    priced = lookup.abilities.priced
    return lookup.provider.info.price if priced is None else priced.max_price(lookup.question)


def _reservation(lookup: Lookup, price: int) -> ReservationRequest:
    provider, job = lookup.provider, lookup.job
    rule = job.config.provider_rule(provider.info.id)
    return ReservationRequest(
        job.organization_id,
        Reservation(
            job_id=job.id,
            record_id=job.record_id,
            provider=provider.info.id,
            price=price,
            entity_type=lookup.question.entity_type,
            trigger=job.trigger,
            provider_daily_limit=rule.daily_limit if rule else None,
            budget_id=job.budget_id,
            fence=job.lease.fence,
            input_key=lookup.answer_key.input_key if lookup.answer_key else None,
            # What is asked in this process alone has ended with it.
            call_seconds=_LONGEST_CALL_SECONDS if provider.info.remote else 0.0,
        ),
        CreditLimits(job.config.credits.monthly_limit, job.config.credits.daily_limit),
    )
