"""The pipeline: whether jobs are dispatched, and how many wait."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Self

import strawberry

from resolvers import pipeline as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.node import Node, id_of_organization
from schema.base.streams import closing


@strawberry.type(description="Whether the organization's jobs are dispatched.")
class Pipeline(Node):
    id: strawberry.ID = strawberry.field(
        resolver=id_of_organization("pipeline"), description="The organization's own; changes keep it."
    )
    paused: bool
    paused_at: datetime | None
    paused_by: str | None
    reason: str | None
    pending: int = strawberry.field(description="Jobs that wait.")
    in_progress: int = strawberry.field(description="Jobs that run.")
    oldest_pending_at: datetime | None

    @classmethod
    def of(cls, view: operations.PipelineView) -> Self:
        return copied(cls, view)


@strawberry.type
class PipelineQuery:
    @strawberry.field(description="The pipeline as it is now.")
    async def pipeline(self, info: Info) -> Pipeline:
        return Pipeline.of(await operations.get_pipeline(info.context))


@strawberry.type
class PipelineMutation:
    @strawberry.mutation(description="Start no more jobs until resumed; those that run end.")
    async def pause_pipeline(self, info: Info, reason: str | None = None) -> Pipeline:
        return Pipeline.of(await operations.pause_pipeline(info.context, reason=reason))

    @strawberry.mutation(description="Dispatch again; all that waited runs.")
    async def resume_pipeline(self, info: Info) -> Pipeline:
        return Pipeline.of(await operations.resume_pipeline(info.context))


@strawberry.type
class PipelineSubscription:
    @strawberry.subscription(
        description="The pipeline as it is now at once, then after every change. With `after`, a cursor of the log"
        " (`0`: the oldest that is kept), pauses and resumes after it come first, with theirs in `extensions.cursor`."
    )
    async def pipeline_changed(self, info: Info, after: str | None = None) -> AsyncIterator[Pipeline]:
        async with closing(operations.watch_pipeline(info.context, after=info.context.after(after))) as views:
            async for view, cursor in views:
                info.context.message.set(cursor)
                yield Pipeline.of(view)
