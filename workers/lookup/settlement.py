"""How a call is closed: what is kept of it, and what it costs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from enrichment.config import MaybeCharged
from enrichment.enums import StepOutcome
from models.answer_cache import AnswerKey, AnswerState
from models.db.columns import to_micros
from providers.api import Provider
from resolvers.credit.ledger import MAYBE_CHARGED, WRONG_ENTITY
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import CallSettlement
from workers.lookup.reply import LookupReply, finding_json, maybe_charged

LONGEST_WAIT = timedelta(hours=1)  # for an answer that comes later, where the provider sets no end
HELD_BACK = timedelta(days=1)  # how long a question that may have been charged is not asked again


def settlement_of(
    provider: Provider,
    asked: LookupReply,
    answer_key: AnswerKey,
    reservation: str | None,
    job: ClaimedJob,
    now: datetime,
    *,
    queued: bool = False,
) -> CallSettlement:
    """What is kept of a call and what it costs. `queued`: the provider took the question in before."""
    if asked.error is not None:
        closing = CallSettlement(job.organization_id, reservation, answer_key)
        return _failed_closing(provider, asked, closing, job, now, queued=queued)
    findings = [finding_json(name, one) for name, one in asked.candidates.items()]
    row: dict[str, Any] = {"findings": findings, "detail": asked.detail}
    if asked.pending is not None:
        assert asked.waits_until is not None
        end = asked.pending.expires_at or now + LONGEST_WAIT
        asked.waits_until = min(asked.waits_until, end)
        row |= {
            "state": AnswerState.PENDING.value,
            "token": asked.pending.token,
            "reservation_id": reservation,
            "lease_until": to_micros(asked.waits_until),
            "expires_at": to_micros(end),
        }
        return CallSettlement(job.organization_id, reservation, answer_key, kept=row, holds_on=True)
    matched = asked.outcome is StepOutcome.MATCH
    lifetime = provider.info.answer_lifetime_days if matched else provider.info.miss_lifetime_days
    row |= {
        "state": AnswerState.ANSWERED.value,
        "matched": matched,
        "answered_at": to_micros(now),
        "expires_at": to_micros(now + timedelta(days=lifetime or 30)),
    }
    cost = provider.info.price + (provider.info.extra_price if asked.extra else 0)
    counted = provider.info.counts_misses and not asked.uncounted
    return CallSettlement(
        job.organization_id,
        reservation,
        answer_key,
        charge=matched or counted,
        credits=cost,
        kept=row,
        note=None if matched or not counted else f"no match, which {provider.info.name} counts",
    )


def _failed_closing(
    provider: Provider, asked: LookupReply, closing: CallSettlement, job: ClaimedJob, now: datetime, *, queued: bool
) -> CallSettlement:
    """The end of a call without an answer: charged only where the provider had counted it already."""
    info, error = provider.info, asked.error
    assert error is not None
    held_back: dict[str, Any] = {
        "state": AnswerState.MAYBE_CHARGED.value,
        "findings": [],
        "expires_at": to_micros(now + HELD_BACK),
    }
    if queued and info.counts_misses:
        note = f"queued, which {info.name} counts"
        return replace(closing, charge=True, note=note, kept=held_back | {"detail": error.message})
    if not error.maybe_charged and error.code != "wrong_entity":
        return closing
    # An answer about somebody else was an answer to the provider, and would be the same again.
    closing = replace(closing, note=WRONG_ENTITY if error.code == "wrong_entity" else MAYBE_CHARGED)
    if info.repeats_free or not info.price or job.config.maybe_charged is MaybeCharged.RETRY:
        return closing
    if error.maybe_charged:
        told = f"{info.name} may have charged a call that failed ({error.message}); it is not repeated"
        asked.error = maybe_charged(told)
        asked.detail = told
    return replace(closing, kept=held_back | {"detail": asked.error.message if asked.error else ""})
