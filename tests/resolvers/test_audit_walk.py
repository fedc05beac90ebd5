"""The proof of the audit log goes on from its last checkpoint, and shows the same as a walk along the whole of it."""

import pytest
from arq.connections import ArqRedis

from models.db.statements import execute, query
from models.db.transaction import unit_of_work
from resolvers.audit import record_audit, verify_audit
from resolvers.audit_seal import NO_SEALS, AuditSeals
from resolvers.context import Context
from resolvers.organizations import organization_of
from tests.support.factories import context, services
from tests.support.ledgers import unguarded
from tests.support.plans import statements_read
from workers.upkeep.prove import prove_audit_logs

pytestmark = pytest.mark.usefixtures("db")

SEALS = AuditSeals({"k": b"k" * 32})


@pytest.fixture
async def ctx(redis: ArqRedis) -> Context:
    made = context(services(redis))
    await organization_of("acme", made.services.registry, made.services.now())
    return made


async def write(ctx: Context, count: int, seals: AuditSeals | None = None) -> None:
    for _ in range(count):
        await unit_of_work(record_audit)(
            "acme",
            action="config.changed",
            subject="s",
            actor="ann",
            origin=None,
            now=ctx.services.now(),
            seals=ctx.services.audit_seals if seals is None else seals,
        )


async def prove(ctx: Context) -> int:
    return await prove_audit_logs({"services": ctx.services})


@pytest.mark.parametrize("seals", [NO_SEALS, SEALS], ids=["no key", "a key"])
async def test_it_goes_on_and_says_the_same_as_a_whole_walk(ctx: Context, seals: AuditSeals) -> None:
    await write(ctx, 3, NO_SEALS)
    ctx.services.audit_seals = seals
    await write(ctx, 4)
    assert (await verify_audit(ctx)).whole
    assert await prove(ctx) == 7
    await write(ctx, 2, NO_SEALS)
    await write(ctx, 1)
    whole = await verify_audit(ctx, whole=True)
    with statements_read() as statements:
        since = await verify_audit(ctx)
    assert (since.whole, since.proved_entries, since.entries, since.intact) == (False, 7, 10, True)
    for name in ("head", "sealed_from", "key_ids", "missing_key_ids", "seals_hold", "seal_note", "fault"):
        assert getattr(since, name) == getattr(whole, name), name
    walked = [values for sql, values in statements.items() if "FROM audit_entry" in sql and "number >" in sql]
    assert walked
    assert all(values[1] >= 6 for values in walked)  # from the last proved line on
    assert await prove(ctx) == 3
    assert await prove(ctx) == 0


@pytest.mark.parametrize("number", [2, 5, 6])
async def test_a_changed_line_is_found_where_it_is_later_and_by_a_whole_walk_anyhow(ctx: Context, number: int) -> None:
    await write(ctx, 5)
    assert await prove(ctx) == 5
    await write(ctx, 3)
    await unguarded(f"UPDATE audit_entry SET actor = 'eve' WHERE number = {number}")
    fault = f"line {number} is not what was written"
    assert (await verify_audit(ctx, whole=True)).fault == fault
    assert (await verify_audit(ctx)).fault == (fault if number >= 5 else None)
    assert await prove(ctx) == (3 if number < 5 else 0)


async def test_a_missing_line_is_found_where_the_proof_had_got_to(ctx: Context) -> None:
    await write(ctx, 5)
    await prove(ctx)
    await unguarded("DELETE FROM audit_entry WHERE number >= 5")
    assert (await verify_audit(ctx)).fault == "line 5 is missing"


async def test_a_line_that_was_noted_is_compared_though_it_was_proved(ctx: Context) -> None:
    await write(ctx, 3)
    noted = await verify_audit(ctx)
    await write(ctx, 2)
    await prove(ctx)
    assert (await verify_audit(ctx, number=3, head=noted.head)).intact
    found = await verify_audit(ctx, number=3, head="0" * 64)
    assert found.fault == "line 3 is another than the one that was noted"


async def test_a_checkpoint_that_somebody_else_wrote_shows(ctx: Context) -> None:
    ctx.services.audit_seals = SEALS
    await write(ctx, 3)
    await prove(ctx)
    [last] = await query("SELECT hash FROM audit_entry WHERE number = 2")
    await execute("UPDATE audit_proof SET number = 2, hash = ?", [last["hash"]])
    found = await verify_audit(ctx)
    assert (found.whole, found.fault) == (True, "how far the proof had got is not what was written")
    await write(ctx, 1)
    assert await prove(ctx) == 0


async def test_lines_that_a_key_can_tell_more_about_are_walked_again_once_it_is_there(ctx: Context) -> None:
    ctx.services.audit_seals = SEALS
    await write(ctx, 3)
    ctx.services.audit_seals = AuditSeals({"new": b"n" * 32})
    await prove(ctx)
    assert (await verify_audit(ctx)).whole is False
    ctx.services.audit_seals = AuditSeals({"new": b"n" * 32, "k": b"k" * 32})
    assert (await verify_audit(ctx)).whole
    await write(ctx, 1)
    assert await prove(ctx) == 4
    assert (await verify_audit(ctx)).seals_hold
