"""What a provider can do besides answering, found out once: asking a protocol at every question would be slow."""

from dataclasses import dataclass
from typing import Self

from providers.api import (
    AnswersAtOnce,
    BroaderQuery,
    ChecksBeforeSending,
    NarrowerQuery,
    Provider,
    RequiresKey,
    VariablePrice,
)
from providers.bulk import BulkQuery


@dataclass(frozen=True, slots=True)
class Abilities:
    """A provider as those of the protocols (`providers.api`, `providers.bulk`) that it has; None where it does not."""

    at_once: AnswersAtOnce | None
    keyed: RequiresKey | None
    broader: BroaderQuery | None
    narrower: NarrowerQuery | None
    priced: VariablePrice | None
    bulk: BulkQuery | None
    checks_before_sending: bool

    @classmethod
    def of(cls, provider: Provider) -> Self:
        return cls(
            at_once=provider if isinstance(provider, AnswersAtOnce) else None,
            keyed=provider if isinstance(provider, RequiresKey) else None,
            broader=provider if isinstance(provider, BroaderQuery) else None,
            narrower=provider if isinstance(provider, NarrowerQuery) else None,
            priced=provider if isinstance(provider, VariablePrice) else None,
            bulk=provider if isinstance(provider, BulkQuery) else None,
            checks_before_sending=isinstance(provider, ChecksBeforeSending),
        )
