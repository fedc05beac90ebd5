"""A provider behind HTTP: an adapter with an account's key, bounded connections and rate limits."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import structlog

from providers.api import (
    Answer,
    BeforeSend,
    BroaderQuery,
    NarrowerQuery,
    NotSent,
    ProviderError,
    ProviderInfo,
    Question,
)
from providers.bulk import Batch, Outcome
from providers.http.account import Account, left_until
from providers.http.adapter import (
    Adapter,
    CallbackAdapter,
    EndpointLimits,
    Http,
    KeyCheck,
    Limit,
    OptionalExtras,
    Pending,
    Reply,
)
from providers.http.addresses import checked_bases
from providers.http.bulk import BulkAdapter, OneByOne, ask_in_bulk, look_up_many
from providers.http.client import HttpClient
from providers.http.rate_limit import RateLimiter
from providers.http.replies import retry_after
from providers.http.request import Request
from providers.http.scopes import KeyScopes
from providers.http.unanswered import unanswered

NOTE_EVERY_SECONDS = 10.0  # between two reports of what is left of an account's credits, unless it is nothing

NoteCredits = Callable[[str, str, float], Awaitable[None]]
_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Keys(Protocol):
    """Where the keys of accounts are found."""

    async def key_of(self, organization_id: str, provider_id: str) -> str | None:
        """The key for an organization's calls; None where there is none."""


