"""Traces, for whoever watches the service: a request, the jobs that it starts, the calls of providers for them.

Nothing is made where the process has no tracer. A job is in the trace of the request that started it: Redis keeps which
that is for an hour, and where it is lost the job begins a trace of its own. What a span says are ids, names and counts,
never a value of a record.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

Kind = Literal["server", "consumer", "client"]
Attributes = Mapping[str, str | int | bool]

_KEY = "auto-enrichment:trace:{}"
_KEPT_SECONDS = 3600
_SECONDS = 0.2  # that Redis has: a trace keeps nobody waiting

_log = structlog.get_logger(__name__)


class Span(Protocol):
    """A part of a trace. `traceparent` names it for what it leads to (W3C, "Trace Context")."""

    @property
    def traceparent(self) -> str: ...

    def note(self, attributes: Attributes) -> None:
        """Say more of it."""

    def end(self, name: str | None = None) -> None:
        """It ends now, by a better name where there is one. Once is enough, and more does no harm."""


class Tracer(Protocol):
    """What makes spans."""

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None, links: Sequence[str] = ()
    ) -> Span:
        """A span that begins now, as part of the trace of `parent`, and beside what `links` name."""


_request: ContextVar[str | None] = ContextVar("traceparent of the request", default=None)


def in_no_request() -> None:
    """What is started from here on belongs to no request: one may have left its own behind."""
    _request.set(None)


@contextmanager
def in_request(span: Span) -> Iterator[None]:
    """What is started in here belongs to this request. The span ends with it."""
    before = _request.set(span.traceparent)
    try:
        yield
    finally:
        _request.reset(before)


@contextmanager
def span_of(
    tracer: Tracer | None,
    name: str,
    kind: Kind,
    attributes: Attributes,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> Iterator[Span | None]:
    """A span around what is done in here; None without a tracer."""
    if tracer is None:
        yield None
        return
    span = tracer.begin(name, kind, attributes, parent=parent, links=links)
    try:
        yield span
    finally:
        span.end()


async def keep_parent(redis: ArqRedis, job_ids: Sequence[str]) -> None:
    """Let these jobs be in the trace of the request that starts them, if it has one."""
    parent = _request.get()
    if parent is None or not job_ids:
        return
    try:
        async with asyncio.timeout(_SECONDS), redis.pipeline(transaction=False) as together:
            for job_id in job_ids:
                together.set(_KEY.format(job_id), parent, ex=_KEPT_SECONDS)
            await together.execute()
    except (RedisError, OSError) as error:
        _log.warning("trace of jobs lost", jobs=len(job_ids), error=type(error).__name__)


async def parents_of(redis: ArqRedis, job_ids: Sequence[str]) -> dict[str, str]:
    """By job: the span of the request that started it, as far as that is known."""
    try:
        async with asyncio.timeout(_SECONDS):
            found = await redis.mget([_KEY.format(job_id) for job_id in job_ids])
    except (RedisError, OSError) as error:
        _log.warning("trace of jobs not found", jobs=len(job_ids), error=type(error).__name__)
        return {}
    return {job_id: parent.decode() for job_id, parent in zip(job_ids, found, strict=True) if parent is not None}
