"""The daily counts are what the rows add up to, whatever has changed them, and cost the same after a long past."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.conflict.table import Conflict
from models.daily_count.raw import counted_from_rows
from models.daily_count.read import Tally, counted, counted_now, parts_of_days, tallied_by_day
from models.daily_count.table import DailyCount, Measure
from models.db import migrate as migrating
from models.db.connection import dialect
from models.db.migrate import migrate
from models.db.migration_file import shipped_files
from models.db.period import Period
from models.db.statements import execute
from models.job import Job
from models.record import Record
from models.stats import percentile
from providers.api import Answer, Pending, ProviderError, Question
from resolvers.conflict.api import resolve_conflict
from resolvers.context import Services
from resolvers.credit.api import grant_credits
from resolvers.erasure.api import erase_record
from resolvers.job.api import cancel_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.undo.api import undo_job
from tests.support.daily_counts import EVERY_COLUMN, OF_DAYS, assert_counted_as_rows, tally
from tests.support.factories import Clock, StandIn, context, job_of, send, services, work
from workers.upkeep.merge_counts import merge_daily_counts

DAY = 86_400.0
SHIPPED = Path(migrating.__file__).parent.parent / "migrations"
BEFORE = "0022"


class Stating(StandIn):
    """Says of each match what it consumed."""

    async def _answer(self, question: Question) -> Answer | Pending:
        answer = await super()._answer(question)
        return replace(answer, stated=2.5) if isinstance(answer, Answer) and answer.matched else answer


async def a_busy_week(redis: ArqRedis) -> Services:
    """Jobs that end in all ways, on three days, with charges that bring something and some that bring nothing."""
    clock = Clock()
    paid = Stating("paid", knows={"acme.com": {"city": "Oakland", "industry": "Robotics"}, "b.com": {}}, price=3)
    flaky = StandIn(
        "flaky",
        fails=[ProviderError("unavailable", "gone", retryable=True)] * 2,
        knows={"acme.com": {"city": "Berlin"}},
    )
    shared = services(redis, flaky, paid, now=clock)
    ctx = context(shared)
    first = await send(ctx, "account", "A", domain="acme.com", city="Lyon")
    await send(ctx, "account", "B", domain="b.com")
    await send(ctx, "account", "F", domain="acme.com", city="Paris")
    await send(ctx, "contact", "C", email="ann@acme.com", firstName="Ann")
    await send(context(shared, org="other"), "account", "A", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += 2 * DAY
    await work(shared)
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    await grant_credits(ctx, amount=7, note=None, idempotency_key="k")
    clock.ahead_seconds += 2 * DAY
    await resolve_conflict(ctx, (await Conflict.filter(organization_id="acme", status="open").first()).id, None)  # type: ignore[union-attr] # there is one
    await undo_job(ctx, (await job_of(first)).id)
    waiting = await send(ctx, "account", "D", domain="acme.com")
    await cancel_job(ctx, (await job_of(waiting)).id)
    await send(ctx, "account", "E", domain="e.com")
    return shared


async def test_the_daily_counts_are_what_the_rows_add_up_to(db: str, redis: ArqRedis) -> None:
    await a_busy_week(redis)
    kinds = {row.measure for row in await counted(Period("acme"), list(Measure), [])}
    assert kinds == {*Measure}
    for organization_id in ("acme", "other"):
        await assert_counted_as_rows(organization_id)
        assert (
            await counted_now(organization_id, Measure.RECORD)
            == await Record.filter(organization_id=organization_id).count()
        )
        assert (
            await counted_now(organization_id, Measure.CONFLICT_OPEN)
            == await Conflict.filter(organization_id=organization_id, status="open").count()
        )


async def test_merging_changes_no_count(db: str, redis: ArqRedis) -> None:
    await a_busy_week(redis)
    before = tally(await counted(Period("acme"), list(Measure), EVERY_COLUMN))
    rows = await DailyCount.filter(is_merged=False).count()
    assert await merge_daily_counts({}) == rows
    assert (rows > 0) == (dialect() == "postgresql")
    assert await DailyCount.filter(is_merged=False).count() == 0
    assert tally(await counted(Period("acme"), list(Measure), EVERY_COLUMN)) == before
    await execute("UPDATE job SET status = 'failed' WHERE status = 'completed'")
    await merge_daily_counts({})
    await assert_counted_as_rows()


async def test_what_was_deleted_stays_counted_unless_it_was_to_be_done_still(db: str, redis: ArqRedis) -> None:
    shared = await a_busy_week(redis)
    ended = await Job.filter(organization_id="acme", finished_at__isnull=False).count()
    for external_id in ("A", "E"):
        await erase_record(context(shared), EntityType.ACCOUNT, external_id)
    by_status = {row.name: row.events for row in await counted(Period("acme"), [Measure.JOB], ["name"])}
    assert "pending" not in by_status
    assert sum(by_status.values()) == ended
    assert await counted_now("acme", Measure.RECORD) == 4
    assert (
        await counted_now("acme", Measure.CONFLICT_OPEN)
        == await Conflict.filter(organization_id="acme", status="open").count()
    )


async def test_a_period_takes_parts_of_days_from_their_rows(db: str, redis: ArqRedis) -> None:
    await a_busy_week(redis)
    moments = sorted({job.created_at for job in await Job.filter(organization_id="acme")})
    spans = [(None, None), (None, moments[-1]), (moments[1], None)]
    spans += [(start, end) for start in moments for end in moments if start < end]
    for start, end in spans:
        period = Period("acme", start, end)
        rows = await counted_from_rows(period, OF_DAYS)
        assert tally(await counted(period, OF_DAYS, EVERY_COLUMN)) == tally(rows)


def hours(*found: Period) -> list[tuple[float, float]]:
    return [
        ((part.start - MONDAY).total_seconds() / 3600, (part.end - MONDAY).total_seconds() / 3600)
        for part in found
        if part.start is not None and part.end is not None
    ]


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [(0, 24, []), (1, 24, [(1, 24)]), (0, 25, [(24, 25)]), (1, 2, [(1, 2)]), (23, 49, [(23, 24), (48, 49)]),
     (1, 25, [(1, 24), (24, 25)])],
)  # fmt: skip
def test_the_parts_of_days_are_what_midnights_leave_over(start: int, end: int, parts: list[tuple[int, int]]) -> None:
    period = Period("acme", MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end))
    assert hours(*parts_of_days(period)) == parts


async def test_figures_by_day_are_the_counts_of_each_day(db: str, redis: ArqRedis) -> None:
    await a_busy_week(redis)
    now = datetime.now(UTC)
    figures = [
        Tally(Measure.JOB),
        Tally(Measure.JOB, "cancelled"),
        Tally(Measure.JOB, column="credits"),
        Tally(Measure.FIELD_OUTCOME, "written"),
    ]
    for period in (
        Period("acme"),
        Period("acme", now - timedelta(hours=30), now + timedelta(hours=90)),
        Period("acme", now - timedelta(hours=1), now + timedelta(hours=1)),
    ):
        summed: dict[int, list[int]] = {}
        for row in await counted(period, [Measure.JOB, Measure.FIELD_OUTCOME], ["day", "name"]):
            sums = summed.setdefault(row.day, [0] * len(figures))
            summed[row.day] = [sum_ + figure.of(row) for sum_, figure in zip(sums, figures, strict=True)]
        found = await tallied_by_day(period, figures)
        assert {day: sums for day, sums in found.items() if any(sums)} == {
            day: sums for day, sums in summed.items() if any(sums)
        }
        assert found


async def test_a_period_may_begin_at_any_moment_there_is(db: str, redis: ArqRedis) -> None:
    await a_busy_week(redis)
    every = tally(await counted(Period("acme"), OF_DAYS, EVERY_COLUMN))
    for begin in ("0001-01-01", "1969-12-31", "1970-01-01"):
        period = Period("acme", datetime.fromisoformat(f"{begin}T00:00:00Z"))
        assert tally(await counted(period, OF_DAYS, EVERY_COLUMN)) == every
    for begin in ("00:00:00", "23:00:00", "23:59:59.999999"):
        period = Period("acme", datetime.fromisoformat(f"9999-12-31T{begin}Z"))
        assert await counted(period, OF_DAYS, EVERY_COLUMN) == []


async def test_latencies_are_counted_at_most_five_percent_off(db: str, redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Oakland"}}))
    job = await job_of(await send(context(shared), "account", "A", domain="acme.com"))
    for number, latency in enumerate(latencies := [0, 1, 63, 64, 99, 100, 517, 2_345, 61_234, 500_000, 2_000_000_000]):
        await execute(
            "INSERT INTO step (id, organization_id, job_id, position, provider, outcome, latency_ms, fields_found,"
            " candidates, asked_at) VALUES (?, 'acme', ?, 0, ?, 'match', ?, '[]', '[]', 1)",
            [f"s{number}", job.id, f"p{number:02}", latency],
        )
    rows = await counted(Period("acme"), [Measure.LATENCY], ["provider", "name"])
    shown = [int(row.name) for row in sorted(rows, key=lambda row: row.provider)]
    assert all(latency * 0.95 <= value <= latency for value, latency in zip(shown, latencies, strict=True))
    await assert_counted_as_rows()


@pytest.mark.parametrize(
    ("counts", "median", "high"),
    [({}, None, None), ({7: 1}, 7, 7), ({1: 50, 2: 50}, 1, 2), ({1: 95, 100: 5}, 1, 1), ({1: 94, 100: 6}, 1, 100)],
)
def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed(
    counts: dict[int, int], median: int | None, high: int | None
) -> None:
    assert (percentile(counts, 0.5), percentile(counts, 0.95)) == (median, high)


async def test_what_was_there_before_the_counts_is_counted_once(
    new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "BATCH_ROWS", 2)
    for file in shipped_files():
        if file.name[:4] <= BEFORE:
            shutil.copy(SHIPPED / file.name, tmp_path)
    await migrate(tmp_path)
    await execute("INSERT INTO organization (id, created_at, config, config_updated_at) VALUES ('acme', 1, '{}', 1)")
    for number in range(7):
        ids = f"r{number}", f"j{number}", f"c{number}", f"e{number}"
        at = int(number * DAY * 400_000)
        await execute(
            "INSERT INTO record (id, organization_id, entity_type, external_id, fields, received, created_at,"
            " updated_at) VALUES (?, 'acme', 'lead', ?, '{}', '{}', 1, 1)",
            [ids[0], ids[0]],
        )
        await execute(
            "INSERT INTO job (id, organization_id, record_id, entity_type, trigger_kind, status, fields_updated,"
            " outcomes, filled_before, filled_after, matched, credits_used, created_at, finished_at, updated_at)"
            " VALUES (?, 'acme', ?, 'lead', 'created', 'completed', '[\"city\"]',"
            ' \'[{"field": "city", "reason": "written"}]\', \'["email"]\', \'["email", "city"]\', TRUE, 2,'
            " ?, ?, 1)",
            [ids[1], ids[0], at, at],
        )
        await execute(
            "INSERT INTO step (id, organization_id, job_id, position, provider, outcome, latency_ms, credits_charged,"
            " fields_found, candidates, asked_at) VALUES (?, 'acme', ?, 0, 'apollo', 'match', 70, 2, '[]', '[]', 1)",
            [f"s{number}", ids[1]],
        )
        await execute(
            "INSERT INTO conflict (id, organization_id, record_id, job_id, entity_type, field, reason, status,"
            " candidates, resolution, created_at, updated_at, resolved_at)"
            " VALUES (?, 'acme', ?, ?, 'lead', 'city', 'existing_value', ?, '[]', ?, 1, 1, ?)",
            [ids[2], ids[0], ids[1], *(("open", None, None) if number % 2 else ("resolved", "{}", at))],
        )
        for entry in (
            [f"{ids[3]}r", "reservation", 0, 2, None],
            [f"{ids[3]}c", "charge", -2, -2, f"{ids[3]}r"],
        ):
            await execute(
                "INSERT INTO credit_entry (id, organization_id, kind, amount, reserved_change, settles, job_id,"
                " provider, entity_type, trigger_kind, created_at) VALUES (?, 'acme', ?, ?, ?, ?, ?, 'apollo', 'lead',"
                " 'created', ?)",
                [*entry, ids[1], at],
            )
        if number < 3:
            await execute(
                "INSERT INTO field_value (id, organization_id, record_id, field, value, source, confidence, job_id,"
                " observed_at, written_at) VALUES (?, 'acme', ?, 'city', '1', 'apollo', 1, ?, 1, 1)",
                [f"v{number}", ids[0], ids[1]],
            )
    await migrate()
    await assert_counted_as_rows()
    assert sum(row.credits for row in await counted(Period("acme"), [Measure.WASTED], [])) == 8
    assert await counted_now("acme", Measure.RECORD) == 7
    assert await counted_now("acme", Measure.CONFLICT_OPEN) == 3
    # An old row counts like a new one from then on.
    await execute("UPDATE job SET status = 'failed', credits_used = 5 WHERE id = 'j1'")
    await execute("UPDATE step SET credits_charged = 5 WHERE id = 's1'")
    await assert_counted_as_rows()
