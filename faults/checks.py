"""What must be true once a run is over, seen from outside: in the tables, at the provider, and by our own proofs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from faults.calls import CallCount, Line, UnseenCall, compare_calls
from faults.full_disk import FullDisk
from faults.load import OrganizationLoad
from faults.observer import LONGEST_LEFT_OVER_SECONDS, Observed
from resolvers.credit.settle import MAYBE_CHARGED

_OUR_FAULTS = ("worker_lost", "internal", "invalid_answer")  # the stand-ins do nothing that would explain these
_DOUBLED_VALUES = """SELECT record_id, field, source, count(*) AS times FROM field_value WHERE source <> 'crm'
  GROUP BY record_id, field, source, value::text HAVING count(*) > 1"""
_DOUBLED_CONFLICTS = """SELECT record_id, field, count(*) AS times FROM conflict WHERE status = 'open'
  GROUP BY record_id, field HAVING count(*) > 1
  UNION ALL SELECT record_id, field, count(*) FROM conflict GROUP BY record_id, field, job_id HAVING count(*) > 1"""


@dataclass(slots=True)
class Check:
    """One thing that must be true. It holds where there are no `faults`; `seen` says what was looked at."""

    name: str
    seen: str
    faults: list[str] = field(default_factory=list)


async def active_jobs(connection: "asyncpg.Connection[Any]") -> int:
    """How many jobs have not ended."""
    found: int = await connection.fetchval("SELECT count(*) FROM job WHERE status IN ('pending', 'in_progress')")
    return found


async def check_all(
    connection: "asyncpg.Connection[Any]",
    loads: Mapping[str, OrganizationLoad],
    observed: Observed,
    proofs: Mapping[str, Mapping[str, Any]],
    started: float,
) -> list[Check]:
    """Every check of a run. `proofs` are `Caller.proofs` by organization; `started` is the run's, monotonic."""
    jobs = {row["id"]: row for row in await connection.fetch("SELECT id, status, error_code FROM job")}
    calls = compare_calls(loads, await _lines(connection, loads), started)
    return [
        *_of_calls(calls, {str(call): await _known_of(connection, call) for call in calls.unseen}),
        _left_over(observed),
        _ended(loads, jobs),
        _failed(jobs),
        _once_active(observed),
        await _doubled(connection, "values doubled", _DOUBLED_VALUES),
        await _doubled(connection, "conflicts doubled", _DOUBLED_CONFLICTS),
        *_of_proofs(proofs),
    ]


def of_full_disk(seen: FullDisk) -> list[Check]:
    """What the service must say while PostgreSQL's disk is full."""
    return [
        Check("a full disk shows in readiness", f"{seen.unready} times", seen.ready),
        Check(
            "a write to a full disk is taken, or is told when to come back",
            f"{seen.written} taken, {seen.refused} refused",
            seen.wrong,
        ),
    ]


async def _lines(connection: "asyncpg.Connection[Any]", loads: Mapping[str, OrganizationLoad]) -> list[Line]:
    found = await connection.fetch(
        "SELECT organization_id, provider, record_id, kind, note FROM credit_entry WHERE kind IN ('charge', 'release')"
    )
    labels = {row["id"]: row["external_id"] for row in await connection.fetch("SELECT id, external_id FROM record")}
    for load in loads.values():
        labels |= load.acknowledged.records
    return [
        Line(
            row["organization_id"],
            row["provider"],
            labels.get(row["record_id"], row["record_id"]),
            charged=row["kind"] == "charge",
            maybe=row["kind"] == "release" and row["note"] == MAYBE_CHARGED,
        )
        for row in found
    ]