class HttpProvider:
    """The provider that an adapter describes.

    `bases` replace the adapter's own addresses, `price` and `extra_price` (credits) its own prices. `note_credits`
    is called with (organization, provider, credits left).

    Raises ValueError for an address that is unfit or has no such name.
    """

    checks_before_sending = True

    def __init__(
        self,
        adapter: Adapter,
        client: HttpClient,
        keys: Keys,
        bases: Mapping[str, str] | None = None,
        price: int | None = None,
        *,
        extra_price: int | None = None,
        rate_limiter: RateLimiter | None = None,
        note_credits: NoteCredits | None = None,
    ) -> None:
        self._adapter = adapter
        self._limited = adapter if isinstance(adapter, EndpointLimits) else None
        self._client = client
        self._keys = keys
        self._rate_limiter = rate_limiter
        self._note_credits = note_credits
        self._noted_at: dict[str, float] = {}
        self._scopes = KeyScopes(adapter)
        self._one_by_one = OneByOne()
        self._bases = checked_bases(adapter, bases or {}, development=client.development)
        # Every adapter asks over a network, whatever its info says: the circuit breaker has to watch it.
        self.info: ProviderInfo = replace(
            adapter.info,
            remote=True,
            price=adapter.info.price if price is None else price,
            extra_price=adapter.info.extra_price if extra_price is None else extra_price,
            operator_priced=price is not None or extra_price is not None,
        )

    def input_key(self, question: Question) -> str | None:
        return self._adapter.input_key(question)

    def max_price(self, question: Question) -> int:
        """The most credits that this question may cost."""
        extra = isinstance(self._adapter, OptionalExtras) and self._adapter.asks_extra(question)
        return self.info.price + (self.info.extra_price if extra else 0)

    def broader_key(self, question: Question) -> str | None:
        """As `BroaderQuery.broader_key`."""
        return self._adapter.broader_key(question) if isinstance(self._adapter, BroaderQuery) else None

    def narrower_keys(self, question: Question) -> Sequence[str]:
        """As `NarrowerQuery.narrower_keys`."""
        return self._adapter.narrower_keys(question) if isinstance(self._adapter, NarrowerQuery) else ()

    async def ask(self, question: Question) -> Answer | Pending:
        """Look the record up. Raises ProviderError, also `no_key`."""
        return await self._with_account(
            question.organization_id, lambda http: self._adapter.look_up(question, http), question
        )

    def batch_of(self, question: Question) -> Batch | None:
        """As `BulkQuery.batch_of`."""
        return self._adapter.batch_of(question) if isinstance(self._adapter, BulkAdapter) else None

    async def ask_many(self, questions: Sequence[Question]) -> list[Outcome]:
        """As `BulkQuery.ask_many`."""
        adapter = self._adapter
        assert isinstance(adapter, BulkAdapter)  # it has named a batch

        async def send(some: Sequence[Question], before_send: BeforeSend) -> Sequence[Outcome]:
            head = replace(some[0], before_send=before_send)
            return await self._with_account(
                head.organization_id, lambda http: look_up_many(adapter, some, http, self._one_by_one), head
            )

        return await ask_in_bulk(questions, send)

    async def poll(self, question: Question, token: str) -> Answer | Pending:
        """Ask for an answer that was pending. Raises ProviderError, also `no_key`."""
        return await self._with_account(
            question.organization_id, lambda http: self._adapter.poll(token, question, http), question
        )

    async def check_key(self, organization_id: str) -> KeyCheck:
        """Whether the organization's key works. Raises ProviderError, also `no_key`."""
        return await self._with_account(organization_id, self._checked)

    async def configured(self, organization_id: str) -> bool:
        """Whether the organization has the key that a call needs."""
        return not self.info.needs_key or bool(await self._keys.key_of(organization_id, self.info.id))

    async def forget_pauses(self, organization_id: str) -> None:
        """Ask again, though replies so far asked to wait. Raises ProviderError, also `no_key`."""
        account = self._account_name(await self._key(organization_id))
        self._scopes.opened(account)
        self._one_by_one.forget(account)
        if self._rate_limiter is not None:
            await self._rate_limiter.forget_pauses(account, self.info.id)

    def _account_name(self, key: str) -> str:
        """A name of the key's account that does not tell the key."""
        return hashlib.sha256(f"{self.info.id}\n{key}".encode()).hexdigest()[:32]

    async def _checked(self, http: Http) -> KeyCheck:
        check = await self._adapter.check_key(http)
        if check.credits_left is not None:
            http.note_credits(check.credits_left)
        may = self._scopes.known(self._account_name(http.key), check.may)
        return replace(check, detail=_without(http.key, check.detail), may=may)

    async def _with_account(
        self, organization_id: str, call: Callable[[Account], Awaitable[_T]], question: Question | None = None
    ) -> _T:
        """The result of the call, unless the key was refused its kind lately."""
        deadline = time.monotonic() + self._client.limits.look_up_seconds
        before_send = question.before_send if question is not None else None
        key = await self._key(organization_id)
        account = Account(self, self._account_name(key), key, deadline, before_send)
        scope = self._scopes.check(account.name, question) if question is not None else ""
        try:
            result = await call(account)
            if isinstance(result, Answer) and not (result.matched or result.opted_out):
                self._check_answered(account)
            return result
        except ProviderError as error:
            error.message = _without(account.key, error.message)
            error.args = (error.message,)
            if error.code != "no_access":
                raise
            raise self._scopes.refused(account.name, scope, error) from None
        except NotSent as error:
            if not account.was_served:
                raise
            message = "the look-up was broken off after its first request"
            raise ProviderError("unavailable", message, retryable=True, maybe_charged=True) from error
        except Exception as error:
            # The text of an unforeseen error may hold anything that was sent, the key too: it goes no further.
            _log.error("adapter failed", provider=self.info.id, error=type(error).__name__, where=_location_of(error))
            raise ProviderError(
                "invalid_answer", "the answer could not be read", retryable=False, maybe_charged=account.was_served
            ) from None
        finally:
            await self._report_credits(organization_id, account)

    def _check_answered(self, account: Account) -> None:
        """Raises ProviderError where the reply that no match was read from says "pending", or that it failed."""
        reply = account.last_reply
        if reply is not None and reply.is_success:
            wait = retry_after(reply, time.time())
            if (error := unanswered(self.info.name, reply, wait)) is not None:
                raise error

    async def _key(self, organization_id: str) -> str:
        try:
            key = (await self._keys.key_of(organization_id, self.info.id) or "").strip()
        except Exception as error:
            raise NotSent from error
        if not key and self.info.needs_key:
            raise ProviderError("no_key", f"there is no key for {self.info.name}", retryable=False)
        if not key.isascii() or (key and not key.isprintable()):
            raise ProviderError("bad_key", "the key holds characters that no key has", retryable=False)
        return key

    async def send(
        self, account: str, request: Request, limit: Limit, deadline: float, before_send: BeforeSend | None
    ) -> Reply:
        """Send one request for an account, once its `limit` allows it and before the `deadline` (monotonic clock).

        Raises ProviderError, also what `before_send` raises.
        """
        left_until(deadline)
        bucket = f"{account}:{limit.name}" if limit.name else account
        if self._rate_limiter is not None:
            await self._rate_limiter.acquire(bucket, self.info.id, limit.calls_per_minute, limit.calls_per_second)
        if before_send is not None:
            await before_send()
        reply = await self._client.send(self.info.id, request, within=left_until(deadline))
        if self._rate_limiter is not None:
            await self._rate_limiter.observe(bucket, self.info.id, reply)
        return reply

    def limit_of(self, base: str, path: str) -> Limit:
        """Which of the account's limits a request counts against."""
        if self._limited is not None:
            return self._limited.limit_of(base, path)
        return Limit("", self._adapter.calls_per_minute)

    def base(self, name: str) -> str:
        """The address of that name."""
        found = self._bases.get(name)
        if found is None:
            raise ProviderError("rejected", f"{self.info.name} has no address called {name}", retryable=False)
        return found

    async def _report_credits(self, organization_id: str, account: Account) -> None:
        left, now = account.credits_left, time.monotonic()
        if left is None or self._note_credits is None:
            return
        if left > 0 and now - self._noted_at.get(organization_id, -NOTE_EVERY_SECONDS) < NOTE_EVERY_SECONDS:
            return
        self._noted_at[organization_id] = now
        try:
            await self._note_credits(organization_id, self.info.id, left)
        except Exception:
            # What is left is only shown: an answer that was paid for is not lost over it.
            _log.exception("credits left were not noted", provider=self.info.id, organization=organization_id)


class CallbackProvider(HttpProvider):
    """The provider that an adapter describes, if the provider may send its answers to us."""

    _adapter: CallbackAdapter

    def is_about(self, payload: Mapping[str, Any], token: str | None) -> bool:
        """As `ReceivesCallback.is_about`."""
        return self._adapter.is_about(payload, token)

    def receive_callback(self, question: Question, token: str | None, payload: Mapping[str, Any]) -> Answer:
        """As `ReceivesCallback.receive_callback`."""
        return self._adapter.receive_callback(question, token, payload)


def _without(key: str, text: str) -> str:
    return text.replace(key, "********") if key else text


def _location_of(error: BaseException) -> str:
    """The file and line that raised."""
    trace = error.__traceback__
    location = ""
    with suppress(AttributeError):
        while trace is not None:
            location = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
            trace = trace.tb_next
    return location
