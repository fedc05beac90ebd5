"""Undo: what enrichment replaced comes back with its provenance, and what a person did since stays.

One file, because the tests share the record whose values are undone.
"""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.db.statements import query
from models.record import FieldValue
from models.undo import Undo
from resolvers.audit import list_audit, verify_audit
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.context import Context, Role, Services
from resolvers.errors import ConflictAlreadyResolved, Forbidden, JobNotUndoable, NotFound, ValidationFailed
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.record.api import get_record
from resolvers.undo.api import (
    preview_undo_job,
    revert_undo,
    undo_enrichment,
    undo_job,
    undo_lines,
)
from resolvers.undo.scope import UndoScope
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

KNOWN = {"acme.com": {"phone": "+16502530000", "city": "Oakland", "numberOfEmployees": 120}}


async def _fields(ctx: Context, external_id: str = "A-1") -> dict[str, Any]:
    return (await get_record(ctx, EntityType.ACCOUNT, external_id)).fields


async def _provenance(ctx: Context, name: str) -> list[tuple[Any, str, str | None, bool]]:
    """The current value of a field: value, source, job, whether an undo restored it."""
    record = await get_record(ctx, EntityType.ACCOUNT, "A-1")
    rows = await FieldValue.filter(record_id=record.id, field=name, replaced_at__isnull=True)
    return [(row.value, row.source, row.job_id, row.undo_id is not None) for row in rows]


async def _skipped(ctx: Context, undo: Undo) -> dict[str, str | None]:
    page = await undo_lines(ctx, undo.id, "skipped", PageArgs(first=200))
    return {line.field: line.reason for line in page.items}


async def _again(shared: Services, ctx: Context) -> str:
    """Enrich once more, by hand. The job's id."""
    outcome = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    return str(outcome.queued[0].id)


