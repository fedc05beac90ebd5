"""What may be forgotten, and what would go."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import retention as operations
from resolvers.retention import RetentionKind
from schema.base.context import Info
from schema.base.copied import copied

strawberry.enum(RetentionKind, description="What is kept for a time, or for ever.")


@strawberry.type(description="How long one kind of rows is kept, and what of it would go.")
class Retained:
    kind: RetentionKind
    keep_days: int | None = strawberry.field(description="Null: for ever.")
    goes: int = strawberry.field(description="How many rows would go now.")
    oldest: datetime | None = strawberry.field(description="When the oldest of them was written.")
    newest: datetime | None = strawberry.field(description="And the newest.")
    note: str = strawberry.field(description="What goes with them, or why they stay.")

    @classmethod
    def of(cls, view: operations.Retained) -> Self:
        return copied(cls, view)


@strawberry.type
class RetentionQuery:
    @strawberry.field(
        description="What is kept how long, and what of it would go now: by the settings REPLAY_DAYS,"
        " RETENTION_JOB_DAYS, RETENTION_STEP_DAYS and RETENTION_ANSWER_DAYS, or by other days that are given. Deletes"
        " nothing. Admins only."
    )
    async def retention(
        self,
        info: Info,
        decision_days: int | None = None,
        job_days: int | None = None,
        step_days: int | None = None,
        answer_days: int | None = None,
    ) -> list[Retained]:
        views = await operations.preview_retention(
            info.context,
            decision_days=decision_days,
            job_days=job_days,
            step_days=step_days,
            answer_days=answer_days,
        )
        return [Retained.of(view) for view in views]
