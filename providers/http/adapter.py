"""The adapter of a provider behind HTTP: it makes a request of a question, and an answer of the reply.

An adapter knows nothing of connections, limits, stored keys, jobs or credits: `providers.http.provider` makes a
provider of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from providers.api import Answer, Pending, ProviderError, ProviderInfo, Question, ReceivesCallback
from providers.http.json_body import read_json

__all__ = ["Adapter", "CallbackAdapter", "Http", "KeyCheck", "OptionalExtras", "Pending", "Reply", "Scoped"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply, read to its end. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, also with blemishes (see `providers.http.json_body`): what cannot be read of it is null.

        Raises ProviderError `invalid_answer` when it is something else, or of too many parts.
        An unreadable reply of success is `maybe_charged`: it may be an answer that was paid for and cut off.
        """
        try:
            return read_json(self.body, self.headers.get("content-type", ""))
        except ValueError as error:
            kind = self.headers.get("content-type", "no content type")[:80]
            raise ProviderError(
                "invalid_answer",
                f"not JSON ({kind})",
                retryable=self.status >= 500,
                maybe_charged=self.is_success,
            ) from error

    @property
    def is_success(self) -> bool:
        """Whether the status says that the call was served."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """The result of checking a key. `credits_left` and `renews_at` are None where the provider does not say.

    `may`: for each of `Scoped.scopes` whether the key may look it up; one that could not be tried for free is left out.
    """

    valid: bool
    detail: str
    credits_left: float | None = None
    renews_at: datetime | None = None
    may: Mapping[str, bool] = field(default_factory=dict)


class Http(Protocol):
    """One account at one provider: its key, and requests in its name within limits of time, size and rate."""

    @property
    def key(self) -> str:
        """The account's key. Never put it into an error or a log."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        base: str = "",
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request to the base address named `base` (see `Adapter.bases`), and its reply, of any status.

        The body is `json`, or `form` written as a web form; `headers` may name the content type of either.

        Raises ProviderError where there is none: `timeout` and `unavailable` (retryable), `rate_limited` when our own
        limit is reached, `invalid_answer` for a reply that is too large or cannot be unpacked. All requests of one
        look-up share its time: once it is over, none is sent, and the error is `timeout`.
        """

    def note_credits(self, left: float | None) -> None:
        """Report the credits that the provider says are left to the account."""


class Adapter(Protocol):
    """One provider behind HTTP. A class with this as its base needs `info`, `bases`, `input_key` and `look_up`."""

    @property
    def info(self) -> ProviderInfo: ...

    @property
    def bases(self) -> Mapping[str, str]:
        """Base addresses by name; `""` is the main address. A setting may replace them."""

    @property
    def calls_per_minute(self) -> int:
        """The provider's documented limit for one account, before its own headers say otherwise.

        All calls count against it together, unless the adapter is `EndpointLimits`.
        """
        return 60

    def input_key(self, question: Question) -> str | None:
        """As `Provider.input_key`."""

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        """Look the record up. Raises ProviderError for all that is neither a match, no match nor pending."""

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """Ask for a pending answer."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        """Whether the key works, by a call that costs nothing; `detail` says so where there is no such call."""
        return KeyCheck(valid=True, detail="not checked: there is no call that costs nothing")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of an account, under a name that the adapter chooses.

    Where the provider limits seconds too, no second has more than `calls_per_second`, however many calls come at once.
    """

    name: str
    calls_per_minute: int
    calls_per_second: int | None = None


@runtime_checkable
class EndpointLimits(Protocol):
    """An adapter whose provider has several limits for an account, such as one for each endpoint."""

    def limit_of(self, base: str, path: str) -> Limit:
        """The limit that a request counts against."""


@runtime_checkable
class Scoped(Protocol):
    """An adapter whose provider gives keys access to some of its calls only: a refusal of one closes that alone."""

    @property
    def scopes(self) -> frozenset[str]:
        """What a key may be allowed to look up, in plain words: people, companies."""

    def scope_of(self, question: Question) -> str:
        """Which of them the call for this question needs."""


@runtime_checkable
class OptionalExtras(Protocol):
    """An adapter whose answers to some questions may cost `ProviderInfo.extra_price` more."""

    def asks_extra(self, question: Question) -> bool:
        """Whether this question is one of them."""


@runtime_checkable
class CallbackAdapter(Adapter, ReceivesCallback, Protocol):
    """An adapter whose provider sends later answers to a callback URL."""
