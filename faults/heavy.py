"""An innocent organization's question beside what computes much for another: the longest that it waits for an answer.

One API process serves both, and the other asks for everything at once, so that nobody else could answer meanwhile.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from faults.caller import Caller, NotAnswered
from faults.checks import Check
from faults.service import Service
from faults.stores import PostgresServer, RedisServer

MOST_SECONDS = 1.0  # that the innocent waits for any answer
_RECORDS, _AT_ONCE = 2_000, 500
_CALLS = 4  # of each kind, at once
_TURNS = 3  # of which the best counts: what else runs on the machine has nothing to do with it
_QUIET_SECONDS = 2.0
_SHORTEST_SECONDS = 0.02  # what is shorter is compared as this
_ASKED = "{ credits { balance } }"
_SELECTION = "selection: { entityType: ACCOUNT, filter: {} }, force: true"
HEAVY: Mapping[str, str] = {
    "estimateEnrichment": f"{{ estimateEnrichment({_SELECTION}) {{ maximum }} }}",
    "previewEnrichment": f"{{ previewEnrichment({_SELECTION}) {{ written }} }}",
    "simulateConfig": "{ simulateConfig(input: { minConfidence: 0.9 }) { jobs } }",
    "previewUndoEnrichment": '{ previewUndoEnrichment(provider: "directory") { restored } }',
    "previewResolution": "{ previewResolution(filter: {}) { count } }",
    "verifyLedger": "{ verifyLedger(whole: true) { addsUp } }",
    "verifyAudit": "{ verifyAudit(whole: true) { intact } }",
}


async def measure_heavy(folder: Path, kinds: Sequence[str] = tuple(HEAVY)) -> list[Check]:
    """One check for each kind of question, with the longest waits in quiet and beside it, in seconds."""
    async with AsyncExitStack() as stack:
        postgres, redis = PostgresServer(folder / "postgres"), RedisServer(folder)
        stack.push_async_callback(postgres.remove)
        stack.push_async_callback(redis.kill)
        await postgres.create()
        await asyncio.gather(postgres.start(), redis.start())
        settings = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        service = Service(folder, settings, servers=1, workers=1)
        stack.callback(service.write_output, folder)
        stack.callback(service.stop)
        await service.start()
        innocent, heavy = Caller("innocent", service.urls), Caller("heavy", service.urls)
        stack.push_async_callback(innocent.close)
        stack.push_async_callback(heavy.close)
        await _fill(heavy)
        await _longest_wait(innocent, asyncio.create_task(asyncio.sleep(_QUIET_SECONDS)))  # what is only done once
        return [await _check(innocent, heavy, kind) for kind in kinds]


async def _fill(caller: Caller) -> None:
    """Records with values from the packaged directory, and the decisions on them."""
    for start in range(0, _RECORDS, _AT_ONCE):
        sent = await caller.upsert([_record(number) for number in range(start, start + _AT_ONCE)])
        for _, _, job_id in sent:
            while not await caller.has_ended(job_id):  # noqa: ASYNC110 -- another process ends it
                await asyncio.sleep(0.05)


def _record(number: int) -> dict[str, object]:
    name, domain = _COMPANIES[number % len(_COMPANIES)]
    fields = {"name": name, "domain": domain, "city": "Nowhere"}
    return {"entityType": "ACCOUNT", "externalId": f"account-{number}", "fields": fields}


_COMPANIES = (
    ("Microsoft", "microsoft.com"),
    ("Siemens", "siemens.com"),
    ("Infosys", "infosys.com"),
    ("Toyota", "toyota.com"),
)


async def _check(innocent: Caller, heavy: Caller, kind: str) -> Check:
    found: list[tuple[float, str]] = []
    for _ in range(_TURNS):
        quiet = await _longest_wait(innocent, asyncio.create_task(asyncio.sleep(_QUIET_SECONDS)))
        asking = asyncio.gather(*(_ask(heavy, HEAVY[kind]) for _ in range(_CALLS)))
        beside = await _longest_wait(innocent, asking)
        ratio = max(beside, _SHORTEST_SECONDS) / max(quiet, _SHORTEST_SECONDS)
        answered = sum(asking.result())
        found.append((beside, f"quiet {quiet:.2f} s, beside {beside:.2f} s, ratio {ratio:.1f}, {answered} answers"))
        if not answered:
            return Check(f"beside {kind}", found[-1][1], ["no answer"])
        if beside <= MOST_SECONDS:
            break
    longest, seen = min(found)
    return Check(f"beside {kind}", seen, [text for _, text in found] if longest > MOST_SECONDS else [])


async def _ask(caller: Caller, query: str) -> bool:
    """Whether it was answered; too many at once are refused."""
    with suppress(NotAnswered):
        await caller(query)
        return True
    return False


async def _longest_wait(caller: Caller, until: "asyncio.Future[Any]") -> float:
    """The longest wait for an answer, asking again and again until the other is done, in seconds."""
    longest = 0.0
    while not until.done():
        started = time.monotonic()
        await caller(_ASKED)
        longest = max(longest, time.monotonic() - started)
        await asyncio.sleep(0.005)
    return longest
