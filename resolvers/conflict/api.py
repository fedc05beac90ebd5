"""Conflicts: read, watch and resolve them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from enrichment.enums import ConflictStatus, ResolutionAction
from models.conflict.order import ConflictOrder
from models.conflict.queries import (
    ConflictFilter,
    conflicts_by_id,
    count_conflicts,
    oldest_conflict_ids,
    oldest_conflicts,
)
from models.conflict.shown import ShownConflict, conflict_page, find_conflict
from models.conflict.table import Conflict
from models.db.transaction import unit_of_work
from models.db.wanted import EVERYTHING, Wanted
from resolvers.conflict.choice import Resolution, choose
from resolvers.conflict.reopen import TakenBackBy, reopen
from resolvers.conflict.resolve_many import (
    MOST_AT_ONCE,
    ResolvedMany,
    ResolveOutcome,
    readable_ids,
    resolve_as_asked,
)
from resolvers.conflict.settle import settle_conflict
from resolvers.context import Context, Role
from resolvers.errors import CountChanged, Fault, NotFound, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.paging import Page, PageArgs, check_id
from resolvers.turns import one_at_a_time
from resolvers.validation import check_filter


def _checked(wanted: ConflictFilter) -> ConflictFilter:
    check_filter(wanted, jobId=wanted.job_id, field=wanted.field, provider=wanted.provider, search=wanted.search)
    return wanted


async def list_conflicts(
    ctx: Context,
    wanted: ConflictFilter,
    page: PageArgs,
    shown: Wanted = EVERYTHING,
    order: ConflictOrder = ConflictOrder.CREATED_AT_DESC,
) -> Page[ShownConflict]:
    """What is to be shown of conflicts, in this order. Raises ValidationFailed for a filter that cannot be."""
    caller = ctx.require(Role.VIEWER)
    return await conflict_page(caller.organization_id, _checked(wanted), page.keyset("conflicts", order), shown)


async def get_conflict(ctx: Context, conflict_id: str, shown: Wanted = EVERYTHING) -> ShownConflict:
    """What is to be shown of one conflict. Raises NotFound, and BadRequest for what cannot be an id."""
    caller = ctx.require(Role.VIEWER)
    found = await find_conflict(caller.organization_id, check_id(conflict_id), shown)
    if found is None:
        raise NotFound("no such conflict")
    return found


async def _read(organization_id: str, conflict_id: str) -> Conflict:
    found = await conflicts_by_id(organization_id, [conflict_id])
    if not found:
        raise NotFound("no such conflict")
    return found[conflict_id]


async def resolve_conflict(ctx: Context, conflict_id: str, resolution: Resolution | None) -> Conflict:
    """Settle an open conflict; without a resolution, as recommended.

    The value is written, or kept, in the same transaction. The same request again is answered as the first.
    Raises ValidationFailed for a choice that cannot be, and ConflictAlreadyResolved (which shows the first
    resolution) when another one was made before.
    """
    caller = ctx.require(Role.USER)
    conflict = await _read(caller.organization_id, check_id(conflict_id))
    await _settle(ctx, conflict, resolution)
    await announce(ctx.services.redis, caller.organization_id, conflicts=[conflict.id], jobs=[conflict.job_id])
    return await _read(caller.organization_id, conflict.id)


async def _settle(ctx: Context, conflict: Conflict, resolution: Resolution | None) -> None:
    caller = ctx.require(Role.USER)
    settlement = choose(conflict, resolution).by_reviewer(caller.user, ctx.services.now())
    await settle_conflict(ctx.services, conflict, settlement, origin=ctx.origin)


async def reopen_conflict(ctx: Context, conflict_id: str) -> Conflict:
    """Take back the decision on a conflict, which is open again then: value, provenance and memory are as before.

    The same request of the same person again is answered as the first. Raises NotFound, and ConflictNotReopenable,
    without any change, where something newer was written, asked or decided since.
    """
    caller = ctx.require(Role.USER)
    conflict = await _read(caller.organization_id, check_id(conflict_id))
    await unit_of_work(reopen)(ctx.services, conflict, TakenBackBy(caller.user, ctx.origin))
    await announce(ctx.services.redis, caller.organization_id, conflicts=[conflict.id], jobs=[conflict.job_id])
    return await _read(caller.organization_id, conflict.id)


async def resolve_conflicts(ctx: Context, ids: Sequence[str], resolution: Resolution | None) -> ResolvedMany:
    """Settle many as one operation, each by itself; answers for each, in order.

    Where this process dies, another goes on. Raises ValidationFailed for more than 1,000.
    """
    ctx.require(Role.USER)
    good, refused = readable_ids(ids)
    resolved = await resolve_as_asked(ctx, good, resolution)
    outcomes = iter(resolved.outcomes)
    return ResolvedMany(
        resolved.resolution_id,
        [
            ResolveOutcome(conflict_id, error=refused[conflict_id])
            if conflict_id in refused
            else replace(next(outcomes), id=conflict_id)
            for conflict_id in ids
        ],
    )


@dataclass(frozen=True, slots=True)
class TriedResolution:
    """What a decision on many conflicts would do.

    `count`: how many the filter lets through. The others are of the oldest 1,000: conflicts by action and by field,
    and how many would be refused.
    """

    count: int
    by_action: Counter[ResolutionAction]
    by_field: Counter[str]
    refused: int


def _checked_open(wanted: ConflictFilter) -> ConflictFilter:
    """The filter, which must let open conflicts through alone. Raises ValidationFailed."""
    if any(status is not ConflictStatus.OPEN for status in wanted.status):
        raise ValidationFailed(
            "only open conflicts are decided", faults=[Fault("filter.status", "only open conflicts are decided")]
        )
    return _checked(wanted)


@one_at_a_time
async def try_resolution(ctx: Context, wanted: ConflictFilter, resolution: Resolution | None) -> TriedResolution:
    """What `resolve_matching` would do now. Changes nothing."""
    caller = ctx.require(Role.USER)
    wanted = _checked_open(wanted)
    tried = TriedResolution(await count_conflicts(caller.organization_id, wanted), Counter(), Counter(), 0)
    refused = 0
    async for conflicts in oldest_conflicts(caller.organization_id, wanted, MOST_AT_ONCE):
        for conflict in conflicts:
            tried.by_field[conflict.field] += 1
            try:
                tried.by_action[choose(conflict, resolution).action] += 1
            except ValidationFailed:
                refused += 1
    return replace(tried, refused=refused)


async def resolve_matching(
    ctx: Context, wanted: ConflictFilter, resolution: Resolution | None, *, expected_count: int | None = None
) -> tuple[ResolvedMany, int]:
    """Settle the open conflicts that the filter lets through, oldest first, 1,000 at most. For each its outcome, and
    how many are left. Raises CountChanged, and settles none, when there are not `expected_count` of them.
    """
    caller = ctx.require(Role.USER)
    wanted, organization_id = _checked_open(wanted), caller.organization_id
    if expected_count is not None and (count := await count_conflicts(organization_id, wanted)) != expected_count:
        raise CountChanged(f"there are {count} such conflicts now, not {expected_count}", count=count)
    most = MOST_AT_ONCE if expected_count is None else min(MOST_AT_ONCE, expected_count)
    ids = await oldest_conflict_ids(organization_id, wanted, most)
    resolved = await resolve_as_asked(ctx, ids, resolution)
    return resolved, await count_conflicts(organization_id, wanted)
