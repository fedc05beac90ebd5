"""Jobs that ended because a provider refused to answer, and that may run again since it is asked again."""

from datetime import datetime, timedelta

from models.db.columns import to_micros
from models.db.rows import fetch, query_row
from models.db.transaction import Transaction

REMEMBERED = timedelta(days=30)  # how long a job's end may be past
_REFUSED = (  # as the index `step_refused` has it
    "step.error_code IN ('bad_key', 'no_access', 'no_key', 'out_of_credits', 'circuit_open')"
)


@query_row
class AskedAgain:
    """A provider that an organization asks again since then, after it had been left alone or refused something."""

    organization_id: str
    provider: str
    since: datetime


@query_row
class RefusedJob:
    """The last job of a record, which a provider refused to answer."""

    id: str


async def refused_jobs(asked_again: AskedAgain, limit: int, *, using: Transaction | None = None) -> list[RefusedJob]:
    """Some jobs that ended for a refusal of the provider before it was asked again, the oldest first.

    Each is the last one of its record: what ran since is left alone. A refresh is taken up by the next refresh.
    """
    since = to_micros(asked_again.since)
    return await fetch(
        RefusedJob,
        "SELECT job.id FROM step JOIN job ON job.id = step.job_id"
        f" WHERE step.organization_id = ? AND step.provider = ? AND {_REFUSED}"
        " AND job.status IN ('failed', 'partial') AND job.trigger_kind <> 'scheduled_refresh'"
        " AND job.finished_at < ? AND job.finished_at >= ?"
        " AND NOT EXISTS (SELECT 1 FROM job AS later WHERE later.record_id = job.record_id AND later.id > job.id)"
        " ORDER BY job.id LIMIT ?",
        [asked_again.organization_id, asked_again.provider, since, to_micros(asked_again.since - REMEMBERED), limit],
        using=using,
    )
