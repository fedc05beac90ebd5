"""What a process opens at its start and closes at its end: stores, queue, providers, event subscription, worker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Self

import structlog
from arq.connections import ArqRedis

from models.db import connection
from models.db.acting import across_organizations, is_bound
from models.db.clock import DatabaseClock
from models.db.health import UNUSABLE
from models.db.migrate import migrate
from models.db.row_security import connect_by_role
from models.db.schema_state import SchemaRefused, require_current
from models.db.version import VERSION
from models.installation_choice import relies_on
from providers.http.client import HttpClient
from resolvers.context import Services
from resolvers.events.subscriber import EventSubscriber
from resolvers.revocation import is_revoked
from service.auth.tokens import Authenticator, build_authenticator
from service.embedded.data_dir import DataDirBusy, DataDirLock
from service.embedded.private import DATABASE_FILE, make_private
from service.embedded.redis import EmbeddedRedis, NoRedisServer, recorded_socket, socket_url
from service.embedded.supervisor import WorkerSupervisor, cancel_until_done
from service.http.metrics import Metrics
from service.limits.limits import Limits
from service.logs.logs import redact_text
from service.redis_pool import RedisOutOfReach, check_redis, redis_at
from service.settings import PREFIX, BadSettings, Settings
from service.settings_report import without_password
from service.sources import open_sources
from service.tracing import OpenTelemetry

API_TRIES = 3  # a caller waits for these
WORKER_TRIES = 10
CLOSE_SECONDS = 5.0  # for one part to close
PREPARE_SECONDS = 0.5  # after the start of a worker

_log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """Why the service cannot start, in one line for the operator."""


class Runtime:
    """The process's services from `open` to `close`; the API, a worker and the commands run on one each.

    `migrates` brings the schema up to date at the start; otherwise an old schema is refused.
    `shares` lets the process use embedded stores that another process has opened.
    """

    def __init__(
        self, settings: Settings, *, worker: bool = False, migrates: bool = False, shares: bool = False
    ) -> None:
        self.settings = settings
        self.metrics = Metrics(VERSION)
        self.tracer = OpenTelemetry(VERSION) if settings.tracing else None
        self.limits = Limits(settings, lambda: self.services.redis, self.metrics.rate_limited)
        self._with_worker = worker
        self._migrates = migrates
        self._shares = shares
        self._stack: AsyncExitStack | None = None
        self._services: Services | None = None
        self._authenticator: Authenticator | None = None
        self._worker: WorkerSupervisor | None = None
        self.redis_is_durable = True

    @property
    def services(self) -> Services:
        if self._services is None:
            raise RuntimeError("the runtime is not open")
        return self._services

    @property
    def authenticator(self) -> Authenticator:
        if self._authenticator is None:
            raise RuntimeError("the runtime is not open")
        return self._authenticator

    @property
    def is_open(self) -> bool:
        return self._services is not None

    async def open(self) -> None:
        """Open everything, or nothing. Raises CannotStart with a reason for the operator."""
        async with AsyncExitStack() as stack:
            try:
                await self._open(stack)
            except (DataDirBusy, BadSettings, SchemaRefused, connection.DatabaseUnsupported) as error:
                raise CannotStart(str(error)) from error
            except OSError as error:
                raise CannotStart(f"{error.filename or 'the service'}: {error.strerror or error}") from error
            self._stack = stack.pop_all()

    async def close(self) -> None:
        """Let what is in flight finish or go back to the queue, then close everything, last opened first."""
        stack, self._stack, self._services = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _open(self, stack: AsyncExitStack) -> None:
        if self.tracer is not None:
            stack.push_async_callback(self.tracer.close)
        redis_url = await self._open_redis_server(stack)
        await stack.enter_async_context(open_database(self.settings))
        if self._with_worker and is_bound():
            raise CannotStart(
                f"{PREFIX}DATABASE_URL: this role sees one organization at a time, and a worker works over all:"
                " give it the worker's role"
            )
        await self._bring_schema_up_to_date()
        self._authenticator = build_authenticator(self.settings, is_revoked)
        now = await _open_clock(stack)
        redis = await self._open_redis(stack, redis_url, tries=API_TRIES)
        # Until 0.2.0 PUBLIC_URL alone had phone numbers asked for, which cost more.
        with across_organizations():
            paid_callbacks = await relies_on("paid_callbacks", self.settings.public_url is not None, now())
        stack.push_async_callback(self.limits.close)
        sources = open_sources(self.settings, redis, paid_callbacks=paid_callbacks)
        stack.push_async_callback(sources.http_client.close)
        await sources.keys.retry_changed_keys(redis, now())
        events = EventSubscriber(redis)
        events.when_read = lambda at: self.metrics.event_read((now() - at).total_seconds())
        await events.start()
        stack.push_async_callback(_within, CLOSE_SECONDS, events.stop)
        self._services = Services(
            redis=redis,
            registry=sources.registry,
            events=events,
            now=now,
            monthly_credit_grant=self.settings.monthly_credit_grant,
            keep_days=self.settings.keep_days(),
            secret_box=sources.secret_box,
            audit_seals=self.settings.audit_seals(),
            shared_keys=sources.shared_keys,
            callback_urls=sources.callback_urls,
            webhooks=self.settings.webhook_rules(),
            tracer=self.tracer,
        )
        if self._with_worker:
            await self._open_worker(stack, self._services, redis_url)
            preparing = asyncio.create_task(_prepare_calls(sources.http_client), name="prepare calls")
            stack.push_async_callback(cancel_until_done, preparing)

    async def _open_redis_server(self, stack: AsyncExitStack) -> str | None:
        """The URL of the Redis to use, after starting the embedded one if need be. None: the stand-in."""
        settings = self.settings
        given = settings.redis_url.get_secret_value() if settings.redis_url else None
        if not uses_data_dir(settings) or (self._shares and given is not None):
            return given
        try:
            stack.enter_context(DataDirLock(settings.data_dir))
        except DataDirBusy:
            socket = recorded_socket(settings.data_dir)
            if not self._shares or socket is None:
                raise
            return socket_url(socket)
        if given is not None:
            return given
        redis = EmbeddedRedis(settings.data_dir, settings.redis_server)
        stack.push_async_callback(redis.stop)
        try:
            await redis.start()
        except NoRedisServer as error:
            self.redis_is_durable = False
            _log.warning(
                "NOT DURABLE: no Redis server runs here, a stand-in in this process takes its place; "
                "accepted records and jobs are safe in the database",
                reason=str(error),
            )
            return None
        return redis.url

    async def _bring_schema_up_to_date(self) -> None:
        if not self._migrates:
            await require_current()
        elif applied := await migrate():
            _log.info("schema brought up to date", applied=applied)

    async def _open_redis(self, stack: AsyncExitStack, url: str | None, *, tries: int) -> ArqRedis:
        redis = redis_at(url, tries=tries, access=self.settings.redis_access())
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        try:
            await check_redis(redis)
        except RedisOutOfReach as error:
            raise CannotStart(
                f"{PREFIX}REDIS_URL: no Redis answers at {without_password(url or '')} ({error})"
            ) from error
        return redis

    async def _open_worker(self, stack: AsyncExitStack, services: Services, redis_url: str | None) -> None:
        from workers.settings import build_worker  # noqa: PLC0415 -- a process without a worker needs none of it

        # A pool of its own: the worker waits for Redis to come back, where a caller is answered with an error.
        redis = await self._open_redis(stack, redis_url, tries=WORKER_TRIES)
        build = partial(build_worker, replace(services, redis=redis), max_jobs=self.settings.worker_concurrency)
        self._worker = WorkerSupervisor(build, grace_seconds=self.settings.shutdown_seconds)
        self._worker.start()
        stack.push_async_callback(self._worker.stop)


async def _open_clock(stack: AsyncExitStack) -> DatabaseClock:
    """The clock of all processes on the database, which is kept right until the stack closes."""
    clock = DatabaseClock()
    await clock.read()
    reading = asyncio.create_task(clock.read_for_ever(), name="clock")

    async def stop() -> None:
        reading.cancel()
        await asyncio.wait({reading})

    stack.push_async_callback(stop)
    return clock


async def _prepare_calls(client: HttpClient) -> None:
    """Have loaded what the first call to a provider needs, once the first answers of the process need no time."""
    await asyncio.sleep(PREPARE_SECONDS)
    await asyncio.to_thread(client.prepare)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[None]:
    """The process's database connection while the block runs. Raises CannotStart when it cannot be used."""
    url = database_url(settings)
    try:
        if settings.database_url is None:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_private(settings.data_dir / DATABASE_FILE)  # SQLite gives the files beside it the same mode
        await connect_by_role(url, pool=settings.database_pool, behind_pooler=settings.database_pooler)
    except UNUSABLE as error:
        await connection.close()
        where = f"{PREFIX}DATABASE_URL: the database at {without_password(url)}"
        raise CannotStart(f"{where} cannot be used: {_reason(error)}") from error
    try:
        yield
    finally:
        await connection.close()


def uses_data_dir(settings: Settings) -> bool:
    """Whether the database or Redis is one that lives in DATA_DIR."""
    return settings.database_url is None or settings.redis_url is None


def database_url(settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite://{(settings.data_dir / DATABASE_FILE).absolute()}"


async def _within(seconds: float, close: Callable[[], Awaitable[None]]) -> None:
    """Close one part, but let none keep the process from ending."""
    try:
        async with asyncio.timeout(seconds):
            await close()
    except TimeoutError:
        _log.warning("did not close in time", part=close.__qualname__)


def _reason(error: BaseException) -> str:
    """The innermost cause, in one line and without passwords."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = redact_text(str(error)).splitlines()
    return lines[0] if lines else type(error).__name__
