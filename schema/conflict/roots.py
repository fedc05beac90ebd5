"""What may be asked, done and watched about conflicts."""

from collections.abc import AsyncIterator

import strawberry

from resolvers.conflict import api as operations
from resolvers.conflict.take_back_many import undo_resolutions
from resolvers.conflict.watch import watch_conflicts
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.enums import ConflictOrder, EntityType
from schema.base.paging import Connection, page_args
from schema.base.streams import closing
from schema.base.wanted import wanted_items, wanted_nodes
from schema.conflict.bulk import ResolutionPreview, ResolveConflictsPayload, UndoResolutionsPayload
from schema.conflict.conflict import CONFLICT, Conflict
from schema.conflict.input import ConflictFilter, ResolutionInput


@strawberry.type
class ConflictQuery:
    @strawberry.field(
        description="The organization's conflicts; without a filter the open ones; newest first, or as `orderBy` says."
    )
    async def conflicts(
        self,
        info: Info,
        filter: ConflictFilter | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        order_by: ConflictOrder | None = ConflictOrder.CREATED_AT_DESC,
    ) -> Connection[Conflict]:
        wanted = filter or ConflictFilter()
        args = page_args(info, first, after, last, before)
        page = await operations.list_conflicts(
            info.context, wanted.read(), args, wanted_nodes(info, CONFLICT), order_by or ConflictOrder.CREATED_AT_DESC
        )
        return Connection[Conflict].of(page, CONFLICT)

    @strawberry.field(description="One conflict.")
    async def conflict(self, info: Info, id: strawberry.ID) -> Conflict:
        return CONFLICT(await operations.get_conflict(info.context, id, wanted_items(info, CONFLICT)))

    @strawberry.field(description="What `resolveMatchingConflicts` would do now.")
    async def preview_resolution(
        self, info: Info, filter: ConflictFilter, resolution: ResolutionInput | None = None
    ) -> ResolutionPreview:
        chosen = None if resolution is None else resolution.read()
        return ResolutionPreview.of(await operations.try_resolution(info.context, filter.read(), chosen))


@strawberry.type
class ConflictMutation:
    @strawberry.mutation(description="Decide a conflict; without a resolution as recommended.")
    async def resolve_conflict(
        self, info: Info, id: strawberry.ID, resolution: ResolutionInput | None = None
    ) -> Conflict:
        chosen = None if resolution is None else resolution.read()
        return Conflict.of(await operations.resolve_conflict(info.context, id, chosen))

    @strawberry.mutation(
        description="Take back the decision on a conflict, which is open again then; its values and what was remembered"
        " of it are as before. CONFLICT_NOT_REOPENABLE where something newer was written, asked or decided since."
    )
    async def reopen_conflict(self, info: Info, id: strawberry.ID) -> Conflict:
        return Conflict.of(await operations.reopen_conflict(info.context, id))

    @strawberry.mutation(description="Decide many conflicts in the same way; each has its own outcome.")
    async def resolve_conflicts(
        self, info: Info, ids: list[strawberry.ID], resolution: ResolutionInput | None = None
    ) -> ResolveConflictsPayload:
        chosen = None if resolution is None else resolution.read()
        return ResolveConflictsPayload.of(await operations.resolve_conflicts(info.context, ids, chosen))

    @strawberry.mutation(
        description="Decide the open conflicts that a filter lets through, oldest first, 1,000 at most."
        " With `expectedCount` nothing is decided unless there are exactly so many."
    )
    async def resolve_matching_conflicts(
        self,
        info: Info,
        filter: ConflictFilter,
        resolution: ResolutionInput | None = None,
        expected_count: int | None = None,
    ) -> ResolveConflictsPayload:
        chosen = None if resolution is None else resolution.read()
        resolved, remaining = await operations.resolve_matching(
            info.context, filter.read(), chosen, expected_count=expected_count
        )
        return ResolveConflictsPayload.of(resolved, remaining=remaining)

    @strawberry.mutation(
        description="Take back the decisions on conflicts: by their ids, by a filter (the latest 1,000), or all of one"
        " decision on many by its `resolutionId`, which ends where it is still at work. Name exactly one of the three."
    )
    async def undo_resolutions(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = None,
        filter: ConflictFilter | None = None,
        resolution_id: strawberry.ID | None = None,
    ) -> UndoResolutionsPayload:
        wanted = None if filter is None else filter.read()
        return UndoResolutionsPayload.of(
            await undo_resolutions(info.context, ids=ids, wanted=wanted, resolution_id=resolution_id)
        )


@strawberry.type
class ConflictSubscription:
    @strawberry.subscription(
        description="Every conflict that is raised or opened again from now on. With `after`, a cursor of the log (`0`:"
        " the oldest that is kept), those after it come first; each message says its own in `extensions.cursor`."
    )
    async def conflict_raised(
        self, info: Info, entity_type: EntityType | None = None, after: str | None = None
    ) -> AsyncIterator[Conflict]:
        async with closing(watch_conflicts(info.context, entity_type, after=info.context.after(after))) as conflicts:
            async for conflict, cursor in conflicts:
                info.context.message.set(cursor)
                yield Conflict.of(conflict)
