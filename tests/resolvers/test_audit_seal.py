"""The seals of the audit log: what was written anew, removed or stripped shows, and keys are rotated."""

from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.audit import AuditEntry, AuditHead, lines_after
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.db.connection import dialect
from models.db.statements import execute, query
from models.db.transaction import unit_of_work
from resolvers.audit import AuditCheck, list_audit, record_audit, verify_audit
from resolvers.audit_seal import NO_SEALS, AuditSeals, derived_key, read_seal_keys
from resolvers.audit_walk import hash_of
from resolvers.config import update_config
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.context import Context
from resolvers.credit.api import grant_credits
from resolvers.erasure.api import erase_record
from resolvers.organizations import organization_of
from resolvers.paging import PageArgs
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.suppression.api import Values, suppress
from resolvers.undo.api import revert_undo, undo_job
from tests.support.factories import Clock, StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

OLD, NEW = b"o" * 32, b"n" * 32
OLD_ONLY = AuditSeals({"old": OLD})
ROTATED = AuditSeals({"new": NEW, "old": OLD})
NEW_ONLY = AuditSeals({"new": NEW})


@pytest.fixture
async def ctx(redis: ArqRedis) -> Context:
    made = context(services(redis))
    await organization_of("acme", made.services.registry, made.services.now())
    return made


async def write(ctx: Context, count: int, seals: AuditSeals) -> None:
    for _ in range(count):
        await unit_of_work(record_audit)(
            "acme",
            action="config.changed",
            subject="s",
            actor="ann",
            origin=None,
            now=ctx.services.now(),
            seals=seals,
        )


async def check(ctx: Context, seals: AuditSeals) -> AuditCheck:
    ctx.services.audit_seals = seals
    return await verify_audit(ctx)


async def unguarded(statement: str, *values: object) -> None:
    """What someone with the database in their hands could do."""
    if dialect() == "sqlite":
        await execute("DROP TRIGGER IF EXISTS audit_entry_no_update")
        await execute("DROP TRIGGER IF EXISTS audit_entry_no_delete")
    else:
        await execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
    await execute(statement, values)
    if dialect() != "sqlite":
        await execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_append_only")


async def write_anew(first: int = 1) -> None:
    """Change who did it in every line from this one on, and give all lines and the head their right hashes."""
    await unguarded(f"UPDATE audit_entry SET actor = 'eve' WHERE number >= {first}")
    previous = ""
    for line in await lines_after("acme", 0, 1000):
        again = replace(line, previous=previous)
        previous = hash_of(again)
        await unguarded(
            "UPDATE audit_entry SET previous = ?, hash = ? WHERE number = ?", again.previous, previous, line.number
        )
    await execute("UPDATE audit_head SET hash = ?", [previous])


async def test_lines_are_sealed_from_the_first_one_that_a_process_with_a_key_writes(ctx: Context) -> None:
    await write(ctx, 3, NO_SEALS)
    assert (await check(ctx, OLD_ONLY)).seal_note == "no line is sealed yet: the next one will be"
    await write(ctx, 2, OLD_ONLY)
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.sealed_from, checked.key_ids, checked.seals_hold) == (True, 4, ("old",), True)
    assert checked.seal_note == "sealed from line 4 on"
    lines = (await list_audit(ctx, AuditFilter(), PageArgs())).items
    assert [line.seal_key_id for line in lines] == ["old", "old", None, None, None]


async def test_without_a_key_all_is_as_before(ctx: Context) -> None:
    await write(ctx, 3, NO_SEALS)
    checked = await check(ctx, NO_SEALS)
    assert (checked.intact, checked.entries, checked.sealed_from, checked.seals_hold) == (True, 3, None, None)
    assert checked.seal_note == "no key is set: lines are not sealed"
    assert await query("SELECT * FROM audit_entry WHERE seal IS NOT NULL") == []