async def test_an_undone_job_leaves_the_record_as_it_was(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    sent = await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(shared)
    job = await job_of(sent)
    assert await _fields(ctx) == {"domain": "acme.com", **KNOWN["acme.com"]}

    undo = await undo_job(ctx, job.id)

    assert (undo.restored, undo.skipped, undo.status) == (3, 0, "done")
    assert await _fields(ctx) == {"domain": "acme.com", "city": "Berkeley"}
    assert await _provenance(ctx, "city") == [("Berkeley", "crm", None, True)]
    assert await _provenance(ctx, "phone") == []
    record = await get_record(ctx, EntityType.ACCOUNT, "A-1")
    assert record.version == 3


async def test_what_was_changed_since_is_left_and_listed(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    sent = await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")

    undo = await undo_job(ctx, (await job_of(sent)).id)

    assert (undo.restored, undo.skipped) == (2, 1)
    assert await _skipped(ctx, undo) == {"city": "changed_by_crm"}
    assert await _fields(ctx) == {"domain": "acme.com", "city": "Berkeley"}


async def test_a_second_undo_of_the_same_finds_nothing_left(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    await undo_job(ctx, job.id)
    again = await undo_job(ctx, job.id)
    assert again.restored == 0
    assert set((await _skipped(ctx, again)).values()) == {"already_undone"}


async def test_an_undo_is_reverted_and_the_revert_too(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    enriched = await _fields(ctx)
    first = await undo_job(ctx, job.id)
    empty = await _fields(ctx)

    second = await revert_undo(ctx, first.id)
    assert (second.restored, second.undoes) == (3, first.id)
    assert await _fields(ctx) == enriched
    assert await _provenance(ctx, "city") == [("Oakland", "standin", job.id, True)]
    third = await revert_undo(ctx, second.id)
    assert (third.restored, await _fields(ctx)) == (3, empty)
    fourth = await revert_undo(ctx, third.id)
    assert (fourth.restored, await _fields(ctx)) == (3, enriched)
    assert (await undo_job(ctx, job.id)).restored == 3
    assert await _fields(ctx) == empty


async def test_a_revert_leaves_what_a_person_did_in_between(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    first = await undo_job(ctx, job.id)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    second = await revert_undo(ctx, first.id)
    assert (second.restored, second.skipped) == (2, 1)
    assert (await _fields(ctx))["city"] == "Berkeley"


async def test_an_undone_value_is_not_written_again_by_the_same_source(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    undo = await undo_job(ctx, job.id)

    await _again(shared, ctx)
    assert await _fields(ctx) == {"domain": "acme.com"}
    await revert_undo(ctx, undo.id)
    await undo_job(ctx, job.id, allow_again=True)
    await _again(shared, ctx)
    assert (await _fields(ctx))["city"] == "Oakland"


async def test_a_chain_of_jobs_goes_back_to_before_the_first(redis: ArqRedis) -> None:
    clock = Clock()
    source = StandIn(knows={"acme.com": {"city": "Oakland"}})
    shared = services(redis, source, now=clock)
    ctx = context(shared)
    first = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    clock.ahead_seconds += 60
    source.knows = {"acme.com": {"city": "Fremont"}}
    second = await _again(shared, ctx)
    assert (await _fields(ctx))["city"] == "Fremont"

    early = await undo_job(ctx, first.id)
    assert await _skipped(ctx, early) == {"city": "changed_by_enrichment"}
    undo = await undo_enrichment(ctx, UndoScope(provider="standin"))
    assert (undo.restored, await _fields(ctx)) == (1, {"domain": "acme.com"})
    await revert_undo(ctx, undo.id)
    assert (await undo_job(ctx, second)).restored == 1
    assert (await _fields(ctx))["city"] == "Oakland"
    assert (await undo_job(ctx, first.id)).restored == 1
    assert await _fields(ctx) == {"domain": "acme.com"}


async def test_each_value_of_an_undone_chain_is_remembered(redis: ArqRedis) -> None:
    clock = Clock()
    source = StandIn(knows={"acme.com": {"city": "Oakland"}})
    shared = services(redis, source, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    for city in ("Fremont", "Berkeley"):
        clock.ahead_seconds += 60
        source.knows = {"acme.com": {"city": city}}
        await _again(shared, ctx)
    undo = await undo_enrichment(ctx, UndoScope(provider="standin"))
    revert = await revert_undo(ctx, undo.id)
    assert (await _fields(ctx))["city"] == "Berkeley"
    for _ in range(2):
        await revert_undo(ctx, revert.id)
        for city in ("Oakland", "Fremont", "Berkeley"):
            source.knows = {"acme.com": {"city": city}}
            await _again(shared, ctx)
            assert await _fields(ctx) == {"domain": "acme.com"}, city
        revert = await revert_undo(ctx, (await Undo.all().order_by("-id"))[0].id)
        assert (await _fields(ctx))["city"] == "Berkeley"
    source.knows = {"acme.com": {"city": "Fremont"}}
    await _again(shared, ctx)
    assert (await _fields(ctx))["city"] == "Fremont"


async def test_a_scope_names_a_field_a_time_or_a_selection(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows={**KNOWN, "beta.com": {"phone": "+16502530001", "city": "Reno"}}), now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 100
    between = shared.now()
    clock.ahead_seconds += 100
    await send(ctx, "account", "B-1", domain="beta.com")
    await work(shared)

    by_field = await undo_enrichment(ctx, UndoScope(field="city"))
    assert by_field.restored == 2
    await revert_undo(ctx, by_field.id)
    by_time = await undo_enrichment(ctx, UndoScope(start=between))
    assert (by_time.restored, await _fields(ctx, "B-1")) == (2, {"domain": "beta.com"})
    assert (await _fields(ctx))["city"] == "Oakland"
    chosen = RecordSelection(EntityType.ACCOUNT, external_ids=("A-1",))
    by_selection = await undo_enrichment(ctx, UndoScope(selection=chosen))
    assert (by_selection.restored, await _fields(ctx)) == (3, {"domain": "acme.com"})


async def test_what_a_reviewer_chose_is_not_undone(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Oakland", "phone": "+16502530000"}}))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley"))
    await work(shared)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, None)
    undo = await undo_job(ctx, job.id)
    assert (undo.restored, await _fields(ctx)) == (1, {"domain": "acme.com", "city": "Oakland"})


async def test_a_conflict_about_an_undone_value_is_superseded(redis: ArqRedis) -> None:
    source = StandIn(knows={"acme.com": {"city": "Oakland"}})
    shared = services(redis, source)
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"fields": {"city": "overwrite"}}})
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    source.knows = {"acme.com": {"city": ("Fremont", 0.4)}}
    await _again(shared, ctx)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await undo_job(ctx, job.id)
    assert (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items == []
    with pytest.raises(ConflictAlreadyResolved, match="the record has changed"):
        await resolve_conflict(ctx, conflict.id, None)


async def test_a_preview_says_what_would_happen_and_does_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    before = await _fields(ctx)
    tried = await preview_undo_job(ctx, job.id)
    assert (tried.restored, tried.skipped, await _fields(ctx), await Undo.all().count()) == (2, 1, before, 0)


async def test_every_undo_is_in_the_audit_log_without_values(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    undo = await undo_job(ctx, job.id)
    await revert_undo(ctx, undo.id)
    lines = (await list_audit(ctx, AuditFilter(action="undo"), PageArgs())).items
    assert [line.action for line in lines] == ["undo.done", "undo.started", "undo.done", "undo.started"]
    assert lines[3].details == {"kind": "job", "jobId": job.id, "withdraws": True}
    assert lines[2].details == {"restored": 3, "skipped": 0}
    assert (await verify_audit(ctx)).intact


async def test_another_organization_sees_and_undoes_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx, other = context(shared), context(shared, org="other")
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    await work(shared)
    with pytest.raises(NotFound):
        await undo_job(other, job.id)
    assert (await undo_enrichment(other, UndoScope(provider="standin"))).restored == 0
    undo = await undo_job(ctx, job.id)
    with pytest.raises(NotFound):
        await revert_undo(other, undo.id)


async def test_refusals_name_the_fault(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=KNOWN))
    ctx = context(shared)
    job = await job_of(await send(ctx, "account", "A-1", domain="acme.com"))
    with pytest.raises(JobNotUndoable, match="pending"):
        await undo_job(ctx, job.id)
    with pytest.raises(Forbidden):
        await undo_job(context(shared, role=Role.USER), job.id)
    for scope, path in [
        (UndoScope(), ""),
        (UndoScope(field="shoeSize"), "field"),
        (UndoScope(provider="crm"), "provider"),
        (UndoScope(start=shared.now(), end=shared.now().replace(year=2020)), "from"),
    ]:
        with pytest.raises(ValidationFailed) as refused:
            await undo_enrichment(ctx, scope)
        assert [fault.path for fault in refused.value.faults] == [path]
    assert await query("SELECT * FROM undo") == []
