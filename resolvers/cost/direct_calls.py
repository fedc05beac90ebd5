"""The calls that enriching a record would make with what is known of it, before any is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.enums import EntityType
from enrichment.provenance import Current
from enrichment.waterfall.planner import Waterfall, want
from providers.api import Provider, Question, key_digest, max_price
from resolvers.context import Services

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DirectCall:
    """A provider that may be asked about a record, and the most credits that its answer costs.

    Two questions of a provider with the same `key` have the same answer. None: the record lacks what the provider is
    asked with, and another provider may find it.
    """

    provider: Provider
    key: str | None
    max_credits: int


def direct_calls(
    services: Services,
    config: Config,
    organization_id: str,
    entity_type: EntityType,
    fields: Mapping[str, Any],
    current: Mapping[str, Current],
    *,
    refresh: bool,
) -> list[DirectCall]:
    """The providers that a job may ask about a record with these fields, in order of priority.

    `current` is what its fields hold. `refresh`: values that enrichment itself wrote are looked up again.
    """
    names = [known.name for known in fields_of(entity_type).values() if known.enrichable]
    wants = {name: want(config, entity_type, name, current.get(name), refresh=refresh) for name in names}
    calls: list[DirectCall] = []
    for rule in config.providers:
        provider = services.registry.get(rule.id)
        if not rule.enabled or provider is None:
            continue
        source = provider.info.source(entity_type)
        wanted = Waterfall(config, [source], wants, config.pay_for.of(entity_type)).could_give(source)
        if wanted:
            question = Question(entity_type, fields, wanted, organization_id)
            calls.append(DirectCall(provider, _key(provider, question), max_price(provider, question)))
    return calls


def _key(provider: Provider, question: Question) -> str | None:
    try:
        key = provider.input_key(question)
    except Exception:
        # A bug in an adapter: the job's step will say so.
        _log.exception("provider cannot read the question", provider=provider.info.id)
        return None
    return None if key is None else key_digest(key)