async def test_where_the_chain_breaks_before_the_first_seal_it_says_from_where_it_is_sealed(ctx: Context) -> None:
    await write(ctx, 3, NO_SEALS)
    await write(ctx, 2, OLD_ONLY)
    await unguarded("UPDATE audit_entry SET actor = 'eve' WHERE number = 2")
    checked = await check(ctx, OLD_ONLY)
    assert (checked.fault, checked.sealed_from, checked.seals_hold) == ("line 2 is not what was written", 4, False)
    assert checked.seal_note == "seals verified up to line 1 alone, since line 2 is not what was written"


@pytest.mark.parametrize("first", [1, 2, 5])
async def test_a_chain_written_anew_with_right_hashes_shows(ctx: Context, first: int) -> None:
    await write(ctx, 5, OLD_ONLY)
    await write_anew(first)
    assert (await check(ctx, NO_SEALS)).intact
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.seals_hold) == (False, False)
    assert checked.fault == f"the seal of line {first} is not what was written"


@pytest.mark.parametrize(
    ("stripping", "fault"),
    [
        ("number >= 3", "lines 3 to 5 are not sealed"),
        ("number = 5", "line 5 is not sealed"),
        ("number <= 2", "seals before line 3 were removed"),
        ("number = 2", "the seals of lines 2 to 2 were removed"),
    ],
)
async def test_stripped_seals_show(ctx: Context, stripping: str, fault: str) -> None:
    await write(ctx, 5, OLD_ONLY)
    await unguarded(f"UPDATE audit_entry SET seal = NULL, seal_key_id = NULL WHERE {stripping}")
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.seals_hold, checked.fault) == (False, False, fault)


async def test_a_stripped_end_still_shows_after_a_genuine_line(ctx: Context) -> None:
    await write(ctx, 5, OLD_ONLY)
    await unguarded("UPDATE audit_entry SET seal = NULL, seal_key_id = NULL WHERE number >= 3")
    await write_anew(3)
    await write(ctx, 1, OLD_ONLY)
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.seals_hold) == (True, False)
    assert checked.seal_note == "lines 3 to 5 are not sealed: a process without a key wrote them, or somebody else"


async def truncate() -> None:
    """Remove the last two lines, and let the head name the one before."""
    await unguarded("DELETE FROM audit_entry WHERE number > 3")
    [last] = await query("SELECT hash FROM audit_entry WHERE number = 3")
    await execute("UPDATE audit_head SET number = 3, hash = ?", [last["hash"]])


async def test_a_cut_end_shows_by_the_head(ctx: Context) -> None:
    await write(ctx, 5, OLD_ONLY)
    await truncate()
    assert (await check(ctx, NO_SEALS)).intact
    checked = await check(ctx, OLD_ONLY)
    assert checked.fault == "the head is not what was written: lines after 3 may be missing"


@pytest.mark.parametrize("key_id", ["old", "another"])
async def test_a_cut_end_still_shows_after_a_genuine_line(ctx: Context, key_id: str) -> None:
    await write(ctx, 5, OLD_ONLY)
    await truncate()
    await execute("UPDATE audit_head SET seal_key_id = ?", [key_id])
    await write(ctx, 1, OLD_ONLY)
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.fault) == (False, "lines before line 4 were removed")


async def test_a_head_without_its_seal_shows(ctx: Context) -> None:
    await write(ctx, 3, OLD_ONLY)
    await AuditHead.all().update(seal=None, seal_key_id=None)
    assert (await check(ctx, OLD_ONLY)).seals_hold is False
    await write(ctx, 1, OLD_ONLY)
    assert (await check(ctx, OLD_ONLY)).fault == "seals at line 4 were removed"


async def test_rotated_keys_verify_what_both_sealed(ctx: Context) -> None:
    await write(ctx, 2, OLD_ONLY)
    await write(ctx, 2, ROTATED)
    checked = await check(ctx, ROTATED)
    assert (checked.intact, checked.seals_hold, checked.key_ids) == (True, True, ("old", "new"))


