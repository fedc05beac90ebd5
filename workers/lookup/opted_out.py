"""Whoever opted out at one provider is asked about at no other: later jobs find that with every provider's question."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from enrichment.waterfall.skip_reason import SkipReason
from models.answer.opt_out import OptOut, keep_opt_outs, opt_out
from models.db.transaction import unit_of_work
from providers.api import Provider, key_digest
from providers.registry import Registry
from workers.lookup.lookup import Lookup

_log = structlog.get_logger(__name__)


async def keep_with_others(lookups: Sequence[Lookup], registry: Registry, now: datetime) -> None:
    """Of the lookups that were just answered by an opt-out, keep that with the other providers' questions too."""
    found = [row for lookup in lookups if _is_opt_out(lookup) for row in _rows(lookup, registry, now)]
    if not found:
        return
    try:
        await unit_of_work(keep_opt_outs)(found)
    except Exception as error:
        # It is kept with the provider that said so, which is asked in its turn.
        _log.warning("an opt-out was not kept with other providers", error=type(error).__name__)


def _is_opt_out(lookup: Lookup) -> bool:
    return lookup.called and not lookup.is_about_company and lookup.reply.skipped is SkipReason.OPTED_OUT


def _rows(lookup: Lookup, registry: Registry, now: datetime) -> Iterator[OptOut]:
    """A row for each provider's question about the person, as broadly as it may be asked."""
    job, reply = lookup.job, lookup.reply
    for rule in job.config.providers:
        provider = registry.get(rule.id)
        if provider is None or provider is lookup.provider or not provider.info.keeps_answers:
            continue
        if (key := _key(provider, lookup)) is not None and reply.lifetime is not None:
            detail, until = f"{lookup.provider.info.name}: {reply.detail}", now + reply.lifetime
            yield opt_out(job.organization_id, rule.id, key, job.id, detail, now, until)


def _key(provider: Provider, lookup: Lookup) -> str | None:
    gives = provider.info.gives.get(lookup.question.entity_type, frozenset())
    try:
        key = provider.input_key(replace(lookup.question, wanted=gives))
    except Exception as error:
        _log.warning("provider cannot read the question", provider=provider.info.id, error=type(error).__name__)
        return None
    return None if key is None else key_digest(key)
