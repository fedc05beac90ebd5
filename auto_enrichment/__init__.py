"""The public face of SalesOS Auto Enrichment: what a provider of a third party may import, and all that it may.

An adapter words the requests of one provider and reads its replies; a provider asks by its own means. Both are made by
a factory that an entry point of the group `auto_enrichment.providers` names. `docs/adding-a-provider.md` tells how.
"""

from enrichment.enums import EntityType
from providers.api import (
    NO_MATCH,
    Answer,
    AnswersAtOnce,
    BroaderQuery,
    Finding,
    NarrowerQuery,
    Pending,
    Polls,
    Provider,
    ProviderError,
    ProviderInfo,
    Question,
    ReceivesCallback,
    RequiresKey,
    VariablePrice,
)
from providers.bulk import Batch, BulkQuery
from providers.http.adapter import (
    Adapter,
    CallbackAdapter,
    EndpointLimits,
    Http,
    KeyCheck,
    Limit,
    OptionalExtras,
    Reply,
    Scoped,
)
from providers.http.bulk import BulkAdapter, read_each
from providers.http.replies import OPTED_OUT, Findings, failure, unreadable
from providers.matching.identity import StatedIdentity, is_asked_company, is_asked_person, wrong_entity
from providers.plugins import PluginContext

__all__ = [
    "NO_MATCH",
    "OPTED_OUT",
    "Adapter",
    "Answer",
    "AnswersAtOnce",
    "Batch",
    "BroaderQuery",
    "BulkAdapter",
    "BulkQuery",
    "CallbackAdapter",
    "EndpointLimits",
    "EntityType",
    "Finding",
    "Findings",
    "Http",
    "KeyCheck",
    "Limit",
    "NarrowerQuery",
    "OptionalExtras",
    "Pending",
    "PluginContext",
    "Polls",
    "Provider",
    "ProviderError",
    "ProviderInfo",
    "Question",
    "ReceivesCallback",
    "Reply",
    "RequiresKey",
    "Scoped",
    "StatedIdentity",
    "VariablePrice",
    "failure",
    "is_asked_company",
    "is_asked_person",
    "read_each",
    "unreadable",
    "wrong_entity",
]
