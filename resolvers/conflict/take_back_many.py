"""Take back the decisions on many conflicts as one operation, with which another process goes on.

`scope` of the operation: the `ids` of the conflicts. Its position counts the conflicts that are done.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from enrichment.enums import ConflictStatus
from models import operation as operations
from models.conflict.queries import ConflictFilter, conflicts_by_id, count_conflicts, latest_resolved
from models.conflict.reopen import decided_by
from models.conflict.table import Conflict
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit import note_change
from resolvers.conflict.one_by_one import Report, one_by_one
from resolvers.conflict.reopen import TakenBackBy, reopen
from resolvers.conflict.resolve_many import MOST_AT_ONCE, RESOLUTION, conflicts_in, readable_ids
from resolvers.context import Context, Role
from resolvers.errors import Fault, NotFound, OperationError, StateConflict, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.operation import OperationKind, OperationLost, OperationRun, begin_operation, run_operation
from resolvers.organizations import organization_of
from resolvers.paging import check_id
from resolvers.validation import check_filter


@dataclass(frozen=True, slots=True)
class TakenBackOutcome:
    """What became of one of many decisions: the conflict as it is now, and why the decision stands, where it does."""

    id: str
    conflict: Conflict | None = None
    error: OperationError | None = None


@dataclass(frozen=True, slots=True)
class TakenBackMany:
    """The outcomes in order. `remaining`: how many resolved conflicts the filter still lets through."""

    outcomes: list[TakenBackOutcome]
    remaining: int = 0

    @property
    def restored(self) -> int:
        """How many decisions were taken back."""
        return conflicts_in(outcome for outcome in self.outcomes if outcome.error is None)

    @property
    def left_alone(self) -> int:
        """How many decisions stand."""
        return conflicts_in(outcome for outcome in self.outcomes if outcome.error is not None)


def taking_back_kind(report: Report | None = None) -> OperationKind:
    """The kind of operation that takes decisions back; `report` as `one_by_one` has it."""
    return one_by_one("taking_back", _reopen, stopped="resolution.undo_stopped", report=report)


@unit_of_work
async def _reopen(tx: Transaction, run: OperationRun, conflict: Conflict, position: str) -> None:
    await run.advance(tx, position)
    assert run.held.requested_by is not None  # as every caller has a name
    by = TakenBackBy(run.held.requested_by, run.held.origin, run.held.id)
    await reopen(tx, run.services, conflict, by)


TAKING_BACK = taking_back_kind()


async def undo_resolutions(
    ctx: Context,
    *,
    ids: Sequence[str] | None = None,
    wanted: ConflictFilter | None = None,
    resolution_id: str | None = None,
) -> TakenBackMany:
    """Take decisions back: of these conflicts, of those that a filter lets through, or of one decision on many.

    Exactly one of the three is given; 1,000 conflicts at most, of a filter the latest decisions. A decision on many
    that is still at work ends, and what it has decided is taken back. What cannot be taken back stands, and its outcome
    says why. Raises ValidationFailed, and NotFound for a resolution that is not there.
    """
    ctx.require(Role.USER)
    if sum(given is not None for given in (ids, wanted, resolution_id)) != 1:
        message = "name exactly one of ids, filter and resolutionId"
        raise ValidationFailed(message, faults=[Fault("", message)])
    if resolution_id is not None:
        return await _of_resolution(ctx, check_id(resolution_id, path="resolutionId"))
    if wanted is not None:
        return await _of_filter(ctx, wanted)
    return await _of_ids(ctx, ids or ())


async def _of_ids(ctx: Context, ids: Sequence[str]) -> TakenBackMany:
    good, refused = readable_ids(ids)
    by_id = {outcome.id: outcome for outcome in await _run(ctx, list(dict.fromkeys(good)))}
    outcomes = [
        TakenBackOutcome(given, error=refused[given]) if given in refused else replace(by_id[check_id(given)], id=given)
        for given in ids
    ]
    return TakenBackMany(outcomes)


async def _of_filter(ctx: Context, wanted: ConflictFilter) -> TakenBackMany:
    if any(status is not ConflictStatus.RESOLVED for status in wanted.status):
        message = "only decisions on resolved conflicts are taken back"
        raise ValidationFailed(message, faults=[Fault("filter.status", message)])
    check_filter(wanted, jobId=wanted.job_id, field=wanted.field, provider=wanted.provider, search=wanted.search)
    wanted = replace(wanted, status=(ConflictStatus.RESOLVED,))
    organization_id = ctx.require(Role.USER).organization_id
    found = await latest_resolved(organization_id, wanted, MOST_AT_ONCE)
    outcomes = await _run(ctx, [conflict.id for conflict in found])
    return TakenBackMany(outcomes, await count_conflicts(organization_id, wanted))


async def _of_resolution(ctx: Context, resolution_id: str) -> TakenBackMany:
    return TakenBackMany(await _run(ctx, [], resolution_id))


async def _run(ctx: Context, ids: Sequence[str], resolution_id: str | None = None) -> list[TakenBackOutcome]:
    """The outcomes of these conflicts, or of those that a resolution has decided, each once and in order."""
    organization_id = ctx.require(Role.USER).organization_id
    await organization_of(organization_id, ctx.services.registry, ctx.services.now())
    reported: list[OperationError | None] = []
    kind = taking_back_kind(reported.append)
    run = await _begin(ctx, kind, ids, resolution_id)
    ids = run.held.scope["ids"]
    with suppress(OperationLost):
        await run_operation(kind, run)
    found = await conflicts_by_id(organization_id, ids)
    restored = [conflict_id for conflict_id, error in zip(ids, reported, strict=False) if error is None]
    again = [found[conflict_id] for conflict_id in restored if conflict_id in found]  # without those erased meanwhile
    if again:
        jobs = list({conflict.job_id for conflict in again})
        await announce(ctx.services.redis, organization_id, conflicts=[conflict.id for conflict in again], jobs=jobs)
    elsewhere = StateConflict("another process goes on with it", state="running")
    errors = [*reported, *[elsewhere] * (len(ids) - len(reported))]
    ends = zip(ids, errors, strict=True)
    return [TakenBackOutcome(conflict_id, found.get(conflict_id), error) for conflict_id, error in ends]


@unit_of_work
async def _begin(
    tx: Transaction, ctx: Context, kind: OperationKind, ids: Sequence[str], resolution_id: str | None
) -> OperationRun:
    if resolution_id is not None:
        ids = await _decided_by(tx, ctx, resolution_id)
    run = await begin_operation(tx, ctx, kind, new_id(), {"ids": list(ids)})
    about = {"conflicts": len(ids)} | ({} if resolution_id is None else {"resolution": resolution_id})
    await note_change(tx, ctx, "resolution.undo_started", run.held.id, about)
    return run


async def _decided_by(tx: Transaction, ctx: Context, resolution_id: str) -> list[str]:
    """The conflicts that a decision on many has decided, which is at an end then. Raises NotFound."""
    organization_id, kinds = ctx.require(Role.USER).organization_id, [RESOLUTION.name]
    stopped = await operations.stop(tx, organization_id, resolution_id, ctx.services.now(), kinds=kinds)
    if not stopped and not await operations.exists(tx, organization_id, resolution_id, kinds=kinds):
        raise NotFound("no such resolution")
    if stopped:
        await note_change(tx, ctx, "resolution.stopped", resolution_id)
    return await decided_by(tx, organization_id, resolution_id)
