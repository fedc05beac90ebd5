"""The proof of a ledger goes on from its last checkpoint: it finds what was changed since, a whole walk everything."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis

from models.credit import proof
from models.credit.checkpoint import find_checkpoint
from models.credit.proof_part import Part
from models.db.migrate import migrate
from models.db.statements import execute, query
from resolvers.audit_seal import NO_SEALS, AuditSeals
from resolvers.context import Context, Role
from resolvers.credit.api import grant_credits
from resolvers.credit.prove import PART_LINES, advance, settled_before
from resolvers.credit.verify import check_ledger, verify_ledger
from resolvers.errors import Forbidden
from tests.support.factories import Clock, context, services
from tests.support.filled import ORGANIZATION, fill
from tests.support.ledgers import charge, filled, unguarded
from tests.support.plans import scans, statements_read
from tests.support.seeds import seeds
from workers.upkeep.prove import prove_ledgers

SEALS = AuditSeals({"k": b"k" * 32})
OTHER = AuditSeals({"o": b"o" * 32})


async def prove(ctx: Context, clock: Clock) -> int:
    """Prove all that there is, once its time to settle is over."""
    clock.ahead_seconds += 3600
    return await prove_ledgers({"services": ctx.services})


@pytest.mark.usefixtures("db")
async def test_the_proof_goes_on_from_where_it_was_and_says_the_same(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    unproved = await verify_ledger(ctx)
    assert (unproved.whole, unproved.proved_at, unproved.unproved) == (True, None, unproved.entries)
    assert await prove(ctx, clock) == unproved.entries
    proved = await verify_ledger(ctx)
    assert (proved.whole, proved.adds_up, proved.unproved) == (False, True, 0)
    assert (proved.entries, proved.balance, proved.reserved) == (unproved.entries, unproved.balance, unproved.reserved)
    assert proved.proved_at is not None

    await charge(ctx, "A-0")
    since, whole = await verify_ledger(ctx), await verify_ledger(ctx, whole=True)
    assert since.unproved == since.entries - proved.entries > 0
    assert (since.entries, since.balance, since.reserved) == (whole.entries, whole.balance, whole.reserved)
    assert (since.faults, whole.faults, whole.whole) == ([], [], True)
    assert whole.proved_at == proved.proved_at
    assert (await verify_ledger(ctx)).whole_at is not None
    assert await prove(ctx, clock) == since.unproved
    assert (await verify_ledger(ctx)).unproved == 0


@pytest.mark.usefixtures("db")
async def test_the_youngest_lines_are_left_alone_since_others_may_be_on_their_way(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(services(redis, now=clock))
    await grant_credits(ctx, amount=5, note=None, idempotency_key="k1")
    assert await prove_ledgers({"services": ctx.services}) == 0
    assert await prove(ctx, clock) == 2  # with the month's


LINES = {  # what somebody may do to one line, by its kind
    "charge": [
        "amount = amount - 1, reserved_change = reserved_change - 1",
        "provider = 'other'",
        "job_id = NULL",
        "created_at = created_at - 86400000000",
    ],
    "reservation": ["reserved_change = reserved_change + 1", "provider = 'other'"],
    "grant": ["amount = amount + 1", "actor = 'eve'", "created_at = created_at + 86400000000"],
}
BESIDE = [  # and to what stands beside the lines of a job
    "UPDATE job SET credits_used = credits_used + 1 WHERE id = '{job}'",
    "UPDATE step SET credits_charged = credits_charged + 1 WHERE job_id = '{job}' AND provider = '{provider}'",
]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("seed", seeds(8))
async def test_of_whatever_is_changed_the_proof_finds_what_is_later_and_a_whole_walk_all(
    redis: ArqRedis, seed: int
) -> None:
    chance, clock = random.Random(seed), Clock()  # noqa: S311 # a play that can be played again
    ctx = await filled(redis, clock)
    for number in range(chance.randint(0, 3)):
        await _something(ctx, f"B-{number}", chance)
    assert await prove(ctx, clock) > 0
    checkpoint = await find_checkpoint("acme")
    assert checkpoint is not None
    for number in range(chance.randint(1, 4)):
        await _something(ctx, f"C-{number}", chance)
    assert (await verify_ledger(ctx)).faults == (await verify_ledger(ctx, whole=True)).faults == []

    line_id = await _tamper(chance, after=checkpoint.through_id if seed % 2 else "")
    since, whole = await verify_ledger(ctx), await verify_ledger(ctx, whole=True)
    assert not whole.adds_up
    if line_id > checkpoint.through_id:
        assert not since.adds_up, line_id
    else:
        assert since.unproved == since.entries - checkpoint.entries


async def _something(ctx: Context, name: str, chance: random.Random) -> None:
    if chance.random() < 0.3:
        await grant_credits(ctx, amount=chance.randint(1, 9), note=None, idempotency_key=name)
    else:
        await charge(ctx, f"A-{chance.randrange(3)}")


async def _tamper(chance: random.Random, *, after: str) -> str:
    """Change one of the lines after this one, or what stands beside it. Returns the line's id."""
    lines = await query(
        "SELECT id, kind, job_id, provider, actor FROM credit_entry WHERE id > ? AND kind <> 'release'", [after]
    )
    line = chance.choice([line for line in lines if line["kind"] != "grant" or line["actor"]])
    if line["kind"] == "charge" and chance.random() < 0.4:
        statement = chance.choice(BESIDE).format(job=line["job_id"], provider=line["provider"])
    elif chance.random() < 0.2 and line["kind"] != "reservation":
        statement = f"DELETE FROM credit_entry WHERE id = '{line['id']}'"
    else:
        statement = f"UPDATE credit_entry SET {chance.choice(LINES[line['kind']])} WHERE id = '{line['id']}'"
    await unguarded(statement)
    return str(line["id"])


