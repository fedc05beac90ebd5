"""The protocol between the service and a provider of data: questions, answers, errors, and what a provider may be."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from enrichment.enums import EntityType
from enrichment.storable import storable
from enrichment.waterfall.planner import Source

DEFAULT_LIFETIME_DAYS = 30  # of an answer whose provider states none

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
    callback: str | None = field(default=None, repr=False)  # the URL to which a later answer may be sent
    before_send: BeforeSend | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value for one field. `confidence` is the confidence (0-1) that this value is right for this record."""

    field: str
    value: Any
    confidence: float
    observed_at: datetime | None = None  # when the source saw it; None: as of the answer


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer. `matched` is false, without findings, for "no match", which is not an error.

    `opted_out`: the person told the provider not to be processed. That is no match and no miss: nobody else is asked
    about the person, it says nothing of how much the provider knows, and it is remembered for `lifetime_days`, where
    the provider says how long, else for `ProviderInfo.opt_out_lifetime_days`.

    `stated`: the credits that the provider says all calls for this answer consumed, those before a pending one
    included; None where it says nothing. It may be a fraction, and differ from `ProviderInfo.price`.

    `is_part`: it brings only a part of what was asked, as where a callback brings the rest of an answer whose beginning
    nobody saw. It is used for the record that was asked about, and serves nobody else who asks the same.
    """

    matched: bool
    findings: tuple[Finding, ...] = ()
    detail: str = ""  # plain words: how it matched, or why not ("3 companies share this name")
    extra: bool = False  # it holds what costs `ProviderInfo.extra_price` more
    uncounted: bool = False  # it costs nothing, also where `ProviderInfo.counts_misses`
    opted_out: bool = False
    is_part: bool = False
    stated: float | None = None
    lifetime_days: int | None = None  # how long it may be reused; None: as the provider declares


NO_MATCH = Answer(matched=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer, or the rest of it, comes later: poll with `token` after `retry_after_seconds`.

    `so_far` is the part that came at once; after `expires_at` nothing more is expected.
    """

    token: str
    retry_after_seconds: float
    expires_at: datetime | None = None
    so_far: Answer | None = None


class ProviderError(Exception):
    """The provider could not answer.

    `code` is one of `timeout`, `unavailable`, `rate_limited`, `bad_key`, `no_key`, `no_access`, `out_of_credits`,
    `invalid_answer`, `rejected`, `wrong_entity`, `circuit_open`. `no_access` closes what was asked for and leaves the
    provider's other calls alone. `retryable` says whether the same question may work
    later, and `retry_after_seconds` how long to wait at least. `maybe_charged` says that the provider may have counted
    the call although no answer was read, and `stated` the credits that it says the call consumed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool,
        retry_after_seconds: float | None = None,
        maybe_charged: bool = False,
        stated: float | None = None,
    ) -> None:
        message = storable(message)  # which may quote the provider
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.maybe_charged = maybe_charged
        self.stated = stated


class CallDeferred(ProviderError):
    """The call was not made, because the limit of calls is reached; it may be made after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__("rate_limited", message, retryable=True, retry_after_seconds=retry_after_seconds)


class Withdrawn(ProviderError):
    """The question must not be sent any more. Raised by `Question.before_send`."""

    def __init__(self) -> None:
        super().__init__("withdrawn", "the question was taken back before it was sent", retryable=False)


