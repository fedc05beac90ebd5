"""What enrichment achieved: jobs, match rate, fill rates, providers, reasons and conflicts of a period."""

from dataclasses import dataclass
from datetime import date, datetime

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus
from models.db.columns import from_micros, to_micros
from models.db.statements import json_items, query
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.organizations import organization_of

_DAY_MICROS = 86_400_000_000
_END_OF_TIME = 2**62
_ENDED = "('completed', 'partial', 'failed')"


@dataclass(frozen=True, slots=True)
class FieldFillRate:
    """The share (0-1) of jobs whose record had this field filled, before and after. `records` is how many jobs."""

    entity_type: EntityType
    field: str
    before: float
    after: float
    records: int


@dataclass(frozen=True, slots=True)
class ProviderStats:
    """How one provider did. Latencies in milliseconds, of the calls really made; credits charged."""

    provider: str
    asked: int
    matched: int
    no_match: int
    errors: int
    skipped: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits: int


@dataclass(frozen=True, slots=True)
class DayStats:
    """Jobs created on one day (UTC), how they ended, and what they wrote, found unchanged and cost."""

    day: date
    jobs: int
    completed: int
    failed: int
    fields_written: int
    fields_verified: int
    credits: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The jobs created in a period. Rates are 0 to 1 and None where nothing was counted.

    `match_rate`: jobs whose record some provider knew, of those where any was asked. The fill rates are over
    all enrichable fields. `field_outcomes` counts every wanted field of every ended job under one reason;
    `fields_verified` is one of these: values that a source saw again, unchanged.
    """

    records: int
    jobs_by_status: dict[JobStatus, int]
    match_rate: float | None
    fill_rate_before: float | None
    fill_rate_after: float | None
    fill_rates: list[FieldFillRate]
    providers: list[ProviderStats]
    field_outcomes: dict[FieldOutcomeReason, int]
    conflicts_open: int
    conflicts_resolved: int
    credits_used: int
    fields_verified: int
    by_day: list[DayStats]


@dataclass(frozen=True, slots=True)
class _Period:
    organization_id: str
    start: int
    end: int

    @property
    def values(self) -> list[str | int]:
        return [self.organization_id, self.start, self.end]


_JOBS = "job.organization_id = ? AND job.created_at >= ? AND job.created_at < ?"


async def get_stats(ctx: Context, start: datetime | None = None, end: datetime | None = None) -> Stats:
    """Statistics of the jobs created from `start` (inclusive) to `end` (exclusive); by default of all."""
    caller = ctx.require(Role.VIEWER)
    if start is not None and end is not None and start >= end:
        raise BadRequest("from must be before to", faults=[Fault("from", "must be before to")])
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    period = _Period(
        caller.organization_id,
        to_micros(start) if start else 0,
        to_micros(end) if end else _END_OF_TIME,
    )
    totals = (
        await query(
            "SELECT SUM(CASE WHEN matched IS NOT NULL THEN 1 ELSE 0 END) AS asked,"
            " SUM(CASE WHEN matched THEN 1 ELSE 0 END) AS matched, SUM(credits_used) AS credits"
            f" FROM job WHERE {_JOBS}",
            period.values,
        )
    )[0]
    rates = await _fill_rates(period)
    slots = sum(rate.records for rate in rates)
    outcomes = await _outcomes(period)
    asked = int(totals["asked"] or 0)
    return Stats(
        records=await _count("record", "organization_id = ?", [caller.organization_id]),
        jobs_by_status=await _by_status(period),
        match_rate=int(totals["matched"] or 0) / asked if asked else None,
        fill_rate_before=sum(rate.before * rate.records for rate in rates) / slots if slots else None,
        fill_rate_after=sum(rate.after * rate.records for rate in rates) / slots if slots else None,
        fill_rates=rates,
        providers=await _providers(period),
        field_outcomes=outcomes,
        conflicts_open=await _count("conflict", "organization_id = ? AND status = 'open'", [caller.organization_id]),
        conflicts_resolved=await _count(
            "conflict", "organization_id = ? AND resolved_at >= ? AND resolved_at < ?", period.values
        ),
        credits_used=int(totals["credits"] or 0),
        fields_verified=outcomes[FieldOutcomeReason.VERIFIED],
        by_day=await _by_day(period),
    )


async def _count(table: str, condition: str, values: list[str | int] | list[str]) -> int:
    found = await query(f"SELECT COUNT(*) AS counted FROM {table} WHERE {condition}", values)
    return int(found[0]["counted"])


async def _by_status(period: _Period) -> dict[JobStatus, int]:
    found = await query(f"SELECT status, COUNT(*) AS jobs FROM job WHERE {_JOBS} GROUP BY status", period.values)
    counted = {row["status"]: int(row["jobs"]) for row in found}
    return {status: counted.get(status.value, 0) for status in JobStatus}


async def _fill_rates(period: _Period) -> list[FieldFillRate]:
    ended = f"{_JOBS} AND job.status IN {_ENDED}"
    jobs = {
        row["entity_type"]: int(row["jobs"])
        for row in await query(
            f"SELECT entity_type, COUNT(*) AS jobs FROM job WHERE {ended} GROUP BY entity_type", period.values
        )
    }
    filled: dict[str, dict[tuple[str, str], int]] = {}
    for column in ("filled_before", "filled_after"):
        source, name = json_items(f"job.{column}")
        filled[column] = {
            (row["entity_type"], row["field"]): int(row["jobs"])
            for row in await query(
                f"SELECT entity_type, {name} AS field, COUNT(*) AS jobs FROM job, {source} WHERE {ended} GROUP BY 1, 2",
                period.values,
            )
        }
    return [
        FieldFillRate(
            entity_type,
            field.name,
            filled["filled_before"].get((entity_type.value, field.name), 0) / jobs[entity_type.value],
            filled["filled_after"].get((entity_type.value, field.name), 0) / jobs[entity_type.value],
            jobs[entity_type.value],
        )
        for entity_type in EntityType
        if jobs.get(entity_type.value)
        for field in fields_of(entity_type).values()
        if field.enrichable
    ]


async def _outcomes(period: _Period) -> dict[FieldOutcomeReason, int]:
    source, reason = json_items("job.outcomes", "reason")
    found = await query(
        f"SELECT {reason} AS reason, COUNT(*) AS fields FROM job, {source} WHERE {_JOBS}"
        " AND job.status NOT IN ('pending', 'in_progress') GROUP BY 1",
        period.values,
    )
    counted = {row["reason"]: int(row["fields"]) for row in found}
    return {reason: counted.get(reason.value, 0) for reason in FieldOutcomeReason}


async def _providers(period: _Period) -> list[ProviderStats]:
    latencies = {
        row["provider"]: row
        for row in await query(
            "SELECT provider, MIN(CASE WHEN place >= 0.5 THEN latency_ms END) AS p50,"
            " MIN(CASE WHEN place >= 0.95 THEN latency_ms END) AS p95 FROM"
            " (SELECT step.provider, step.latency_ms,"
            " CUME_DIST() OVER (PARTITION BY step.provider ORDER BY step.latency_ms) AS place"
            f" FROM step JOIN job ON job.id = step.job_id WHERE {_JOBS} AND step.latency_ms IS NOT NULL) AS ranked"
            " GROUP BY provider",
            period.values,
        )
    }
    found = await query(
        "SELECT step.provider AS provider, SUM(CASE WHEN step.outcome = 'match' THEN 1 ELSE 0 END) AS matched,"
        " SUM(CASE WHEN step.outcome = 'no_match' THEN 1 ELSE 0 END) AS no_match,"
        " SUM(CASE WHEN step.outcome = 'error' THEN 1 ELSE 0 END) AS errors,"
        " SUM(CASE WHEN step.outcome = 'skipped' THEN 1 ELSE 0 END) AS skipped,"
        f" SUM(step.credits_charged) AS credits FROM step JOIN job ON job.id = step.job_id WHERE {_JOBS}"
        " GROUP BY step.provider ORDER BY step.provider",
        period.values,
    )
    return [
        ProviderStats(
            provider=row["provider"],
            asked=int(row["matched"]) + int(row["no_match"]) + int(row["errors"]),
            matched=int(row["matched"]),
            no_match=int(row["no_match"]),
            errors=int(row["errors"]),
            skipped=int(row["skipped"]),
            latency_p50_ms=latencies[row["provider"]]["p50"] if row["provider"] in latencies else None,
            latency_p95_ms=latencies[row["provider"]]["p95"] if row["provider"] in latencies else None,
            credits=int(row["credits"]),
        )
        for row in found
    ]


async def _by_day(period: _Period) -> list[DayStats]:
    updated, _ = json_items("job.fields_updated")
    written = await _fields_by_day(period, updated, "TRUE")
    outcomes, reason = json_items("job.outcomes", "reason")
    ended = f"job.status IN {_ENDED} AND {reason} = '{FieldOutcomeReason.VERIFIED}'"
    verified = await _fields_by_day(period, outcomes, ended)
    found = await query(
        f"SELECT created_at / {_DAY_MICROS} AS day, COUNT(*) AS jobs,"
        " SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,"
        " SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,"
        f" SUM(credits_used) AS credits FROM job WHERE {_JOBS} GROUP BY 1 ORDER BY 1",
        period.values,
    )
    return [
        DayStats(
            day=from_micros(row["day"] * _DAY_MICROS).date(),
            jobs=int(row["jobs"]),
            completed=int(row["completed"]),
            failed=int(row["failed"]),
            fields_written=written.get(row["day"], 0),
            fields_verified=verified.get(row["day"], 0),
            credits=int(row["credits"]),
        )
        for row in found
    ]


async def _fields_by_day(period: _Period, items: str, condition: str) -> dict[int, int]:
    """How many of the items (see `json_items`) the jobs of each day have, by days since 1970."""
    found = await query(
        f"SELECT job.created_at / {_DAY_MICROS} AS day, COUNT(*) AS fields FROM job, {items}"
        f" WHERE {_JOBS} AND {condition} GROUP BY 1",
        period.values,
    )
    return {row["day"]: int(row["fields"]) for row in found}
