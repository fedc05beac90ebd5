"""Types that are referred to against the direction of imports: a record's jobs, and the conflicts that a job raised.

The modules of nouns import one way: a conflict knows its job, a job its record. The types of GraphQL refer to one
another in circles; a reference back is named here, and resolved when it is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import strawberry

if TYPE_CHECKING:
    from schema.base.views import RowView
    from schema.conflict.conflict import Conflict
    from schema.job.job import Job

_JOB, _CONFLICT = "schema.job.job", "schema.conflict.conflict"

JobReference: TypeAlias = Annotated["Job", strawberry.lazy(_JOB)]
ConflictReference: TypeAlias = Annotated["Conflict", strawberry.lazy(_CONFLICT)]


def job_view() -> "RowView[Any, Job]":
    return cast("RowView[Any, Job]", import_module(_JOB).JOB)


def conflict_view() -> "RowView[Any, Conflict]":
    return cast("RowView[Any, Conflict]", import_module(_CONFLICT).CONFLICT)
