"""Loads the sample records, enriches them while showing how far it is, and sums up what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import structlog
import typer

from resolvers.context import Caller, Context, Role
from resolvers.credit.api import CreditUsage, get_credits
from resolvers.errors import OperationError
from resolvers.pipeline import get_pipeline
from resolvers.record.api import upsert_records
from resolvers.record.store import RecordOutcome
from resolvers.stats import Stats, get_stats
from service.cli.progress import progress
from service.runtime import Runtime
from service.sample.records import sample_records

SAMPLE_ORGANIZATION = "sample"
SAMPLE_PRICES = {"directory_archive": 1}  # so that the credit ledger is seen at work
BATCH = 200
LOOK_SECONDS = 0.1
STALLED_SECONDS = 60.0

_log = structlog.get_logger(__name__)


async def run_sample(runtime: Runtime) -> None:
    """Load, enrich and sum up. A fault is shown in one line; the service goes on either way."""
    ctx = Context(services=runtime.services, caller=Caller(SAMPLE_ORGANIZATION, "sample", Role.ADMIN))
    try:
        started_at = time.monotonic()
        outcomes = await _load(ctx)
        enriched = await _enrich(ctx)
        _show_outcome(outcomes, enriched, time.monotonic() - started_at)
        _show_summary(await get_stats(ctx), await get_credits(ctx))
    except OperationError as error:
        typer.echo(f"The sample could not be loaded: {error.message}", err=True)
    except Exception:
        _log.exception("sample run failed")
        typer.echo("The sample could not be loaded; the log says why.", err=True)


async def _load(ctx: Context) -> Counter[RecordOutcome]:
    """Send every sample record, in batches. How many were created, changed, unchanged and refused."""
    outcomes: Counter[RecordOutcome] = Counter()
    records = list(sample_records())
    with progress("Loading sample records", total=len(records)) as report:
        for start in range(0, len(records), BATCH):
            answered = await upsert_records(ctx, records[start : start + BATCH])
            outcomes.update(outcome.outcome for outcome in answered)
            report(outcomes.total(), len(records))
    return outcomes


async def _enrich(ctx: Context) -> int | None:
    """Wait until no job is left, showing how many are done. None: not all, as the pipeline stands still."""
    pipeline = await get_pipeline(ctx)
    total = left = pipeline.pending + pipeline.in_progress
    if not left:
        return 0
    moved_at = time.monotonic()
    with progress("Enriching", total=total) as report:
        while left and not pipeline.paused and time.monotonic() - moved_at < STALLED_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            pipeline = await get_pipeline(ctx)
            now_left = pipeline.pending + pipeline.in_progress
            if now_left != left:
                moved_at = time.monotonic()
            left = now_left
            report(total - left, total)
    return None if left else total


def _show_outcome(outcomes: Counter[RecordOutcome], enriched: int | None, seconds: float) -> None:
    created, changed = outcomes[RecordOutcome.CREATED], outcomes[RecordOutcome.CHANGED]
    if created or changed:
        typer.echo(
            f"Sample records: {created} new, {changed} changed, {outcomes[RecordOutcome.UNCHANGED]} as they were."
        )
    else:
        typer.echo(f"Sample records: all {outcomes.total()} are here already, nothing to load.")
    if enriched is None:
        typer.echo("Not all of them are enriched: the pipeline is paused, or waits to try again.")
    elif created or changed or enriched:
        typer.echo(f"Loaded and enriched in {seconds:.1f} s.")
    else:
        typer.echo("Nothing to enrich either.")


def _show_summary(stats: Stats, usage: CreditUsage) -> None:
    typer.echo("")
    for name, value in _summary(stats, usage):
        typer.echo(f"  {name:<20}{value}")


def _summary(stats: Stats, usage: CreditUsage) -> Iterator[tuple[str, str]]:
    yield "Records", f"{stats.records:,}"
    yield "Match rate", f"{_percent(stats.match_rate)}  (records that a provider knew)"
    yield "Fill rate", f"{_percent(stats.fill_rate_before)} before, {_percent(stats.fill_rate_after)} after"
    yield "Conflicts waiting", f"{stats.conflicts_open:,}"
    yield "Credits used", f"{usage.used:,}  ({usage.remaining:,} left this month)"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
