"""How a call is settled: what is stored of its answer, and what it costs (`resolvers.credit.cost`)."""

from dataclasses import replace
from datetime import datetime, timedelta

from enrichment.config import MaybeCharged
from enrichment.enums import StepOutcome
from enrichment.waterfall.findings import finding_json
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.row import AnswerKey, AnswerResult, AnswerState
from providers.api import Provider, ProviderError
from resolvers.credit.cost import consumed, cost_of_answer
from resolvers.credit.settle import MAYBE_CHARGED, WRONG_ENTITY
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import CallSettlement
from workers.lookup.reply import LookupReply, failed, maybe_charged

LONGEST_PENDING = timedelta(hours=1)  # for an answer that comes later, where the provider sets no end
STOPPED = "the worker stopped before the answer came"
HELD_BACK = timedelta(days=1)  # how long a question that may have been charged is not asked again


def settlement_of(
    provider: Provider,
    reply: LookupReply,
    answer_key: AnswerKey,
    reservation_id: str | None,
    job: ClaimedJob,
    now: datetime,
    *,
    queued: bool = False,
) -> CallSettlement:
    """What is stored of a call and what it costs. `queued`: the provider took the question in before."""
    if reply.error is not None:
        settlement = CallSettlement(job.organization_id, reservation_id, answer_key)
        return _settlement_of_failure(provider, reply, settlement, job, now, queued=queued)
    findings = [finding_json(name, candidate) for name, candidate in reply.candidates.items()]
    held = (*answer_key.key, answer_key.job_id)
    if reply.pending is not None:
        assert reply.waits_until is not None
        end = reply.pending.expires_at or now + LONGEST_PENDING
        reply.waits_until = min(reply.waits_until, end)
        answer = AnswerResult(
            *held,
            AnswerState.PENDING,
            findings,
            reply.detail,
            answer_key.fence,
            token=reply.pending.token,
            reservation_id=reservation_id,
            due_at=reply.waits_until,
            expires_at=end,
        )
        return CallSettlement(job.organization_id, reservation_id, answer_key, answer=answer, keep_reservation=True)
    matched = reply.outcome is StepOutcome.MATCH
    answer = AnswerResult(
        *held,
        AnswerState.ANSWERED,
        findings,
        reply.detail,
        answer_key.fence,
        matched=matched,
        opted_out=reply.skipped is SkipReason.OPTED_OUT or None,
        is_part=reply.is_part or None,
        answered_at=now,
        expires_at=now + (provider.info.lifetime(matched=matched) if reply.lifetime is None else reply.lifetime),
    )
    credits = cost_of_answer(
        provider.info, matched=matched, extra=reply.extra, uncounted=reply.uncounted, stated=reply.stated
    )
    return CallSettlement(
        job.organization_id,
        reservation_id,
        answer_key,
        charge=credits > 0,
        credits=credits,
        answer=answer,
        note=None if matched or not credits else f"no match, which {provider.info.name} counts",
        stated=reply.stated,
    )


def _settlement_of_failure(
    provider: Provider, reply: LookupReply, settlement: CallSettlement, job: ClaimedJob, now: datetime, *, queued: bool
) -> CallSettlement:
    """The end of a call without an answer: charged only where the provider had counted it already."""
    info, error = provider.info, reply.error
    assert error is not None
    figure = consumed(info, error.stated)
    settlement = replace(settlement, stated=error.stated, charge=bool(figure), credits=figure)
    if queued and figure is None and (note := info.queued_note) is not None:
        return replace(settlement, charge=True, note=note, answer=held_back(settlement.answer_key, error.message, now))
    if error.code != "wrong_entity" and (figure == 0 or not error.maybe_charged):
        return settlement
    # An answer about somebody else was an answer to the provider, and would be the same again.
    if figure is None or error.code == "wrong_entity":
        note = WRONG_ENTITY if error.code == "wrong_entity" else MAYBE_CHARGED
    else:
        note = f"no usable answer, which {info.name} counts"
    settlement = replace(settlement, note=None if figure == 0 else note)
    if info.repeats_free or not (info.price or figure) or job.config.maybe_charged is MaybeCharged.RETRY:
        return settlement
    message = error.message
    if error.maybe_charged:
        message = f"{info.name} may have charged a call that failed ({error.message}); it is not repeated"
        reply.error = maybe_charged(message)
        reply.detail = message
    return replace(settlement, answer=held_back(settlement.answer_key, message, now))


def held_back(answer_key: AnswerKey, detail: str, now: datetime) -> AnswerResult:
    """A question that is not asked again by itself for a while."""
    return AnswerResult(
        *answer_key.key,
        answer_key.job_id,
        AnswerState.MAYBE_CHARGED,
        findings=[],
        detail=detail,
        fence=answer_key.fence,
        expires_at=now + HELD_BACK,
    )


def interrupted(
    provider: Provider,
    answer_key: AnswerKey,
    reservation_id: str | None,
    job: ClaimedJob,
    now: datetime,
    *,
    is_over: bool,
) -> CallSettlement:
    """The end of a call that was sent and broken off; `is_over`: by a limit, or because it must not go on.

    Such a one is asked again where it may be; one that the worker's end broke off is like one without a reply.
    """
    settlement = CallSettlement(answer_key.organization_id, reservation_id, answer_key)
    if is_over:
        return replace(settlement, note=MAYBE_CHARGED) if provider.info.remote else settlement
    error = ProviderError("timeout", STOPPED, retryable=True, maybe_charged=provider.info.remote)
    return _settlement_of_failure(provider, failed(error), settlement, job, now, queued=False)
