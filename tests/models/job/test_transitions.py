"""A job's status changes by the named transitions alone, each from and to the states that the table gives it."""

import ast
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enrichment.config import Config
from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.columns import new_id, to_micros
from models.db.statements import execute, query
from models.db.transaction import unit_of_work
from models.job import Job, transitions
from models.job.ended_attempt import AttemptEnd
from models.job.leases import Lease, LeaseProgress, held_leases, lock_held, lock_states, make_due, renew
from models.job.queries import bring_forward, take_short_of_credits
from models.job.steps import add_credits
from models.job.transition_table import TRANSITIONS
from models.job.transitions import NewJob
from models.organization import Organization
from models.record import Record
from resolvers.job.new_job import new_job

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)  # every lease has run out, and everything is due
MACHINE = "models/job/transitions.py"  # the only file that sets a status

Operation = Callable[[Lease], Awaitable[object]]
Change = tuple[str, JobStatus, JobStatus]  # transition, from, to


def end(lease: Lease, status: JobStatus) -> AttemptEnd:
    waits = status is JobStatus.PENDING
    return AttemptEnd(
        id=lease.id,
        fence=lease.fence,
        status=status,
        attempts=1,
        progress=100,
        fields_updated=[],
        outcomes=[],
        filled_before=[],
        filled_after=[],
        matched=None,
        credits_used=0,
        short_of_credits=False,
        error_code=None,
        error_message=None,
        error_retryable=None,
        next_attempt_at=LATER if waits else None,
        finished_at=None if waits else NOW,
    )


async def again(lease: Lease) -> object:
    """Another job for the same record."""
    [row] = await query("SELECT record_id FROM job WHERE id = ?", [lease.id])
    return await unit_of_work(transitions.create)([a_job(row["record_id"])])


def ends(function: Callable[..., Awaitable[object]], status: JobStatus) -> Operation:
    return lambda lease: unit_of_work(function)([end(lease, status)], NOW)


# Every function that sets a status, by its transition; the ends with every status, also those that it must refuse.
OPERATIONS: list[tuple[str, Operation]] = [
    ("create", again),
    ("claim", lambda lease: transitions.claim("acme", LATER, 10)),
    *(("finish", ends(transitions.finish, status)) for status in JobStatus),
    *(("wait", ends(transitions.wait, status)) for status in JobStatus),
    ("release", lambda lease: transitions.release_leases([lease], NOW)),
    ("requeue_lost", lambda lease: unit_of_work(transitions.requeue_lost)(LATER)),
    ("cancel", lambda lease: transitions.cancel("acme", lease.id, NOW)),
    ("retry", lambda lease: transitions.retry("acme", lease.id, NOW, attempts=3)),
]
# Every other function that writes to jobs.
OTHERS: list[Operation] = [
    lambda lease: renew([LeaseProgress(lease.id, lease.fence, 50, "standin", [])], NOW, LATER),
    lambda lease: unit_of_work(lock_held)([lease]),
    lambda lease: held_leases([lease]),
    lambda lease: unit_of_work(lock_states)([lease.id]),
    lambda lease: unit_of_work(make_due)([lease.id], LATER),
    lambda lease: unit_of_work(take_short_of_credits)("acme", LATER, 10),
    lambda lease: credit_later(lease),
    lambda lease: prefer(lease),
]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "operation",
    [
        ends(transitions.finish, JobStatus.COMPLETED),
        ends(transitions.wait, JobStatus.PENDING),
        lambda lease: transitions.release_leases([lease], NOW),
        lambda lease: unit_of_work(transitions.requeue_lost)(LATER),
        lambda lease: transitions.cancel("acme", lease.id, NOW),
    ],
)
async def test_the_steps_so_far_go_with_the_attempt(operation: Operation) -> None:
    lease = await a_job_in(JobStatus.IN_PROGRESS)
    await renew([LeaseProgress(lease.id, lease.fence + 1, 50, "standin", [{"position": 1}])], NOW, NOW)
    assert (await Job.get(id=lease.id)).steps_so_far is None  # of a lease that is another's
    await renew([LeaseProgress(lease.id, lease.fence, 50, "standin", [{"position": 1}])], NOW, NOW)
    assert (await Job.get(id=lease.id)).steps_so_far == [{"position": 1}]
    await operation(lease)
    assert await Job.filter(status=JobStatus.IN_PROGRESS).count() == 0
    [row] = await query("SELECT steps_so_far FROM job WHERE id = ?", [lease.id])
    assert row["steps_so_far"] is None


async def credit_later(lease: Lease) -> None:
    await unit_of_work(add_credits)(lease.id, "standin", 2)


async def prefer(lease: Lease) -> None:
    [row] = await query("SELECT record_id FROM job WHERE id = ?", [lease.id])
    await unit_of_work(bring_forward)("acme", [row["record_id"]], NOW, priority=0, forced=True)


def a_job(record_id: str) -> NewJob:
    return new_job("acme", record_id, EntityType.LEAD, JobTrigger.MANUAL, Config(), NOW)


async def a_record() -> str:
    settings = {"config": {}, "config_updated_at": NOW, "created_at": NOW}
    await Organization.get_or_create(id="acme", defaults=settings)
    record = await Record.create(
        organization_id="acme",
        entity_type=EntityType.LEAD,
        external_id=new_id(),
        fields={},
        received={},
        search_text="",
        completeness=0.0,
        created_at=NOW,
        updated_at=NOW,
    )
    record_id: str = record.id
    return record_id


