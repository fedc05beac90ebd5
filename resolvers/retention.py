"""What of an organization may be forgotten, and what would go: by the settings, or by others that somebody tries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models import retention as stored
from models.retention import Outdated
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault

LEAST_JOB_DAYS = 30
MOST_DAYS = 3650


class RetentionKind(StrEnum):
    """What is kept for a time, or for ever."""

    DECISIONS = "decisions"
    JOBS = "jobs"
    STEPS = "steps"
    VALUES = "values"
    CONFLICTS = "conflicts"
    LEDGER = "ledger"
    AUDIT = "audit"


NOTES = {
    RetentionKind.DECISIONS: "simulateConfig replays no decision that is gone, and a preview knows less of its record",
    RetentionKind.JOBS: "ended jobs that wrote nothing, raised no conflict and asked for no answer that is kept, but"
    " for the latest of each record; explain tells no more of what they were answered, and stats of a part of a day"
    " leave them out",
    RetentionKind.STEPS: "go with their jobs",
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
    ctx: Context, *, decision_days: int | None = None, job_days: int | None = None
) -> list[Retained]:
    """What would go of the caller's organization now, with these days in the place of the settings'.

    Deletes nothing. Raises BadRequest for days that cannot be set.
    """
    caller, services = ctx.require(Role.ADMIN), ctx.services
    for path, days, least in (("decisionDays", decision_days, 1), ("jobDays", job_days, LEAST_JOB_DAYS)):
        if days is not None and not least <= days <= MOST_DAYS:
            raise BadRequest(f"{path} must be {least} to {MOST_DAYS}", faults=[Fault(path, "out of range")])
    return await retained(
        caller.organization_id, services.now(), decision_days or services.replay_days, job_days or services.job_days
    )


async def retained(organization_id: str, now: datetime, decision_days: int, job_days: int | None) -> list[Retained]:
    """What would go of an organization by these days."""
    kept = [Retained(kind, None) for kind in RetentionKind]
    before = now - timedelta(days=decision_days)
    decisions = await stored.outdated_decisions(organization_id, before)
    kept[0] = _going(RetentionKind.DECISIONS, decision_days, decisions)
    if job_days is not None:
        before = now - timedelta(days=job_days)
        kept[1] = _going(RetentionKind.JOBS, job_days, await stored.outdated_jobs(organization_id, before))
        kept[2] = _going(RetentionKind.STEPS, job_days, await stored.outdated_steps(organization_id, before))
    return kept


def _going(kind: RetentionKind, days: int, found: Outdated) -> Retained:
    return Retained(kind, days, found.rows, found.oldest, found.newest)
