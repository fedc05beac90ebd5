"""Requests that ask many questions: one that spoils the rest is found by halves, and each answer is read by itself."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import structlog

from providers.api import BeforeSend, CallDeferred, NotSent, ProviderError, Question, Withdrawn
from providers.bulk import Batch, Outcome
from providers.http.account import Account
from providers.http.adapter import Http
from providers.http.replies import unreadable

MOST_REQUESTS = 20  # for one batch: a poisoned one of a hundred questions is found by 14

ONE_BY_ONE_SECONDS = 3600.0  # until an account whose requests for many were refused is tried with them again
_MOST_ACCOUNTS = 10_000
_NOT_SERVED = frozenset({403, 404, 405, 501})  # replies to a request for many where a plan, or a server, takes none

Send = Callable[[Sequence[Question], BeforeSend], Awaitable[Sequence[Outcome]]]
_Item = TypeVar("_Item")
_log = structlog.get_logger(__name__)


@runtime_checkable
class BulkAdapter(Protocol):
    """An adapter whose provider can be asked many questions by one request."""

    def batch_of(self, question: Question) -> Batch | None:
        """As `BulkQuery.batch_of`."""

    async def look_up_many(self, questions: Sequence[Question], http: Http) -> Sequence[Outcome]:
        """How each question ended, in their order, by one request. Raises ProviderError where it failed as a whole."""


class OneByOne:
    """The kinds of questions that accounts have to ask one by one, as this process knows them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()  # by account and kind

    def holds(self, account: str, kind: str) -> bool:
        """Whether a request for many of this kind was refused to the account lately."""
        return self._until.get((account, kind), 0.0) > self._clock()

    def note(self, account: str, kind: str) -> None:
        """A request for many was refused just now."""
        self._until[account, kind] = self._clock() + ONE_BY_ONE_SECONDS
        if len(self._until) > _MOST_ACCOUNTS:
            self._until.popitem(last=False)

    def forget(self, account: str) -> None:
        """Ask for many again."""
        for key in [key for key in self._until if key[0] == account]:
            del self._until[key]


async def look_up_many(
    adapter: BulkAdapter, questions: Sequence[Question], http: Account, one_by_one: OneByOne
) -> Sequence[Outcome]:
    """How each question ended. Where the account may not ask for many at once, each is left to be asked alone.

    That says nothing of what the account may ask one by one.
    """
    batch = adapter.batch_of(questions[0])
    kind = batch.kind if batch is not None else ""
    if not one_by_one.holds(http.name, kind):
        try:
            return await adapter.look_up_many(questions, http)
        except ProviderError as error:
            reply = http.last_reply
            if error.maybe_charged or reply is None or reply.status not in _NOT_SERVED:
                raise
            one_by_one.note(http.name, kind)
    message = "requests for many at once are not served to this key"
    return [ProviderError("rejected", message, retryable=True) for _ in questions]


def read_each(
    provider: str, questions: Sequence[Question], items: Sequence[_Item], read: Callable[[Question, _Item], Outcome]
) -> list[Outcome]:
    """What `read` makes of each question's item. One that cannot be read fails alone; it may have been charged."""
    outcomes: list[Outcome] = []
    for question, item in zip(questions, items, strict=True):
        try:
            outcomes.append(read(question, item))
        except ProviderError as error:
            outcomes.append(error)
        except Exception as error:
            _log.error("an item of a bulk answer could not be read", provider=provider, error=type(error).__name__)
            outcomes.append(unreadable(provider, "could not be read"))
    return outcomes


def shared(consumed: float | None, matched: Sequence[bool]) -> list[float | None]:
    """What each item of a bulk answer consumed, where the answer states the sum: matches share it, misses cost nothing.

    All None where it states nothing, or a sum without a match to bear it.
    """
    matches = sum(matched)
    if consumed is None or (consumed and not matches):
        return [None] * len(matched)
    return [consumed / matches if is_match else 0 for is_match in matched]


async def ask_in_bulk(questions: Sequence[Question], send: Send) -> list[Outcome]:
    """How each question ended.

    A request that is refused for one of its questions is put again by halves, up to MOST_REQUESTS; those of which
    nobody knows by then may be asked again, alone. What may have been charged is never put again. Raises CallDeferred
    and NotSent where nothing was sent.
    """
    outcomes: dict[int, Outcome] = {}
    parts = [list(range(len(questions)))]
    requests = 0
    while parts and requests < MOST_REQUESTS:
        part = parts.pop()
        requests += 1
        part = await _send_part(questions, part, send, outcomes, first=requests == 1)
        refused = [index for index in part if _may_be_another_ones_fault(outcomes[index])]
        if len(refused) == len(part) > 1:
            parts += [part[len(part) // 2 :], part[: len(part) // 2]]
    message = "too many questions of one request were refused to find which of them is at fault"
    outcomes |= {index: ProviderError("rejected", message, retryable=True) for part in parts for index in part}
    return [outcomes[index] for index in range(len(questions))]


class _Checks:
    """`before_send` of all questions of a request; `gone` are those that must not be sent any more."""

    def __init__(self, questions: Sequence[Question], part: Sequence[int]) -> None:
        self._questions = questions
        self._part = part
        self.gone: dict[int, Outcome] = {}

    async def __call__(self) -> None:
        await asyncio.gather(*map(self._check, self._part))  # one look at what is stored is enough for all of them
        if self.gone:
            raise Withdrawn  # the request holds them: it is made anew

    async def _check(self, index: int) -> None:
        check = self._questions[index].before_send
        try:
            if check is not None:
                await check()
        except Withdrawn as error:
            self.gone[index] = error


async def _send_part(
    questions: Sequence[Question], part: list[int], send: Send, outcomes: dict[int, Outcome], *, first: bool
) -> list[int]:
    """Send these questions, without those that were withdrawn; which were sent."""
    while part:
        checks = _Checks(questions, part)
        try:
            found = await send([questions[index] for index in part], checks)
        except ProviderError as error:
            if isinstance(error, CallDeferred) and first:
                raise
            outcomes.update(checks.gone or dict.fromkeys(part, error))
            if not checks.gone:
                return part
            part = [index for index in part if index not in checks.gone]
        except NotSent:
            if first:
                raise
            message = "something of ours stood in the way of asking again"
            outcomes.update(dict.fromkeys(part, ProviderError("rejected", message, retryable=True)))
            return []
        else:
            outcomes.update(zip(part, found, strict=True))
            return part
    return part


def _may_be_another_ones_fault(outcome: Outcome) -> bool:
    if not isinstance(outcome, ProviderError) or outcome.retryable:  # such a one is asked again, alone
        return False
    return outcome.code == "rejected" and not outcome.maybe_charged


def all_of(body: Any, count: int) -> list[Any] | None:
    """The items of a bulk answer where there is one for each question, in their order; else None."""
    return body if isinstance(body, list) and len(body) == count else None