async def a_job_in(status: JobStatus, *, lost_before: bool = False) -> Lease:
    """A job in this state, and the lease that it was last claimed with."""
    job = a_job(await a_record())
    assert await unit_of_work(transitions.create)([job]) == {job.id}
    leased, due, ended = status is JobStatus.IN_PROGRESS, status is JobStatus.PENDING, status.is_final
    await execute(
        "UPDATE job SET status = ?, fence = 1, attempts = 1, times_lost = ?,"
        " lease_until = ?, next_attempt_at = ?, finished_at = ?"
        " WHERE id = ?",
        [
            status.value,
            transitions.MOST_LOST - 1 if lost_before else None,
            to_micros(NOW) if leased else None,
            to_micros(NOW) if due else None,
            to_micros(NOW) if ended else None,
            job.id,
        ],
    )
    return Lease(job.id, 1)


async def states() -> dict[str, JobStatus]:
    return {row["id"]: JobStatus(row["status"]) for row in await query("SELECT id, status FROM job")}


async def run(name: str, operation: Operation, lease: Lease) -> Iterator[Change]:
    """The changes of status that an operation makes, of whichever job."""
    before = await states()
    try:
        await operation(lease)
    except transitions.RecordHasActiveJob:
        assert name == "retry"
    after = await states()
    assert after.keys() >= before.keys()
    assert {after[job_id] for job_id in after.keys() - before.keys()} <= TRANSITIONS["create"].targets
    return iter([(name, before[i], after[i]) for i in before if before[i] is not after[i]])


@pytest.mark.usefixtures("db")
async def test_each_transition_starts_from_and_leads_to_just_the_states_of_the_table() -> None:
    changes: set[Change] = set()
    for status in JobStatus:
        for lost_before in (True, False):
            for name, operation in OPERATIONS:
                lease = await a_job_in(status, lost_before=lost_before)
                changes |= set(await run(name, operation, lease))
                await execute("DELETE FROM record")
    assert changes == {
        (name, source, target)
        for name, transition in TRANSITIONS.items()
        for source in transition.sources
        for target in transition.targets
    }


@pytest.mark.usefixtures("db")
async def test_nothing_else_that_is_written_to_a_job_changes_its_status() -> None:
    for status in JobStatus:
        for operation in OTHERS:
            lease = await a_job_in(status)
            assert list(await run("none", operation, lease)) == []
            await execute("DELETE FROM record")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_in_whatever_order_every_change_is_one_of_the_table(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- the order of a test
    for _ in range(3):
        await a_job_in(JobStatus.PENDING, lost_before=chance.random() < 0.5)
    for _ in range(80):
        job = chance.choice(await query("SELECT id, fence FROM job"))
        stale = chance.random() < 0.25
        lease = Lease(job["id"], job["fence"] - 1 if stale else job["fence"])
        name, operation = chance.choice([*OPERATIONS, *(("none", other) for other in OTHERS)])
        for change_name, source, target in await run(name, operation, lease):
            transition = TRANSITIONS[change_name]
            assert source in transition.sources
            assert target in transition.targets


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("name", ["finish", "wait", "release"])
async def test_a_stale_fence_changes_nothing(name: str) -> None:
    lease = await a_job_in(JobStatus.IN_PROGRESS)
    for other, operation in OPERATIONS:
        if other == name:
            assert list(await run(name, operation, replace(lease, fence=0))) == []


def test_the_picture_shows_the_table() -> None:
    drawn = re.findall(r"^ +(\S+) --> (\S+): (\w+)$", (ROOT / "docs/state-machine.md").read_text(), re.MULTILINE)
    assert sorted((name, source, target) for source, target, name in drawn) == sorted(
        (name, source, target)
        for name, transition in TRANSITIONS.items()
        for source in (transition.sources or ["[*]"])
        for target in transition.targets
    )


FOLDERS = ("models", "enrichment", "providers", "resolvers", "schema", "service", "workers", "benchmarks", "tools")
_SETS = re.compile(r"UPDATE\s+job\s+SET\s+(.*?)(?:\sWHERE\s|\sFROM\s|$)", re.IGNORECASE | re.DOTALL)
_WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "save"}


def texts(tree: ast.AST) -> Iterator[str]:
    """The strings of a module; what is put into an f-string shows as {}."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def sets_a_status(source: str) -> list[str]:
    """What in a module may set the status of a job."""
    if "job" not in source.lower():
        return []
    tree = ast.parse(source)
    found: list[str] = []
    for text in texts(tree):
        if re.search(r"INSERT\s+INTO\s+job\b", text, re.IGNORECASE):
            found.append(text)
        found += [text for part in _SETS.findall(text) if re.search(r"\bstatus\s*=|^\s*\{\}|,\s*\{\}\s*(,|$)", part)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        chain = ast.unparse(node.func)
        if name in _WRITES and re.match(r"(models\.|jobs?\.)?Job\.", chain, re.IGNORECASE):
            found.append(chain)
        called = ast.unparse(node)
        if name == "insert" and "@projection(Job)" in source:
            found.append(called)
    return found


def test_no_other_statement_of_the_code_sets_a_status() -> None:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    setting = {str(path.relative_to(ROOT)): sets_a_status(path.read_text()) for path in files}
    assert {path for path, found in setting.items() if found} == {MACHINE}


@pytest.mark.parametrize(
    "source",
    [
        "query(\"UPDATE job SET fence = 1, status = 'failed' WHERE id = ?\")",
        'query(f"UPDATE job SET {columns}, updated_at = ? FROM {rows} WHERE job.id = v.id")',
        'query("INSERT INTO job (id) VALUES (?)")',
        "@projection(Job)\nclass NewJob:\n    id: str\n\n\ninsert(tx, [NewJob('1')])",
        "Job.filter(id=1).update(status=JobStatus.FAILED)",
        "job.save()",
    ],
)
def test_a_statement_that_sets_a_status_is_seen(source: str) -> None:
    assert sets_a_status(source)