async def test_a_missing_key_is_no_fault_and_is_named(ctx: Context) -> None:
    await write(ctx, 2, OLD_ONLY)
    await write(ctx, 2, NEW_ONLY)
    checked = await check(ctx, NEW_ONLY)
    assert (checked.intact, checked.seals_hold, checked.missing_key_ids) == (True, None, ("old",))
    assert checked.seal_note == "not to be verified without the key old"
    assert (await check(ctx, ROTATED)).seals_hold is True
    none = await check(ctx, NO_SEALS)
    assert (none.intact, none.seals_hold, none.sealed_from) == (True, None, 1)
    assert none.seal_note == "no key is set: lines are not sealed, seals not verified"


async def test_what_one_key_sealed_shows_a_fault_though_another_is_missing(ctx: Context) -> None:
    await write(ctx, 2, OLD_ONLY)
    await write(ctx, 2, NEW_ONLY)
    await write_anew(4)
    assert (await check(ctx, NEW_ONLY)).fault == "the seal of line 4 is not what was written"


async def test_lines_of_a_process_without_a_key_are_told_and_are_no_break(ctx: Context) -> None:
    """As while an older version still runs."""
    await write(ctx, 2, OLD_ONLY)
    await write(ctx, 2, NO_SEALS)
    assert (await check(ctx, OLD_ONLY)).fault == "lines 3 to 4 are not sealed"
    await write(ctx, 2, OLD_ONLY)
    checked = await check(ctx, OLD_ONLY)
    assert (checked.intact, checked.seals_hold) == (True, False)
    assert "lines 3 to 4" in checked.seal_note


async def test_a_seal_belongs_to_its_line_and_its_organization(ctx: Context) -> None:
    await write(ctx, 3, OLD_ONLY)
    [second] = await query("SELECT seal FROM audit_entry WHERE number = 2")
    await unguarded(f"UPDATE audit_entry SET seal = '{second['seal']}' WHERE number = 3")
    assert (await check(ctx, OLD_ONLY)).fault == "the seal of line 3 is not what was written"


async def test_the_seals_are_wide_enough_for_every_key_id(ctx: Context) -> None:
    key_id, key = derived_key(b"s" * 32)
    await write(ctx, 1, AuditSeals({key_id: key, "x" * 32: NEW}))
    await write(ctx, 1, AuditSeals({"x" * 32: NEW}))
    assert [line.seal_key_id for line in await AuditEntry.all().order_by("number")] == [key_id, "x" * 32]
    assert derived_key(b"t" * 32)[0] != key_id


def test_keys_are_read_and_refused_without_being_repeated() -> None:
    assert read_seal_keys(f"a:{'s' * 32}, b.2:{'t' * 32}") == {"a": b"s" * 32, "b.2": b"t" * 32}
    for given in ("a", "a:short", f"a b:{'s' * 32}", f"a:{'s' * 32},a:{'t' * 32}", f"a://{'s' * 32}", f":{'s' * 32}"):
        with pytest.raises(ValueError, match=r"key|secret") as refused:
            read_seal_keys(given)
        assert "sss" not in str(refused.value)
        assert "short" not in str(refused.value)


async def test_whatever_an_operation_notes_is_sealed(redis: ArqRedis) -> None:
    clock = Clock()
    knows = {"acme.com": {"city": "Oakland", "phone": "+16502530000"}}
    ctx = context(services(redis, StandIn(knows=knows), now=clock))
    ctx.services.audit_seals = OLD_ONLY
    await update_config(ctx, {"cooldownHours": 1})
    await pause_pipeline(ctx, reason="a test")
    await resume_pipeline(ctx)
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k1")
    await send(ctx, "account", "A-1", domain="acme.com", city="Berkeley")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, None)
    undo = await undo_job(ctx, conflict.job_id)
    await revert_undo(ctx, undo.id)
    await suppress(ctx, Values(emails=["joe@acme.com"]))
    await erase_record(ctx, EntityType.ACCOUNT, "A-1")
    lines = (await list_audit(ctx, AuditFilter(), PageArgs(first=50))).items
    assert {line.action.partition(".")[0] for line in lines} == {
        *("config", "pipeline", "credits", "conflict", "undo", "suppression", "record")
    }
    assert {line.seal_key_id for line in lines} == {"old"}
    checked = await verify_audit(ctx)
    assert (checked.intact, checked.sealed_from, checked.seals_hold) == (True, 1, True)
