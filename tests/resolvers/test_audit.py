"""The audit log: every change has its line, and a line that is gone or changed shows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis
from tortoise.exceptions import BaseORMException

from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.db.connection import dialect
from models.db.statements import execute
from models.db.transaction import unit_of_work
from resolvers.audit import list_audit, record_audit, verify_audit
from resolvers.audit_seal import NO_SEALS
from resolvers.config import update_config
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.context import Context, Role
from resolvers.credit.api import grant_credits
from resolvers.organizations import organization_of
from resolvers.paging import PageArgs, cursor_of
from resolvers.pipeline import pause_pipeline, resume_pipeline
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")


async def _lines(ctx: Context) -> list[tuple[int, str, str | None]]:
    page = await list_audit(ctx, AuditFilter(), PageArgs(first=200))
    return [(entry.number, entry.action, entry.actor) for entry in page.items]


async def _changes(ctx: Context) -> None:
    await update_config(ctx, {"cooldownHours": 1})
    await pause_pipeline(ctx, reason="a test")
    await resume_pipeline(ctx)
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k1")


async def test_each_change_has_one_line_and_a_repetition_none(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    ctx.origin = "rest 10.0.0.7"
    await _changes(ctx)
    await _changes(ctx)

    assert await _lines(ctx) == [
        (6, "pipeline.resumed", "ann"),
        (5, "pipeline.paused", "ann"),
        (4, "credits.granted", "ann"),
        (3, "pipeline.resumed", "ann"),
        (2, "pipeline.paused", "ann"),
        (1, "config.changed", "ann"),
    ]
    first = (await list_audit(ctx, AuditFilter(action="config"), PageArgs())).items[0]
    assert first.origin == "rest 10.0.0.7"
    assert first.details == {"changes": {"cooldownHours": {"from": 24, "to": 1}}}
    assert await _lines(context(ctx.services, org="other")) == []


async def test_a_review_has_its_line_without_the_value(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"phone": "+16502530000"}}))
    ctx = context(shared)
    await send(ctx, "account", "A-1", domain="acme.com", phone="+1 650 253 0001")
    await work(shared)
    conflict = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items[0]
    await resolve_conflict(ctx, conflict.id, None)
    await resolve_conflict(ctx, conflict.id, None)

    [entry] = (await list_audit(ctx, AuditFilter(action="conflict.resolved"), PageArgs())).items
    assert entry.subject == conflict.id
    assert entry.details == {"action": "accept_candidate", "field": "phone", "record": conflict.record_id}


async def test_the_log_is_read_in_pages_both_ways(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    first = await list_audit(ctx, AuditFilter(), PageArgs(first=3))
    assert ([entry.number for entry in first.items], first.has_next, await first.count()) == ([4, 3, 2], True, 4)
    rest = await list_audit(ctx, AuditFilter(), PageArgs(first=3, after=cursor_of(first.items[-1].id, first.of)))
    assert ([entry.number for entry in rest.items], rest.has_next) == ([1], False)
    back = await list_audit(ctx, AuditFilter(), PageArgs(last=2, before=cursor_of(rest.items[0].id, rest.of)))
    assert ([entry.number for entry in back.items], back.has_previous) == ([3, 2], True)


async def test_an_untouched_chain_is_intact_also_under_changes_at_once(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    await asyncio.gather(*(grant_credits(ctx, amount=1, note=None, idempotency_key=f"at once {n}") for n in range(8)))
    check = await verify_audit(
        ctx, number=1, head=(await list_audit(ctx, AuditFilter(), PageArgs(last=1))).items[0].hash
    )
    assert (check.intact, check.entries) == (True, 12)


async def test_lines_cannot_be_changed_or_removed(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    for statement in ("UPDATE audit_entry SET actor = 'eve'", "DELETE FROM audit_entry WHERE number = 4"):
        with pytest.raises(BaseORMException, match="append-only"):
            await execute(statement)


async def _unguarded(statement: str) -> None:
    """What someone with the database in their hands could do."""
    if dialect() == "sqlite":
        await execute("DROP TRIGGER IF EXISTS audit_entry_no_update")
        await execute("DROP TRIGGER IF EXISTS audit_entry_no_delete")
        await execute(statement)
        return
    await execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
    await execute(statement)
    await execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_append_only")


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("DELETE FROM audit_entry WHERE number = 2", "line 2 is missing"),
        ("DELETE FROM audit_entry WHERE number = 1", "line 1 is missing"),
        ("DELETE FROM audit_entry WHERE number = 4", "lines after 3 are missing"),
        ("DELETE FROM audit_entry", "lines after 0 are missing"),
        ("UPDATE audit_entry SET actor = 'eve' WHERE number = 3", "line 3 is not what was written"),
        ("UPDATE audit_entry SET details = '{}' WHERE number = 1", "line 1 is not what was written"),
    ],
)
async def test_a_chain_that_was_tampered_with_shows_where(redis: ArqRedis, tampering: str, fault: str) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    await _unguarded(tampering)
    assert (await verify_audit(ctx)).fault == fault


async def test_a_noted_head_shows_a_chain_that_was_written_anew(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    noted = await verify_audit(ctx)
    await _unguarded("DELETE FROM audit_entry")
    await execute("DELETE FROM audit_head")
    now = ctx.services.now()
    for _ in range(4):
        await unit_of_work(record_audit)(
            "acme", action="a.b", subject="s", actor="eve", origin=None, now=now, seals=NO_SEALS
        )
    assert (await verify_audit(ctx)).intact
    checked = await verify_audit(ctx, number=noted.entries, head=noted.head)
    assert checked.fault == "line 4 is another than the one that was noted"


async def test_a_viewer_may_read(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await _changes(ctx)
    assert len(await _lines(context(ctx.services, role=Role.VIEWER))) == 4


# What version 0.1.0 wrote: action, subject, actor, origin, details, and the hash of the line.
WRITTEN_BY_0_1_0: tuple[tuple[str, str, str | None, str | None, dict[str, Any] | None, str], ...] = (
    (
        "config.changed",
        "version 2",
        "ann",
        "rest 10.0.0.7",
        {"changes": {"cooldownHours": {"from": 24, "to": 1}, "minConfidence": {"from": 0.6, "to": 0.75}}},
        "ee12685c07e0c3374a7dadd5522e87c52596798ce578ef6ccf7c7e4dbec43778",
    ),
    (
        "conflict.resolved",
        "0195-Ünï",
        None,
        None,
        {"record": "r", "field": "phone", "n": None, "b": True},
        "01dfb2e428142665fe3581da7d1f3695115c5c1225bf65ef1ea17c22406bb68e",
    ),
    (
        "pipeline.paused",
        "pipeline",
        'bob "b"',
        "graphql ::1",
        None,
        "3448c12c98271fe470455fd1524e8e87076702362ac4db8ff956e5c965c4efc3",
    ),
)


async def test_a_line_has_the_hash_that_earlier_versions_gave_it(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await organization_of("acme", ctx.services.registry, ctx.services.now())
    first = datetime(2026, 3, 1, 12, 30, 0, 250, tzinfo=UTC)
    for second, (action, subject, actor, origin, details, _) in enumerate(WRITTEN_BY_0_1_0):
        now = first + timedelta(seconds=second)
        await unit_of_work(record_audit)(
            "acme", action=action, subject=subject, actor=actor, origin=origin, now=now, details=details, seals=NO_SEALS
        )
    lines = (await list_audit(ctx, AuditFilter(), PageArgs(last=3))).items
    assert [line.hash for line in reversed(lines)] == [line[-1] for line in WRITTEN_BY_0_1_0]
