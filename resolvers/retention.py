"""What of an organization may be forgotten, and what would go: by the settings, or by others that somebody tries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from models import retention as stored
from models.retention import KeepDays, OfEndedJobs, Outdated
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault

LEAST_JOB_DAYS = 30
MOST_DAYS = 3650


class RetentionKind(StrEnum):
    """What is kept for a time, or for ever."""

    DECISIONS = "decisions"
    JOBS = "jobs"
    STEPS = "steps"
    ANSWERS = "answers"
    VALUES = "values"
    CONFLICTS = "conflicts"
    LEDGER = "ledger"
    AUDIT = "audit"


NOTES = {
    RetentionKind.DECISIONS: "simulateConfig replays no decision that is gone, and a preview knows less of its record",
    RetentionKind.JOBS: "ended jobs that wrote nothing, raised no conflict and asked for no answer that is kept, but"
    " for the latest of each record; explain tells no more of what they were answered, and stats of a part of a day"
    " leave them out",
    RetentionKind.STEPS: "go with their jobs, or before them by days of their own, of the latest job of a record too;"
    " explain tells no more of what was answered",
    RetentionKind.ANSWERS: "whose own time is over, but for those of jobs that may be tried again; where answerDays is"
    " longer than that, the question is asked anew; a job to which nothing else refers may go afterwards",
    RetentionKind.VALUES: "stay as long as their record: undo, explain and history need them",
    RetentionKind.CONFLICTS: "stay as long as their record: a decision can be taken back",
    RetentionKind.LEDGER: "is never pruned: the balance is the sum of its lines",
    RetentionKind.AUDIT: "is never pruned: its chain shows what was changed",
}


@dataclass(frozen=True, slots=True)
class Retained:
    """How long one kind is kept (None: for ever), and how many of it would go now, from when to when."""

    kind: RetentionKind
    keep_days: int | None
    goes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    @property
    def note(self) -> str:
        """What goes with it, or why it stays, in plain words."""
        return NOTES[self.kind]


async def preview_retention(
    ctx: Context,
    *,
    decision_days: int | None = None,
    job_days: int | None = None,
    step_days: int | None = None,
    answer_days: int | None = None,
) -> list[Retained]:
    """What would go of the caller's organization now, with these days in the place of the settings'.

    Deletes nothing. Raises BadRequest for days that cannot be set.
    """
    caller, services = ctx.require(Role.ADMIN), ctx.services
    for path, days, least in (
        ("decisionDays", decision_days, 1),
        ("jobDays", job_days, LEAST_JOB_DAYS),
        ("stepDays", step_days, LEAST_JOB_DAYS),
        ("answerDays", answer_days, 1),
    ):
        if days is not None and not least <= days <= MOST_DAYS:
            raise BadRequest(f"{path} must be {least} to {MOST_DAYS}", faults=[Fault(path, "out of range")])
    keep = instead(services.keep_days, decisions=decision_days, jobs=job_days, steps=step_days, answers=answer_days)
    return await retained(caller.organization_id, services.now(), keep)


def instead(keep: KeepDays, **days: int | None) -> KeepDays:
    """The same, with those of these days that are given."""
    return replace(keep, **{name: each for name, each in days.items() if each is not None})


async def retained(organization_id: str, now: datetime, keep: KeepDays) -> list[Retained]:
    """What would go of an organization by these days."""
    going: dict[RetentionKind, Retained] = {}

    async def go(kind: RetentionKind, days: int | None, count: Callable[[datetime], Awaitable[Outdated]]) -> None:
        if days is not None:
            found = await count(now - timedelta(days=days))
            going[kind] = Retained(kind, days, found.rows, found.oldest, found.newest)

    await go(RetentionKind.DECISIONS, keep.decisions, partial(stored.outdated_decisions, organization_id))
    await go(RetentionKind.JOBS, keep.jobs, partial(stored.outdated_jobs, organization_id))
    alone = keep.steps is not None and (keep.jobs is None or keep.steps <= keep.jobs)
    of, step_days = (OfEndedJobs.STEPS, keep.steps) if alone else (OfEndedJobs.JOBS, keep.jobs)
    await go(RetentionKind.STEPS, step_days, partial(stored.outdated_steps, organization_id, of=of))
    await go(RetentionKind.ANSWERS, keep.answers, partial(stored.outdated_answers, organization_id))
    return [going.get(kind, Retained(kind, None)) for kind in RetentionKind]
