"""What a data provider is: the question it is asked and the answer it gives."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from enrichment.enums import EntityType
from enrichment.waterfall.planner import Source

BeforeSend = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """One record to look up.

    `fields` holds the record's canonical values and its unknown fields as the CRM sent them (a
    `fullName`, say); `wanted` names the fields of the catalogue that are still unsettled. `before_send` is awaited
    right before anything is sent over a network, after all waiting for a rate limit; it may raise Withdrawn.
    """

    entity_type: EntityType
    fields: Mapping[str, Any]
    wanted: frozenset[str]
    organization_id: str = ""
    callback: str | None = field(default=None, repr=False)  # where an answer that comes later may be sent to
    before_send: BeforeSend | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value for one field. `confidence` is the belief (0-1) that this value is right for this record."""

    field: str
    value: Any
    confidence: float
    observed_at: datetime | None = None  # when the source saw it; None: as of the answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said. No findings and `matched` false is "no match", which is not an error."""

    matched: bool
    findings: tuple[Finding, ...] = ()
    detail: str = ""  # plain words: how it matched, or why not ("3 companies share this name")
    extra: bool = False  # it brings what costs `ProviderInfo.extra_price` more
    uncounted: bool = False  # it costs nothing, also where `ProviderInfo.counts_misses`


NO_MATCH = Answer(matched=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer, or the rest of it, comes later: ask again with `token` after `retry_after_seconds`.

    `so_far` is what came at once; `expires_at` when waiting is over.
    """

    token: str
    retry_after_seconds: float
    expires_at: datetime | None = None
    so_far: Answer | None = None


class ProviderError(Exception):
    """The provider could not answer.

    `code` is one of `timeout`, `unavailable`, `rate_limited`, `bad_key`, `no_key`, `out_of_credits`,
    `invalid_answer`, `rejected`, `wrong_entity`, `circuit_open`; `retryable` says whether the same question may
    work later, `retry_after_seconds` not before when. `maybe_charged`: the provider may have done its work, and
    counted it, though no reply came.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool,
        retry_after_seconds: float | None = None,
        maybe_charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.maybe_charged = maybe_charged


class CallDeferred(ProviderError):
    """The call was not made, because as many as may are under way: it is another's turn for `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__("rate_limited", message, retryable=True, retry_after_seconds=retry_after_seconds)


class Withdrawn(ProviderError):
    """Whoever asked wants no more to be sent. Raised by `Question.before_send`."""

    def __init__(self) -> None:
        super().__init__("withdrawn", "the question was taken back before it was sent", retryable=False)


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What is known of a provider without asking it."""

    id: str
    name: str
    gives: Mapping[EntityType, frozenset[str]]  # which fields of the catalogue it can give
    needs: str  # plain words: the least input, e.g. "a domain, or a company name"
    price: int = 0  # credits for a match
    extra_price: int = 0  # credits more for a match that also brings one of `extra_for`
    extra_for: Mapping[EntityType, frozenset[str]] = field(default_factory=dict)
    answer_lifetime_days: int = 30  # how long a match may be reused; 0: never kept (answers cost nothing)
    miss_lifetime_days: int = 7
    remote: bool = False  # asked over a network, so that it can fail and is watched by a circuit breaker
    needs_key: bool = False
    counts_misses: bool = False  # it counts "no match" like a match, and so does the ledger
    repeats_free: bool = False  # asking again after a time-out does not cost again
    attribution: str = ""
    remarks: tuple[str, ...] = ()  # what who uses it should know, in plain words

    @property
    def keeps_answers(self) -> bool:
        """Whether its answers are kept: where they cost credits, or a call over a network."""
        return self.price > 0 or (self.remote and self.answer_lifetime_days > 0)

    def source(self, entity_type: EntityType) -> Source:
        """What the waterfall needs to know of it."""
        nothing: frozenset[str] = frozenset()
        extra = self.extra_for.get(entity_type, nothing) if self.extra_price else nothing
        return Source(self.id, self.gives.get(entity_type, nothing), self.price, extra, self.extra_price)


class Provider(Protocol):
    """One source of data. Implementations are stateless between questions but may hold an index or a client."""

    @property
    def info(self) -> ProviderInfo: ...

    def input_key(self, question: Question) -> str | None:
        """The part of the question that decides the answer, as one canonical string.

        Two questions with the same key get the same answer, so one is asked for both. None: the record
        has not enough input to ask with.
        """

    async def ask(self, question: Question) -> Answer | Pending:
        """Look the record up. Raises ProviderError when it could not be asked."""


@runtime_checkable
class RequiresKey(Protocol):
    """A provider that is asked with an organization's key."""

    async def configured(self, organization_id: str) -> bool:
        """Whether there is a key to ask with."""


@runtime_checkable
class VariablePrice(Protocol):
    """A provider whose matches do not all cost the same."""

    def max_price(self, question: Question) -> int:
        """The most credits that this question may cost."""


def max_price(provider: Provider, question: Question) -> int:
    """The most credits that asking this may cost: what is set aside before a call, and what an estimate counts."""
    return provider.max_price(question) if isinstance(provider, VariablePrice) else provider.info.price


@runtime_checkable
class BroaderQuery(Protocol):
    """A provider with questions whose answers hold those of others as well."""

    def broader_key(self, question: Question) -> str | None:
        """The input key of the question that asks for this and more; None where there is none."""


@runtime_checkable
class Polls(Protocol):
    """A provider whose answers may come later."""

    async def poll(self, question: Question, token: str) -> Answer | Pending:
        """Ask for an answer that was pending. Raises ProviderError."""


@runtime_checkable
class ReceivesCallback(Protocol):
    """A provider that sends an answer that was pending to the question's `callback`, maybe more than once."""

    def is_about(self, payload: Mapping[str, Any], token: str | None) -> bool:
        """Whether what was sent can be the answer that is pending with `token`; None: it is not known yet."""

    def receive_callback(self, question: Question, token: str, payload: Mapping[str, Any]) -> Answer:
        """What was sent, read. Raises ProviderError, `wrong_entity` when it is about somebody else."""


def key_digest(input_key: str) -> str:
    """What an input key is stored as: 64 characters, whatever personal data it holds."""
    return hashlib.sha256(input_key.encode("utf-8", "surrogatepass")).hexdigest()
