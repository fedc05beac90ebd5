"""What tests are made of: services over the real stores, callers, and providers that answer as a test says."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from arq.connections import ArqRedis

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from models.job import Job
from providers.api import Answer, Finding, Pending, Provider, ProviderError, ProviderInfo, Question
from providers.registry import Registry
from resolvers.config import update_config
from resolvers.context import Caller, Context, Role, Services
from resolvers.events.subscriber import EventSubscriber
from resolvers.record.api import UpsertOutcome, upsert_records
from workers.settings import build_worker

ALL_FIELDS = {kind: frozenset(fields_of(kind)) for kind in EntityType}


@dataclass
class Clock:
    """A clock that tests move; it starts now and runs on its own otherwise."""

    ahead_seconds: float = 0.0

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead_seconds, UTC)


@dataclass
class StandIn:
    """A provider that answers by the record's name, e-mail or domain, and notes what it was asked.

    `knows` maps that key to fields (or `(value, confidence)` pairs); `fails` are errors to raise first, and
    `later` pending answers to give first.
    """

    id: str = "standin"
    knows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    price: int = 0
    extra_price: int = 0
    extra_for: frozenset[str] = frozenset()
    keeps_days: int = 0
    fails: list[ProviderError] = field(default_factory=list)
    later: list[Pending] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    remote: bool = False
    needs_key: bool = False
    has_key: bool = True
    delay_seconds: float = 0.0
    observed_at: datetime | None = None
    gives: Mapping[EntityType, frozenset[str]] = field(default_factory=lambda: ALL_FIELDS)
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    on_ask: Callable[[Question], Any] | None = None

    @property
    def info(self) -> ProviderInfo:
        return ProviderInfo(
            id=self.id,
            name=self.id.title(),
            gives=self.gives,
            needs="a name, an e-mail or a domain",
            price=self.price,
            extra_price=self.extra_price,
            extra_for=dict.fromkeys(EntityType, self.extra_for),
            answer_lifetime_days=self.keeps_days,
            remote=self.remote,
            needs_key=self.needs_key,
        )

    def input_key(self, question: Question) -> str | None:
        for name in ("domain", "companyDomain", "email", "name", "lastName"):
            if question.fields.get(name):
                return str(question.fields[name]).lower()
        return None

    def max_price(self, question: Question) -> int:
        return self.price + (self.extra_price if question.wanted & self.extra_for else 0)

    async def configured(self, organization_id: str) -> bool:
        return self.has_key or not self.needs_key

    async def poll(self, question: Question, token: str) -> Answer | Pending:
        self.polled.append(token)
        return await self._answer(question)

    async def ask(self, question: Question) -> Answer | Pending:
        key = self.input_key(question)
        assert key is not None  # who has no key is not asked
        self.asked.append(key)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.on_ask is not None:
                await self.on_ask(question)
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
        finally:
            self.running -= 1
        return await self._answer(question)

    async def _answer(self, question: Question) -> Answer | Pending:
        if self.fails:
            raise self.fails.pop(0)
        if self.later:
            return self.later.pop(0)
        known = self.knows.get(self.input_key(question) or "")
        if known is None:
            return Answer(matched=False, detail="not known")
        findings = tuple(self._finding(name, given) for name, given in known.items())
        return Answer(matched=True, findings=findings, extra=not self.extra_for.isdisjoint(known))

    def _finding(self, name: str, given: Any) -> Finding:
        value, confidence = given if isinstance(given, tuple) else (given, 0.9)
        return Finding(name, value, confidence, self.observed_at)


def services(redis: ArqRedis, *providers: Provider, now: Callable[[], datetime] | None = None) -> Services:
    """Services over the real stores, with these providers alone."""
    return Services(
        redis=redis,
        registry=Registry(providers),
        events=EventSubscriber(redis),
        now=now or Clock(),
        monthly_credit_grant=1000,
    )


def context(shared: Services, *, role: Role = Role.ADMIN, org: str = "acme", user: str = "ann") -> Context:
    return Context(shared, Caller(org, user, role))


async def send(ctx: Context, entity_type: str, external_id: str, **fields: Any) -> UpsertOutcome:
    """One record, as the CRM would send it."""
    record = {"entityType": entity_type, "externalId": external_id, "fields": fields}
    return (await upsert_records(ctx, [record]))[0]


async def configure(ctx: Context, **changes: Any) -> None:
    await update_config(ctx, changes)


async def work(shared: Services) -> None:
    """Run everything that is due, as an arq worker does, then stop."""
    worker = build_worker(shared, max_jobs=10, burst=True)
    try:
        await shared.redis.enqueue_job("enrich")
        await worker.async_run()
    finally:
        assert worker.on_shutdown is not None
        await worker.on_shutdown(worker.ctx)


async def job_of(outcome: UpsertOutcome) -> Job:
    """The job that an upsert started, as it is now."""
    assert outcome.job is not None
    return await Job.get(id=outcome.job.id).prefetch_related("record", "steps")
