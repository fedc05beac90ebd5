"""`auto-enrichment retention`: shows what is kept how long, and what would go."""

from dataclasses import replace
from typing import Annotated

import typer

from models.db.acting import across_organizations
from models.db.clock import machine_clock
from models.organization import organization_ids
from models.retention import KeepDays
from resolvers.retention import LEAST_JOB_DAYS, MOST_DAYS, Retained, instead, retained
from service.cli.common import read_settings, run
from service.runtime import open_database
from service.settings import Settings


def retention(
    decision_days: Annotated[
        int | None, typer.Option(min=1, max=MOST_DAYS, help="As if REPLAY_DAYS were this.")
    ] = None,
    job_days: Annotated[
        int | None, typer.Option(min=LEAST_JOB_DAYS, max=MOST_DAYS, help="As if RETENTION_JOB_DAYS were this.")
    ] = None,
    step_days: Annotated[
        int | None, typer.Option(min=LEAST_JOB_DAYS, max=MOST_DAYS, help="As if RETENTION_STEP_DAYS were this.")
    ] = None,
    answer_days: Annotated[
        int | None, typer.Option(min=1, max=MOST_DAYS, help="As if RETENTION_ANSWER_DAYS were this.")
    ] = None,
) -> None:
    """Show what is kept how long, and what of all organizations would go now; deletes nothing."""
    settings = read_settings()
    keep = instead(settings.keep_days(), decisions=decision_days, jobs=job_days, steps=step_days, answers=answer_days)
    for kept in run(lambda _: _all(settings, keep)):
        typer.echo(_line(kept))


async def _all(settings: Settings, keep: KeepDays) -> list[Retained]:
    """What would go of all organizations together."""
    async with open_database(settings):
        with across_organizations():
            return await _of_every_organization(keep)


async def _of_every_organization(keep: KeepDays) -> list[Retained]:
    now = machine_clock()
    found = await retained("", now, keep)  # of nobody: the kinds alone
    for organization_id in await organization_ids():
        more = await retained(organization_id, now, keep)
        found = [_both(*pair) for pair in zip(found, more, strict=True)]
    return found


def _both(one: Retained, other: Retained) -> Retained:
    return replace(
        one,
        goes=one.goes + other.goes,
        oldest=min((moment for moment in (one.oldest, other.oldest) if moment), default=None),
        newest=max((moment for moment in (one.newest, other.newest) if moment), default=None),
    )


def _line(kept: Retained) -> str:
    days = "for ever" if kept.keep_days is None else f"{kept.keep_days} days"
    span = (
        "" if kept.oldest is None or kept.newest is None else f" from {kept.oldest:%Y-%m-%d} to {kept.newest:%Y-%m-%d}"
    )
    return f"{kept.kind.value:<10} kept {days:<10} {kept.goes:>10,} would go{span}  # {kept.note}"