@pytest.mark.usefixtures("db")
async def test_a_change_that_adds_up_is_found_among_what_was_proved_by_a_whole_walk_alone(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    await prove(ctx, clock)
    await unguarded("UPDATE credit_entry SET note = 'another' WHERE actor IS NOT NULL")
    assert (await check_ledger("acme")).adds_up
    assert (await verify_ledger(ctx)).adds_up
    [fault] = (await verify_ledger(ctx, whole=True)).faults
    assert "lines are not those that were proved on" in fault


@pytest.mark.usefixtures("db")
async def test_what_was_found_once_stays_until_a_whole_walk_finds_it_mended(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    await execute("UPDATE job SET credits_used = credits_used + 1")
    jobs = (await check_ledger("acme")).faults
    await prove(ctx, clock)
    assert (await verify_ledger(ctx)).faults == jobs != []
    await execute("UPDATE job SET credits_used = credits_used - 1")
    assert (await verify_ledger(ctx)).faults == jobs
    assert (await verify_ledger(ctx, whole=True)).faults == []
    assert (await verify_ledger(ctx)).faults == []


@pytest.mark.usefixtures("db")
async def test_a_job_that_ends_after_its_lines_were_proved_is_compared_with_them(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    await execute("UPDATE job SET status = 'failed', finished_at = ?", [1])  # as one that may go on
    await prove(ctx, clock)
    assert (await verify_ledger(ctx)).adds_up
    now = int(ctx.services.now().timestamp() * 1_000_000)
    await execute("UPDATE job SET status = 'completed', finished_at = ?, credits_used = credits_used + 1", [now])
    assert any("shows other credits" in fault for fault in (await verify_ledger(ctx)).faults)


@pytest.mark.usefixtures("db")
async def test_a_checkpoint_that_was_written_by_somebody_else_shows_and_is_not_gone_on_from(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    ctx.services.audit_seals = SEALS
    await prove(ctx, clock)
    assert (await verify_ledger(ctx)).whole is False
    await execute("UPDATE ledger_proof SET balance = balance + 10")
    forged = await verify_ledger(ctx)
    assert (forged.whole, forged.faults) == (True, ["how far the proof had got is not what was written"])
    await charge(ctx, "A-0")
    assert await prove(ctx, clock) == 0


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("made_with", [NO_SEALS, OTHER], ids=["no key", "a key that is gone"])
async def test_a_checkpoint_without_a_seal_of_a_key_that_is_there_is_made_anew(
    redis: ArqRedis, made_with: AuditSeals
) -> None:
    clock = Clock()
    ctx = await filled(redis, clock)
    ctx.services.audit_seals = made_with
    entries = await prove(ctx, clock)
    ctx.services.audit_seals = SEALS
    assert (await verify_ledger(ctx)).whole
    assert await prove(ctx, clock) == 0  # nothing that is unproved
    await grant_credits(ctx, amount=1, note=None, idempotency_key="more")
    assert await prove(ctx, clock) == entries + 1
    assert (await verify_ledger(ctx)).whole is False


@pytest.mark.usefixtures("db")
async def test_only_an_admin_may_ask(redis: ArqRedis) -> None:
    with pytest.raises(Forbidden):
        await verify_ledger(context(services(redis), role=Role.MANAGER), whole=True)


async def test_what_the_proof_costs_does_not_grow_with_the_past(new_database: str, redis: ArqRedis) -> None:
    await migrate()
    await fill(6 * PART_LINES)
    now = datetime.now(UTC) + timedelta(hours=1)
    assert settled_before(now) > "0"
    steps = 0
    while await advance(ORGANIZATION, now, NO_SEALS):
        steps += 1
    assert steps > 2
    ctx = context(services(redis), org=ORGANIZATION)
    with statements_read() as statements:
        check = await verify_ledger(ctx)
    assert (check.whole, check.unproved) == (False, 0)
    assert check.entries > PART_LINES
    found = {sql: await scans(sql, values) for sql, values in statements.items()}
    assert {sql: scanned for sql, scanned in found.items() if scanned} == {}


@pytest.mark.usefixtures("db")
async def test_a_charge_is_looked_at_again_with_what_is_released_of_it_later(redis: ArqRedis) -> None:
    ctx = await filled(redis, Clock())
    for line in ("'x1', 'reservation', 0, 3, NULL", "'x2', 'charge', -1, -1, 'x1'", "'x3', 'release', 0, -1, 'x2'"):
        await execute(
            "INSERT INTO credit_entry (id, kind, amount, reserved_change, settles, organization_id, created_at)"
            f" SELECT {line}, 'acme', created_at FROM organization"
        )
    released = Part("x2", "x3", ctx.services.now(), 0)
    assert await proof.wrong_settlements(None, "acme", released) == ["x2"]  # two of three should have been
