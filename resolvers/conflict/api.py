"""Conflicts: read, watch and resolve them."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tortoise.queryset import QuerySet

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, ResolutionAction
from models.conflict import Conflict
from resolvers.conflict.resolve import Resolution, choose, settle_conflict
from resolvers.context import Context, Role
from resolvers.errors import CountChanged, Fault, NotFound, OperationError, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.paging import Page, PageArgs, check_id, paginate
from resolvers.validation import MAX_NAME, check_text

MOST_RESOLVED = 1000


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """Which conflicts. An empty tuple leaves that open, but an empty `status` means the open ones.

    `created_before` is exclusive.
    """

    entity_types: tuple[EntityType, ...] = ()
    external_id: str | None = None
    record_id: str | None = None
    job_id: str | None = None
    field: str | None = None
    status: tuple[ConflictStatus, ...] = ()
    reason: tuple[ConflictReason, ...] = ()
    provider: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResolveOutcome:
    """How one of many ended: the conflict, or why it was refused."""

    id: str
    conflict: Conflict | None = None
    error: OperationError | None = None


def _filtered(organization_id: str, wanted: ConflictFilter) -> QuerySet[Conflict]:
    rows = Conflict.filter(organization_id=organization_id).prefetch_related("record", "job")
    rows = rows.filter(status__in=list(wanted.status or (ConflictStatus.OPEN,)))
    exact = {
        "record__external_id": ("externalId", wanted.external_id),
        "record_id": ("recordId", wanted.record_id),
        "job_id": ("jobId", wanted.job_id),
        "field": ("field", wanted.field),
    }
    for column, (path, text) in exact.items():
        if text is not None:
            rows = rows.filter(**{column: check_text(text, path, longest=MAX_NAME)})
    if wanted.entity_types:
        rows = rows.filter(entity_type__in=list(wanted.entity_types))
    if wanted.reason:
        rows = rows.filter(reason__in=list(wanted.reason))
    if wanted.provider is not None:
        provider = check_text(wanted.provider, "provider", longest=MAX_NAME)
        rows = rows.filter(providers__contains=f" {provider} ")
    if wanted.created_after is not None:
        rows = rows.filter(created_at__gt=wanted.created_after)
    if wanted.created_before is not None:
        rows = rows.filter(created_at__lt=wanted.created_before)
    return rows


async def list_conflicts(ctx: Context, wanted: ConflictFilter, page: PageArgs) -> Page[Conflict]:
    """Conflicts, newest first, with record and job. Raises ValidationFailed for a filter that cannot be."""
    caller = ctx.require(Role.VIEWER)
    return await paginate(_filtered(caller.organization_id, wanted), page)


async def get_conflict(ctx: Context, conflict_id: str) -> Conflict:
    """One conflict with its record and job. Raises NotFound, and BadRequest for what cannot be an id."""
    caller = ctx.require(Role.VIEWER)
    return await _read(caller.organization_id, check_id(conflict_id))


async def _read(organization_id: str, conflict_id: str) -> Conflict:
    found = await _filtered(organization_id, ConflictFilter(status=tuple(ConflictStatus))).get_or_none(id=conflict_id)
    if found is None:
        raise NotFound("no such conflict")
    return found


async def read_conflicts(organization_id: str, ids: Sequence[str]) -> dict[str, Conflict]:
    """These conflicts by id, with record and job; those that are not there are left out."""
    every = _filtered(organization_id, ConflictFilter(status=tuple(ConflictStatus)))
    return {conflict.id: conflict for conflict in await every.filter(id__in=list(ids))} if ids else {}


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
    choice = choose(conflict, resolution)
    await settle_conflict(conflict, choice, caller.user, ctx.services.now(), origin=ctx.origin)


async def resolve_conflicts(ctx: Context, ids: Sequence[str], resolution: Resolution | None) -> list[ResolveOutcome]:
    """Settle many, each by itself; answers for each, in order. Raises ValidationFailed for more than 1,000."""
    caller = ctx.require(Role.USER)
    if len(ids) > MOST_RESOLVED:
        raise ValidationFailed("too many conflicts", faults=[Fault("ids", f"at most {MOST_RESOLVED}")])
    outcomes: list[ResolveOutcome] = []
    settled: dict[str, Conflict] = {}
    for conflict_id in ids:
        try:
            conflict = await _read(caller.organization_id, check_id(conflict_id))
            await _settle(ctx, conflict, resolution)
            settled[conflict.id] = conflict
            outcomes.append(ResolveOutcome(conflict_id, conflict))
        except OperationError as error:
            outcomes.append(ResolveOutcome(conflict_id, error=error))
    if not settled:
        return outcomes
    jobs = list({conflict.job_id for conflict in settled.values()})
    await announce(ctx.services.redis, caller.organization_id, conflicts=list(settled), jobs=jobs)
    after = await read_conflicts(caller.organization_id, list(settled))
    return [
        outcome if outcome.conflict is None else ResolveOutcome(outcome.id, after.get(outcome.conflict.id))
        for outcome in outcomes
    ]


@dataclass(frozen=True, slots=True)
class TriedResolution:
    """What a decision on many would do: how many are open, and for the first 1,000 which action, or a refusal."""

    count: int
    by_action: Counter[ResolutionAction]
    by_field: Counter[str]
    refused: int


def _open_ones(organization_id: str, wanted: ConflictFilter) -> QuerySet[Conflict]:
    if any(status is not ConflictStatus.OPEN for status in wanted.status):
        raise ValidationFailed(
            "only open conflicts are decided", faults=[Fault("filter.status", "only open conflicts are decided")]
        )
    return _filtered(organization_id, wanted).order_by("id")


async def try_resolution(ctx: Context, wanted: ConflictFilter, resolution: Resolution | None) -> TriedResolution:
    """What `resolve_matching` would do now. Changes nothing."""
    caller = ctx.require(Role.USER)
    rows = _open_ones(caller.organization_id, wanted)
    tried = TriedResolution(await rows.count(), Counter(), Counter(), 0)
    refused = 0
    for conflict in await rows.limit(MOST_RESOLVED):
        tried.by_field[conflict.field] += 1
        try:
            tried.by_action[choose(conflict, resolution).action] += 1
        except ValidationFailed:
            refused += 1
    return replace(tried, refused=refused)


async def resolve_matching(
    ctx: Context, wanted: ConflictFilter, resolution: Resolution | None, *, expected_count: int | None = None
) -> tuple[list[ResolveOutcome], int]:
    """Settle the open conflicts that the filter lets through, oldest first, 1,000 at most. For each its outcome, and
    how many are left. Raises CountChanged, and settles none, when there are not `expected_count` of them.
    """
    caller = ctx.require(Role.USER)
    rows = _open_ones(caller.organization_id, wanted)
    if expected_count is not None and (count := await rows.count()) != expected_count:
        raise CountChanged(f"there are {count} such conflicts now, not {expected_count}", count=count)
    ids = [str(conflict_id) for conflict_id in await rows.limit(MOST_RESOLVED).values_list("id", flat=True)]
    outcomes = await resolve_conflicts(ctx, ids, resolution)
    return outcomes, await rows.count()


async def watch_conflicts(ctx: Context, entity_type: EntityType | None = None) -> AsyncIterator[Conflict]:
    """Each conflict as it is raised."""
    caller = ctx.require(Role.VIEWER)
    organization_id = caller.organization_id
    since = ctx.services.now()
    told: set[str] = set()
    async with ctx.services.events.watch(organization_id) as notices:
        async for notice in notices:
            if not notice.conflicts and not notice.gap:
                continue
            wanted = ConflictFilter(entity_types=(entity_type,) if entity_type else (), created_after=since)
            rows = _filtered(organization_id, wanted)
            if not notice.gap:
                rows = rows.filter(id__in=sorted(notice.conflicts))
            for conflict in await rows.order_by("id"):
                if conflict.id not in told:
                    told.add(conflict.id)
                    yield conflict
