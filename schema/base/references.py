"""Types that are referred to against the direction of imports: a record's jobs, and the conflicts that a job raised.

The modules of nouns import one way: a conflict knows its job, a job its record. The types of GraphQL refer to one
another in circles; a reference back is named here, and resolved when it is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import strawberry

from schema.base.context import Info
from schema.base.loaders import Asked
from schema.base.wanted import wanted_items

if TYPE_CHECKING:
    from schema.base.views import RowView
    from schema.conflict.conflict import Conflict
    from schema.job.job import Job
    from schema.record.record import Record

_JOB, _CONFLICT, _RECORD = "schema.job.job", "schema.conflict.conflict", "schema.record.record"

JobReference: TypeAlias = Annotated["Job", strawberry.lazy(_JOB)]
ConflictReference: TypeAlias = Annotated["Conflict", strawberry.lazy(_CONFLICT)]


RecordReference: TypeAlias = Annotated["Record", strawberry.lazy(_RECORD)]


async def job_of(info: Info, job_id: str | None) -> "Job | None":
    """The job of an id that stands beside it; None where there is none, or it is gone."""
    if job_id is None:
        return None
    view = job_view()
    row = await info.context.loaders.jobs_there.load(Asked(job_id, wanted_items(info, view)))
    return None if row is None else view(row)


async def record_of(info: Info, record_id: str | None) -> "Record | None":
    """The record of an id that stands beside it; None where there is none, or it is gone."""
    row = None if record_id is None else await info.context.loaders.records.load(record_id)
    return None if row is None else record_view()(row)


def record_view() -> "RowView[Any, Record]":
    return cast("RowView[Any, Record]", import_module(_RECORD).RECORD)


def job_view() -> "RowView[Any, Job]":
    return cast("RowView[Any, Job]", import_module(_JOB).JOB)


def conflict_view() -> "RowView[Any, Conflict]":
    return cast("RowView[Any, Conflict]", import_module(_CONFLICT).CONFLICT)
