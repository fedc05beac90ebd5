"""Texts that no database can hold are refused by the operations themselves, whatever carried them there."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, ResolutionAction
from models.conflict.queries import ConflictFilter
from models.conflict.table import Conflict
from models.job.queries import JobFilter
from models.record import Record
from models.record.page import RecordFilter
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.context import Context
from resolvers.credit.api import grant_credits
from resolvers.errors import ValidationFailed
from resolvers.job.api import list_jobs
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.pipeline import get_pipeline, pause_pipeline
from resolvers.record.api import get_record, history, list_records
from resolvers.validation import check_text
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

BAD = "a\0b"
ACCOUNT = EntityType.ACCOUNT
PAGE = PageArgs()


def records(**wanted: Any) -> Callable[[Context], Awaitable[Any]]:
    return lambda ctx: list_records(ctx, RecordFilter(**wanted), PAGE)


def conflicts(**wanted: Any) -> Callable[[Context], Awaitable[Any]]:
    return lambda ctx: list_conflicts(ctx, ConflictFilter(**wanted), PAGE)


def jobs(**wanted: Any) -> Callable[[Context], Awaitable[Any]]:
    return lambda ctx: list_jobs(ctx, JobFilter(**wanted), PAGE)


def selected(*external_ids: str) -> Callable[[Context], Awaitable[Any]]:
    return lambda ctx: enrich_records(ctx, RecordSelection(ACCOUNT, external_ids=external_ids))


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("reason", lambda ctx: pause_pipeline(ctx, reason=BAD)),
        ("note", lambda ctx: grant_credits(ctx, amount=1, note=BAD, idempotency_key="k")),
        ("externalId", lambda ctx: get_record(ctx, ACCOUNT, BAD)),
        ("search", records(search=BAD)),
        ("externalIds[1]", records(external_ids=("A1", BAD))),
        ("selection.externalIds[2]", selected("A1", "A2", BAD)),
        ("externalId", jobs(external_id=BAD)),
        ("recordId", jobs(record_id=BAD)),
        ("externalId", conflicts(external_id=BAD)),
        ("recordId", conflicts(record_id=BAD)),
        ("jobId", conflicts(job_id=BAD)),
        ("field", conflicts(field=BAD)),
        ("provider", conflicts(provider=BAD)),
    ],
)
async def test_a_nul_is_refused_by_its_path(
    redis: ArqRedis, path: str, run: Callable[[Context], Awaitable[Any]]
) -> None:
    ctx = context(services(redis))
    with pytest.raises(ValidationFailed) as refused:
        await run(ctx)
    assert [(fault.path, fault.message) for fault in refused.value.faults] == [(path, "holds a NUL character")]
    assert not (await get_pipeline(ctx)).paused


async def test_a_note_with_a_nul_decides_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Berlin"}}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    conflict = await Conflict.get()
    with pytest.raises(ValidationFailed) as refused:
        await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.KEEP_CURRENT, note=BAD))
    assert [fault.path for fault in refused.value.faults] == ["note"]
    assert (await Conflict.get()).resolved_at is None
    with pytest.raises(ValidationFailed):
        await history(ctx, await Record.get(), BAD, PAGE)


def test_a_text_is_bounded() -> None:
    assert check_text("x" * 5, "note", longest=5) == "x" * 5
    with pytest.raises(ValidationFailed) as refused:
        check_text("x" * 6, "note", longest=5)
    assert [(fault.path, fault.message) for fault in refused.value.faults] == [("note", "at most 5 characters")]
