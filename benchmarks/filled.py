"""A database with many ended jobs, written by statements: each with its record, two steps and six values."""

from datetime import UTC, datetime
from typing import Any

from benchmarks.copied import add_copies, may_copy
from benchmarks.measurement import Measurement, Plan, Round
from models.db.columns import new_id, to_micros
from models.db.connection import close, connect, dialect
from models.db.migrate import migrate
from models.db.statements import dump, dump_rows, execute, query, rows

ORGANIZATION = "benchmark"
_AT_ONCE = 2_000
_SEED = 20_000  # jobs that are written one by one; what is above is made by copies of them
_FIELDS = ("name", "website", "industry", "numberOfEmployees", "city", "country")


async def measure(plan: Plan) -> list[Measurement]:
    """Fill the database that the parts share, so that none of them has to."""
    assert plan.database_url is not None
    await connect(plan.database_url)
    try:
        await migrate()
        await fill(plan.filled_jobs)
        [size] = await query("SELECT pg_database_size(current_database()) AS bytes")
    finally:
        await close()
    work = f"database of {plan.filled_jobs:,} jobs with two steps and six values"
    return [Measurement(work, "ours", "bytes a job", (Round(size["bytes"] / plan.filled_jobs),), ours=True)]


async def fill(jobs: int) -> None:
    """Add what is missing of this many jobs."""
    [there] = await query("SELECT COUNT(*) AS jobs FROM job")
    if there["jobs"] >= jobs:
        return
    moment = to_micros(datetime.now(UTC))
    if not there["jobs"]:
        await execute(
            "INSERT INTO organization (id, created_at, config, config_updated_at) VALUES (?, ?, ?, ?)",
            [ORGANIZATION, moment, "{}", moment],
        )
    written = there["jobs"]
    if dialect() == "postgresql" and jobs > _SEED and await may_copy():
        await _write(written, _SEED, moment)
        written = max(written, _SEED)
        if copies := jobs // written - 1:
            await add_copies(copies)
            written *= copies + 1
    await _write(written, jobs, moment)
    await execute("ANALYZE")


async def _write(first: int, last: int, moment: int) -> None:
    """Add the jobs with these numbers."""
    for start in range(first, last, _AT_ONCE):
        some = [_things(number, moment) for number in range(start, min(start + _AT_ONCE, last))]
        await _insert("record", [record for record, _, _, _ in some])
        await _insert("job", [job for _, job, _, _ in some])
        await _insert("step", [step for _, _, steps, _ in some for step in steps])
        await _insert("field_value", [value for _, _, _, values in some for value in values])


_Row = dict[str, Any]


def _things(number: int, moment: int) -> tuple[_Row, _Row, list[_Row], list[_Row]]:
    record_id, job_id = new_id(), new_id()
    fields = {name: f"{name} of {number}" for name in _FIELDS} | {"numberOfEmployees": number % 5_000}
    same: _Row = {"organization_id": ORGANIZATION}
    record = same | {
        "id": record_id,
        "entity_type": "account",
        "external_id": f"account-{number}",
        "fields": dump(fields),
        "received": dump(fields),
        "completeness": 0.5,
        "last_enriched_at": moment,
        "created_at": moment,
        "updated_at": moment,
    }
    outcomes = [
        {"field": name, "reason": "written", "provider": "directory", "confidence": 0.9, "detail": None}
        for name in _FIELDS
    ]
    job = same | {
        "id": job_id,
        "record_id": record_id,
        "entity_type": "account",
        "trigger_kind": "record_created",
        "status": "completed",
        "priority": 10,
        "attempts": 1,
        "progress": 100,
        "fields_updated": dump(list(_FIELDS)),
        "outcomes": dump(outcomes),
        "filled_before": dump([]),
        "filled_after": dump(list(_FIELDS)),
        "requested_by": "ann",
        "created_at": moment,
        "started_at": moment + 1_000,
        "finished_at": moment + 2_345_678,
        "updated_at": moment + 2_345_678,
    }
    candidates = [
        {"field": name, "value": fields[name], "confidence": 0.9, "observedAt": "2026-11-24T07:00:00Z"}
        for name in _FIELDS
    ]
    steps = [
        same
        | {
            "id": new_id(),
            "job_id": job_id,
            "position": position,
            "provider": provider,
            "outcome": "match",
            "detail": "matched by domain",
            "latency_ms": 2,
            "fields_found": dump(list(_FIELDS)),
            "candidates": dump(candidates),
            "asked_at": moment + 1_000,
        }
        for position, provider in enumerate(("directory", "registry"))
    ]
    values = [
        same
        | {
            "id": new_id(),
            "record_id": record_id,
            "field": name,
            "value": dump(fields[name]),
            "source": "directory",
            "confidence": 0.9,
            "job_id": job_id,
            "observed_at": moment,
            "written_at": moment,
        }
        for name in _FIELDS
    ]
    return record, job, steps, values


_JSON = {"fields", "received", "fields_updated", "outcomes", "filled_before", "filled_after", "value"} | {
    "fields_found",
    "candidates",
}


async def _insert(table: str, items: list[_Row]) -> None:
    kinds = {
        name: "json" if name in _JSON else {str: "text", float: "real"}.get(type(value), "integer")
        for name, value in items[0].items()
    }
    names = ", ".join(kinds)
    await execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows(kinds)}", [dump_rows(items)])
