"""Whoever opted out at one provider is asked about at no other: later jobs find that with every provider's question."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from enrichment.waterfall.skip_reason import SkipReason
from models.answer.opt_out import OptOut, keep_opt_outs, opt_out
from models.db.transaction import unit_of_work
from providers.api import Provider, Question, key_digest
from providers.registry import Registry
from workers.job.load import ClaimedJob
from workers.lookup.lookup import Lookup
from workers.lookup.reply import LookupReply

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider has just answered to a job's question about the person."""

    provider: Provider
    question: Question
    job: ClaimedJob
    reply: LookupReply


async def keep_with_others(answers: Iterable[Answered], registry: Registry, now: datetime) -> None:
    """Where an answer is an opt-out, keep that with the other providers' questions too."""
    opt_outs = [one for one in answers if one.reply.skipped is SkipReason.OPTED_OUT]
    found = [row for one in opt_outs for row in _rows(one, registry, now)]
    if not found:
        return
    try:
        await unit_of_work(keep_opt_outs)(found)
    except Exception as error:
        # It is kept with the provider that said so, which is asked in its turn.
        _log.warning("an opt-out was not kept with other providers", error=type(error).__name__)


def answered_now(lookups: Iterable[Lookup]) -> Iterator[Answered]:
    """Of these lookups those that a provider has just answered about the person."""
    for lookup in lookups:
        if lookup.called and not lookup.is_about_company:
            yield Answered(lookup.provider, lookup.question, lookup.job, lookup.reply)


def _rows(answered: Answered, registry: Registry, now: datetime) -> Iterator[OptOut]:
    """A row for each provider's question about the person, as broadly as it may be asked."""
    job, reply = answered.job, answered.reply
    for rule in job.config.providers:
        provider = registry.get(rule.id)
        if provider is None or provider is answered.provider or not provider.info.keeps_answers:
            continue
        if (key := _key(provider, answered.question)) is not None and reply.lifetime is not None:
            detail, until = f"{answered.provider.info.name}: {reply.detail}", now + reply.lifetime
            yield opt_out(job.organization_id, rule.id, key, job.id, detail, now, until)


def _key(provider: Provider, question: Question) -> str | None:
    gives = provider.info.gives.get(question.entity_type, frozenset())
    try:
        key = provider.input_key(replace(question, wanted=gives))
    except Exception as error:
        _log.warning("provider cannot read the question", provider=provider.info.id, error=type(error).__name__)
        return None
    return None if key is None else key_digest(key)
