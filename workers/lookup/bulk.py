"""Questions that go out together: gathered over the jobs in flight, put by one request, and each ended by itself.

A question waits for company only while other jobs of its organization are under way, and never for long. What is asked
for alone in the end goes out as any other call.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.api import CallDeferred
from providers.bulk import Batch
from workers.lookup.call import ProviderCaller
from workers.lookup.lookup import Lookup
from workers.lookup.reply import LookupReply

COMPANY_SECONDS = 0.05  # the longest that a question waits for others
ALONE_WITHIN_SECONDS = 5.0  # after which a question that its batch left unanswered goes back to the queue

_Key = tuple[str, str, str]  # organization, provider, kind


@dataclass(slots=True, eq=False)
class _Gathering:
    """Questions that are to go out by one request. Each has a future of its reply: None where it is to be put alone."""

    key: _Key
    most: int
    replies: dict[Lookup, "asyncio.Future[LookupReply | None]"] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None  # once they have been sent

    def wanted(self) -> list[Lookup]:
        """Those whose reply is still waited for."""
        return [lookup for lookup, reply in self.replies.items() if not reply.done()]


class BulkCalls:
    """Gathers the questions of one worker that may go out together."""

    def __init__(self, caller: ProviderCaller, in_flight: Callable[[str], int]) -> None:
        """`in_flight`: how many jobs of an organization this worker has, with those that wait here."""
        self._caller = caller
        self._in_flight = in_flight
        self._open: dict[_Key, _Gathering] = {}
        self._waiting: Counter[str] = Counter()  # questions that are gathered and not sent yet, by organization

    async def call(self, lookup: Lookup, batch: Batch) -> LookupReply:
        """The reply to the question, which goes out with others where there are some. Raises CallDeferred."""
        began = time.monotonic()
        gathering = self._join(lookup, batch)
        try:
            reply = await gathering.replies[lookup]
        except asyncio.CancelledError:
            self._leave(gathering)
            raise
        if reply is not None:
            if not reply.is_to_be_asked_alone or time.monotonic() - began > ALONE_WITHIN_SECONDS:
                return reply
            lookup.sent = False  # what was sent of it has been refused, and cost nothing
        return await self._caller.call(lookup)

    def _join(self, lookup: Lookup, batch: Batch) -> _Gathering:
        organization_id = lookup.job.organization_id
        key = organization_id, lookup.provider.info.id, batch.kind
        loop = asyncio.get_running_loop()
        gathering = self._open.get(key)
        if gathering is None:
            gathering = self._open[key] = _Gathering(key, batch.most)
            gathering.timer = loop.call_later(0, self._wait_for_company, gathering)
        gathering.replies[lookup] = loop.create_future()
        self._waiting[organization_id] += 1
        if len(gathering.replies) >= gathering.most:
            self._send(gathering)
        return gathering

    def _wait_for_company(self, gathering: _Gathering) -> None:
        """Those of this moment have come: wait for others, if there are any that could."""
        organization_id = gathering.key[0]
        if self._in_flight(organization_id) > self._waiting[organization_id]:
            loop = asyncio.get_running_loop()
            gathering.timer = loop.call_later(COMPANY_SECONDS, self._send, gathering)
        else:
            self._send(gathering)

    def _send(self, gathering: _Gathering) -> None:
        organization_id = gathering.key[0]
        if gathering.timer is not None:
            gathering.timer.cancel()
        del self._open[gathering.key]
        self._waiting[organization_id] -= len(gathering.replies)
        if not self._waiting[organization_id]:
            del self._waiting[organization_id]
        gathering.task = asyncio.create_task(self._ask(gathering))

    def _leave(self, gathering: _Gathering) -> None:
        """One of them is not waited for any more; with the last of them the call is given up."""
        if gathering.task is not None and not gathering.wanted():
            gathering.task.cancel()

    async def _ask(self, gathering: _Gathering) -> None:
        lookups = gathering.wanted()
        replies: list[LookupReply | None] = [None] * len(lookups)
        error: Exception | None = None
        if len(lookups) > 1:
            try:
                replies = [*await self._caller.call_many(lookups)]
            except Exception as raised:
                error = raised
        for lookup, reply in zip(lookups, replies, strict=True):
            future = gathering.replies[lookup]
            if future.done():
                continue  # nobody waits for it any more
            if isinstance(error, CallDeferred):
                future.set_exception(CallDeferred(error.message, error.retry_after_seconds or 0.0))
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(reply)
