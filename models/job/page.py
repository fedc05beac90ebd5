"""Pages of the jobs that a filter lets through, by when they were created or by when they ended."""

from dataclasses import replace

from enrichment.enums import ACTIVE_STATUSES, JobStatus
from models.db.columns import EPOCH, first_id_of, to_micros
from models.db.ordered import named_where_few, ordered_page
from models.db.paging import Keyset, Page
from models.db.printed import Printed
from models.db.wanted import EVERYTHING, Wanted
from models.db.where import NOTHING, Where, where
from models.job.kinds import every_kind, newest_of_kinds
from models.job.queries import JobFilter
from models.job.row import Job
from models.job.shown import JOBS, ShownJob
from models.record.related import CLOCKS_DIFFER, FAR_AHEAD, created_between

_NEVER = 2**63 - 1  # later, and with a minus earlier, than any moment
_ENDED = tuple(status for status in JobStatus if status not in ACTIVE_STATUSES)


async def job_page(
    organization_id: str, filter: JobFilter, keyset: Keyset, wanted: Wanted | Printed = EVERYTHING
) -> Page[ShownJob]:
    """A page of the jobs that the filter lets through, in the order of the keyset.

    In the order of when they ended, those that have not come last, the newest of them first.
    """
    within = created_between(filter) + _ended_between(filter)
    kinds = every_kind(filter) if filter.names_kinds else filter
    every = where(Job, kinds.conditions()) + within
    if keyset.by is not None:
        return await _by_end(organization_id, filter, keyset, wanted, every)
    if filter.names_end:
        few = await named_where_few("job", organization_id, _ended_exactly(filter), "finished_at")
        if few.sql:
            return await JOBS.page(organization_id, every, keyset, wanted, found_by=every + few + keyset.bounds)
    return await JOBS.page(
        organization_id, every, keyset, wanted, found_by=_found(organization_id, filter, within, keyset)
    )


async def _by_end(
    organization_id: str, filter: JobFilter, keyset: Keyset, wanted: Wanted | Printed, every: Where
) -> Page[ShownJob]:
    within = _ended_exactly(filter) + created_between(filter)
    few = Where()
    if filter.created_before is not None:  # jobs end after they were created: a time before says nothing of the end
        few = await named_where_few("job", organization_id, where(Job, filter.times()), "created_at")

    def keyed(of: Keyset) -> Where:
        ended = _with_statuses(filter, _ENDED)
        if ended is None:
            return NOTHING
        if few.sql:
            return where(Job, ended.conditions()) + within + few + of.bounds
        return _found(organization_id, ended if filter.status else filter, within, of)

    def keyless(of: Keyset) -> Where:
        active = None if filter.names_end else _with_statuses(filter, tuple(ACTIVE_STATUSES))
        return NOTHING if active is None else _found(organization_id, active, created_between(filter), of)

    return await ordered_page(JOBS, organization_id, keyset, wanted, every=every, keyed=keyed, keyless=keyless)


def _found(organization_id: str, filter: JobFilter, within: Where, keyset: Keyset) -> Where:
    """The condition that a job is on the page of the filter's jobs for which `within` holds."""
    if filter.external_id is not None or filter.record_id is not None or not filter.names_kinds:
        return where(Job, filter.conditions()) + within + keyset.bounds
    return newest_of_kinds(organization_id, filter, within, keyset)


def _with_statuses(filter: JobFilter, statuses: tuple[JobStatus, ...]) -> JobFilter | None:
    """The same filter for these statuses alone; None where it lets none of them through."""
    wanted = tuple(status for status in statuses if not filter.status or status in filter.status)
    return replace(filter, status=wanted) if wanted else None


def _ended_exactly(filter: JobFilter) -> Where:
    """The condition of when a job has ended, by which an index by its end finds it: not before it was created."""
    bounds = Where()
    if filter.finished_after is not None:
        bounds += Where(" AND finished_at > ?", (to_micros(filter.finished_after),))
    if filter.created_after is not None:
        created = max(filter.created_after, EPOCH + CLOCKS_DIFFER)
        bounds += Where(" AND finished_at > ?", (to_micros(created - CLOCKS_DIFFER),))
    if filter.finished_before is not None:
        bounds += Where(" AND finished_at < ?", (to_micros(filter.finished_before),))
    return bounds


def _ended_between(filter: JobFilter) -> Where:
    """The same for who looks through the jobs in order of their creation.

    It is said so that the planner does not take an index of the jobs that have ended for it, which has another order.
    """
    bounds = Where()
    if filter.finished_after is not None:
        bounds += Where(f" AND COALESCE(finished_at, -{_NEVER}) > ?", (to_micros(filter.finished_after),))
    if filter.finished_before is not None:
        before = min(max(filter.finished_before, EPOCH), FAR_AHEAD)
        first_after = first_id_of(before + CLOCKS_DIFFER)
        bounds += Where(
            f" AND id < ? AND COALESCE(finished_at, {_NEVER}) < ?", (first_after, to_micros(filter.finished_before))
        )
    return bounds
