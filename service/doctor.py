"""What an operator should see to: settings, stores, workers, the queue, providers. Looks, and changes nothing."""

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from arq.connections import ArqRedis
from redis.exceptions import NoPermissionError, RedisError

from models.db.acting import across_organizations, is_bound
from models.db.clock import DatabaseClock
from models.db.health import UNUSABLE
from models.db.report import report
from models.job.queries import longest_waits
from models.provider_state import count_open_breakers
from service.embedded.private import DATABASE_FILE
from service.embedded.redis import recorded_socket, socket_url
from service.production import refuse_unsafe, remarks, unnamed_proxies
from service.provider_settings import unknown
from service.redis_pool import redis_at
from service.runtime import CannotStart, open_database
from service.settings import PREFIX, BadSettings, Settings
from workers import heartbeat

_FREE_BYTES = 2 * 1024**3
_CLOCK_SECONDS = 2.0
_WAIT_SECONDS = 900.0
_SESSIONS = 10


class Verdict(StrEnum):
    """`ok`, `warning`: it works and should not stay so, `fault`: it does not work."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what is to be said of it, and how bad it is."""

    subject: str
    verdict: Verdict
    words: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything that can be looked at, as it is found. A store that is out of reach ends nothing."""
    for finding in _settings(settings):
        yield finding
    async for finding in _database(settings):
        yield finding
    async for finding in _redis(settings):
        yield finding


def _settings(settings: Settings) -> Iterator[Finding]:
    found = 0
    try:
        refuse_unsafe(settings)
    except BadSettings as error:
        for fault in error.faults:
            found += 1
            yield Finding("settings", Verdict.FAULT, fault)
    useless = (f"{name} is not a setting and does nothing" for name in unknown(settings))
    for words in (*remarks(settings), *unnamed_proxies(settings), *useless):
        found += 1
        yield Finding("settings", Verdict.WARNING, words)
    if settings.production and settings.encryption_key is None:
        found += 1
        yield Finding("settings", Verdict.WARNING, f"{PREFIX}ENCRYPTION_KEY is not set: no organization can store keys")
    if not found:
        yield Finding("settings", Verdict.OK, f"nothing to say of them ({settings.environment})")
    if settings.database_url is None:
        free = shutil.disk_usage(_existing(settings)).free
        verdict = Verdict.OK if free > _FREE_BYTES else Verdict.WARNING
        yield Finding("disk", verdict, f"{free / 1024**3:.1f} GiB free for {settings.data_dir}")


def _existing(settings: Settings) -> str:
    path = settings.data_dir.absolute()
    return str(next(parent for parent in (path, *path.parents) if parent.exists()))


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    if settings.database_url is None and not (settings.data_dir / DATABASE_FILE).exists():
        yield Finding("database", Verdict.OK, f"none in {settings.data_dir} yet; `serve --embedded` makes one")
        return
    try:
        async with open_database(settings):
            found = await report()
            yield Finding("database", Verdict.OK, f"{found.version} answers")
            if found.pending:
                words = (
                    f"{len(found.pending)} migration(s) are missing, first {found.pending[0]}: auto-enrichment migrate"
                )
                yield Finding("schema", Verdict.FAULT, words)
                return
            waiting = (
                f"; {len(found.pending_after)} migration(s) wait for `migrate --after`" if found.pending_after else ""
            )
            yield Finding("schema", Verdict.OK, f"current{waiting}")
            if not found.searches_by_index:
                yield Finding(
                    "search", Verdict.WARNING, "no index for searches of texts (pg_trgm, FTS5): they read all"
                )
            if found.sessions_left is not None and found.sessions_left < _SESSIONS:
                yield Finding(
                    "sessions", Verdict.WARNING, f"{found.sessions_left} left of PostgreSQL's max_connections"
                )
            if found.unprotected is not None:
                yield _separation(found.unprotected, separated=found.separated)
            with across_organizations():
                findings = [finding async for finding in _work()]
            for finding in findings:
                yield finding
    except CannotStart as error:
        yield Finding("database", Verdict.FAULT, str(error))
    except UNUSABLE as error:
        yield Finding("database", Verdict.FAULT, f"cannot be read ({type(error).__name__})")


def _separation(unprotected: list[str], *, separated: bool) -> Finding:
    """Whether the API's role is bound by row-level security, and what lacks of that."""
    if not separated:
        words = "one role serves the API and the workers: auto-enrichment roles makes one for each"
        return Finding("roles", Verdict.WARNING, words)
    if unprotected:
        words = f"{len(unprotected)} table(s) have no policies, first {unprotected[0]}: auto-enrichment roles"
        return Finding("roles", Verdict.FAULT, words)
    whose = "this role sees one organization at a time" if is_bound() else "this role sees all organizations"
    return Finding("roles", Verdict.OK, f"the API and the workers have a role each; {whose}")


async def _work() -> AsyncIterator[Finding]:
    clock = DatabaseClock()
    await clock.read()
    off = (clock() - datetime.now(UTC)).total_seconds()
    if abs(off) > _CLOCK_SECONDS:
        yield Finding("clock", Verdict.WARNING, f"this machine's differs from the database's by {off:.0f} s")
    waits = await longest_waits(1)
    waited = (clock() - waits[0].oldest).total_seconds() if waits else 0.0
    words = f"the oldest waiting job has waited for {waited:.0f} s" if waits else "no job waits"
    yield Finding("queue", Verdict.OK if waited < _WAIT_SECONDS else Verdict.WARNING, words)
    for (provider, reason), organizations in sorted((await count_open_breakers()).items()):
        words = f"{provider} is not asked for {organizations} organization(s): {reason.replace('_', ' ')}"
        yield Finding("providers", Verdict.WARNING, words)


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    url = _redis_url(settings)
    if url is None:
        yield Finding("redis", Verdict.OK, "none runs for this data directory now; `serve --embedded` starts one")
        return
    client = redis_at(url, tries=0, access=settings.redis_access())
    try:
        yield await _redis_itself(client)
        workers = await heartbeat.alive(client)
        words = f"{workers} give signs of life" if workers else "none gives a sign of life: jobs wait"
        yield Finding("workers", Verdict.OK if workers else Verdict.FAULT, words)
    except (RedisError, OSError) as error:
        yield Finding("redis", Verdict.FAULT, f"does not answer ({type(error).__name__})")
    finally:
        await client.aclose(close_connection_pool=True)


async def _redis_itself(client: ArqRedis) -> Finding:
    try:
        about = await client.info()
    except NoPermissionError:
        await client.ping()
        words = "answers; its user may not call INFO, so look yourself that maxmemory-policy is noeviction"
        return Finding("redis", Verdict.OK, words)
    if (policy := about.get("maxmemory_policy", "noeviction")) != "noeviction":
        words = f"maxmemory-policy is {policy}: the queue may be lost; set noeviction"
        return Finding("redis", Verdict.FAULT, words)
    return Finding("redis", Verdict.OK, f"{about['redis_version']} answers")


def _redis_url(settings: Settings) -> str | None:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    socket = recorded_socket(settings.data_dir)
    return None if socket is None else socket_url(socket)