async def _known_of(connection: "asyncpg.Connection[Any]", call: UnseenCall) -> str:
    """What the service knows of an unseen call: the jobs of its record with their steps, and lines of the ledger."""
    record = "SELECT id FROM record WHERE organization_id = $1 AND external_id = $2"
    jobs = await connection.fetch(
        "SELECT j.status, j.fence, s.outcome, s.skipped_reason, s.error_code FROM job j LEFT JOIN step s"
        f" ON s.job_id = j.id AND s.provider = $3 WHERE j.record_id IN ({record}) ORDER BY j.id",
        *(call.organization, call.label, call.provider),
    )
    lines = await connection.fetch(
        f"SELECT kind, note FROM credit_entry WHERE record_id IN ({record}) AND provider = $3 ORDER BY id",
        *(call.organization, call.label, call.provider),
    )
    return f"jobs {[tuple(job) for job in jobs]}, ledger {[tuple(line) for line in lines]}"


def _of_calls(calls: CallCount, known: Mapping[str, str]) -> list[Check]:
    seen = f"provider {calls.counted}, ledger {calls.charged}, maybe charged {calls.maybe}"
    return [
        Check("every counted call is in a number", seen, [f"{call}: {known[str(call)]}" for call in calls.unseen]),
        Check("nothing is charged that was not served", seen, calls.unserved),
    ]


def _left_over(observed: Observed) -> Check:
    seen = f"{observed.looks} looks, {len(observed.left_over)} open without a call at the end"
    return Check(
        f"no reservation outlives its call by {LONGEST_LEFT_OVER_SECONDS:.0f} s", seen, list(observed.too_long.values())
    )


def _ended(loads: Mapping[str, OrganizationLoad], jobs: Mapping[str, Any]) -> Check:
    acknowledged = {job: label for load in loads.values() for job, label in load.acknowledged.jobs.items()}
    erased = {label for load in loads.values() for label in load.acknowledged.erased}
    faults = []
    for job, label in acknowledged.items():
        if job not in jobs:
            faults += [f"{label}: its job {job} is gone"] if label not in erased else []
        elif jobs[job]["status"] in {"pending", "in_progress"}:
            faults.append(f"{label}: its job {job} is {jobs[job]['status']}")
    return Check("every acknowledged job ended", f"{len(acknowledged)} acknowledged, {len(jobs)} jobs", faults)


def _failed(jobs: Mapping[str, Any]) -> Check:
    failed = {job: row for job, row in jobs.items() if row["status"] in {"failed", "partial"}}
    faults = [f"job {job}: {row['error_code']}" for job, row in failed.items() if row["error_code"] in _OUR_FAULTS]
    ends: dict[str, int] = {}
    for row in jobs.values():
        ends[row["status"]] = ends.get(row["status"], 0) + 1
    seen = ", ".join(f"{count} {status}" for status, count in sorted(ends.items()))
    return Check("no job failed by a fault of ours", seen, faults)


def _once_active(observed: Observed) -> Check:
    faults = [f"record {record}: {jobs} jobs" for record, jobs in observed.twice_active.items()]
    return Check("one active job a record at every moment", f"{observed.looks} looks", faults)


async def _doubled(connection: "asyncpg.Connection[Any]", name: str, statement: str) -> Check:
    found = await connection.fetch(statement)
    faults = [f"record {row['record_id']}: {row['field']} {row['times']} times" for row in found]
    return Check(f"no {name}", f"{len(found)} found", faults)


def _of_proofs(proofs: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    ledger = [
        f"{organization}: {fault}"
        for organization, proof in proofs.items()
        for fault in proof["verifyLedger"]["faults"] or ([] if proof["verifyLedger"]["addsUp"] else ["does not add up"])
    ]
    audit = [
        f"{organization}: {proof['verifyAudit']['fault']}"
        for organization, proof in proofs.items()
        if not proof["verifyAudit"]["intact"]
    ]
    held = [
        f"{organization}: {reserved} credits"
        for organization, proof in proofs.items()
        if (reserved := proof["credits"]["reserved"])
    ]
    shown = sum(part["charges"] for proof in proofs.values() for part in proof["credits"]["maybeCharged"])
    return [
        Check("verifyLedger finds nothing", f"{len(proofs)} organizations", ledger),
        Check("verifyAudit finds nothing", f"{len(proofs)} organizations", audit),
        Check("no credits are held any more", f"{shown} calls shown as maybe charged", held),
    ]