class NotSent(Exception):
    """Something of ours failed before anything was sent, which is no fault of the provider. Has it as its cause."""


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What a provider declares of itself: what it gives, what it costs, how long its answers hold."""

    id: str
    name: str
    gives: Mapping[EntityType, frozenset[str]]  # which fields of the catalogue it can give
    needs: str  # plain words: the least input, e.g. "a domain, or a company name"
    price: int = 0  # credits for a match
    extra_price: int = 0  # credits more for a match that also brings one of `extra_for`
    extra_for: Mapping[EntityType, frozenset[str]] = field(default_factory=dict)
    answer_lifetime_days: int = 30  # how long a match may be reused; 0: never kept (answers cost nothing)
    miss_lifetime_days: int = 7
    opt_out_lifetime_days: int = 365  # how long a person who opted out is left alone
    remote: bool = False  # asked over a network: it can fail, and a circuit breaker watches it
    needs_key: bool = False
    operator_priced: bool = False  # the operator has set its prices: they are charged, whatever an answer states
    counts_misses: bool = False  # it counts "no match" like a match, and so does the ledger
    repeats_free: bool = False  # asking again after a time-out does not cost again
    attribution: str = ""
    remarks: tuple[str, ...] = ()  # what its users should know, in plain words

    @property
    def keeps_answers(self) -> bool:
        """Whether its answers are cached: those that cost credits, or a call over a network."""
        return self.price > 0 or (self.remote and self.answer_lifetime_days > 0)

    def lifetime_of(self, answer: Answer) -> timedelta:
        """How long an answer is remembered, unless the organization says otherwise of a match."""
        declared = self.opt_out_lifetime_days if answer.opted_out else None
        days = answer.lifetime_days if answer.lifetime_days is not None else declared
        return self.lifetime(matched=answer.matched) if days is None else timedelta(days=days)

    def lifetime(self, *, matched: bool = True) -> timedelta:
        """How long a stored answer may be reused, unless the organization says otherwise."""
        return timedelta(days=self.answer_days if matched else self.miss_days)

    @property
    def answer_days(self) -> int:
        """How many days a stored match may be reused; where the provider states nothing, DEFAULT_LIFETIME_DAYS."""
        return self.answer_lifetime_days or DEFAULT_LIFETIME_DAYS

    @property
    def miss_days(self) -> int:
        """The same of an answer without a match."""
        return self.miss_lifetime_days or DEFAULT_LIFETIME_DAYS

    @property
    def queued_note(self) -> str | None:
        """What the ledger says of a question that is charged once it is queued; None where it is not charged then."""
        return f"queued, which {self.name} counts" if self.counts_misses else None

    def source(self, entity_type: EntityType) -> Source:
        """The provider as the waterfall sees it, for records of one type."""
        nothing: frozenset[str] = frozenset()
        extra = self.extra_for.get(entity_type, nothing) if self.extra_price else nothing
        gives = self.gives.get(entity_type, nothing)
        return Source(self.id, gives, self.price, extra, self.extra_price, counts_misses=self.counts_misses)


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
class AnswersAtOnce(Protocol):
    """A provider that answers from what it holds, without waiting for anything: many are answered in a plain loop."""

    def answer(self, question: Question) -> Answer:
        """As `ask`, which gives the same. Raises ProviderError when it could not be asked."""


@runtime_checkable
class RequiresKey(Protocol):
    """A provider that is asked with an organization's key."""

    async def configured(self, organization_id: str) -> bool:
        """Whether there is a key to ask with."""


@runtime_checkable
class ChecksBeforeSending(Protocol):
    """A remote provider that awaits `Question.before_send` right before each thing that it sends."""

    checks_before_sending: bool


@runtime_checkable
class VariablePrice(Protocol):
    """A provider whose matches do not all cost the same."""

    def max_price(self, question: Question) -> int:
        """The most credits that this question may cost."""


def max_price(provider: Provider, question: Question) -> int:
    """The most credits that the question may cost: what a call reserves, and what an estimate counts."""
    return provider.max_price(question) if isinstance(provider, VariablePrice) else provider.info.price


@runtime_checkable
class BroaderQuery(Protocol):
    """A provider whose answer to one question may hold the answer to another."""

    def broader_key(self, question: Question) -> str | None:
        """The input key of the question that asks for this and more; None where there is none."""


@runtime_checkable
class NarrowerQuery(Protocol):
    """A provider that is asked for a record with something in it, where nothing else of the record is of use."""

    def narrower_keys(self, question: Question) -> Sequence[str]:
        """The input keys of narrower questions: their matches are matches of this one, their misses are not."""


@runtime_checkable
class Polls(Protocol):
    """A provider whose answers may come later."""

    async def poll(self, question: Question, token: str) -> Answer | Pending:
        """Ask for an answer that was pending. Raises ProviderError."""


@runtime_checkable
class ReceivesCallback(Protocol):
    """A provider that sends an answer that was pending to the question's `callback`, maybe more than once."""

    def is_about(self, payload: Mapping[str, Any], token: str | None) -> bool:
        """Whether what was sent can be the answer that is pending with `token`; None where there is no token yet."""

    def receive_callback(self, question: Question, token: str | None, payload: Mapping[str, Any]) -> Answer:
        """Read what was sent; `token` is None where nobody saw the call's own reply.

        Raises ProviderError, `wrong_entity` when it is about somebody else.
        """


def key_digest(input_key: str) -> str:
    """The digest under which an input key is stored: 64 characters, without the personal data of the key."""
    return hashlib.sha256(input_key.encode("utf-8", "surrogatepass")).hexdigest()
