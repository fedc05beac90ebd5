"""What a provider can do besides answering, found out once: asking a protocol at every question would be slow."""

from dataclasses import dataclass
from typing import Self

from providers.api import AnswersAtOnce, BroaderQuery, ChecksBeforeSending, Provider, RequiresKey, VariablePrice


@dataclass(frozen=True, slots=True)
class Abilities:
    """A provider as those of the protocols of `providers.api` that it implements; None where it does not."""

    at_once: AnswersAtOnce | None
    keyed: RequiresKey | None
    broader: BroaderQuery | None
    priced: VariablePrice | None
    checks_before_sending: bool

    @classmethod
    def of(cls, provider: Provider) -> Self:
        return cls(
            at_once=provider if isinstance(provider, AnswersAtOnce) else None,
            keyed=provider if isinstance(provider, RequiresKey) else None,
            broader=provider if isinstance(provider, BroaderQuery) else None,
            priced=provider if isinstance(provider, VariablePrice) else None,
            checks_before_sending=isinstance(provider, ChecksBeforeSending),
        )
