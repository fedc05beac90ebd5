"""Decide many conflicts as one operation: another process goes on with it, and the whole can be taken back.

`scope` of the operation: the `ids` of the conflicts, and what decides them: the `resolution` that was asked for (None:
as recommended), or a `rule` of the configuration. Its position counts the conflicts that are done. The id of the
operation is the resolution's: each conflict that it decides carries it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from enrichment.config import ReviewRule
from enrichment.words import naming
from models.conflict.queries import conflicts_by_id
from models.conflict.table import Conflict
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.record.value import current_values
from resolvers.audit import note_change
from resolvers.conflict.choice import Resolution, choose
from resolvers.conflict.one_by_one import Report, one_by_one
from resolvers.conflict.request_json import from_json, to_json
from resolvers.conflict.resolve_by_rule import settlement_by_rule
from resolvers.conflict.review import Ages, settled_by
from resolvers.conflict.settle import Settlement, settle
from resolvers.context import Context, Role
from resolvers.errors import Fault, OperationError, StateConflict, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.operation import OperationKind, OperationLost, OperationRun, begin_operation, run_operation
from resolvers.organizations import config_of, organization_of
from resolvers.paging import check_id
from resolvers.refresh.freshness import learned_by

MOST_AT_ONCE = 1000


class OneOutcome(Protocol):
    """What became of one of many conflicts."""

    @property
    def id(self) -> str: ...

    @property
    def conflict(self) -> Conflict | None: ...


@dataclass(frozen=True, slots=True)
class ResolveOutcome:
    """What became of one of many conflicts: the conflict as it is now, or why the decision was refused."""

    id: str
    conflict: Conflict | None = None
    error: OperationError | None = None


@dataclass(frozen=True, slots=True)
class ResolvedMany:
    """The outcomes in order. With `resolution_id` the whole can be taken back."""

    resolution_id: str
    outcomes: list[ResolveOutcome]

    @property
    def resolved(self) -> int:
        """How many conflicts are resolved now."""
        return conflicts_in(outcome for outcome in self.outcomes if outcome.error is None)


def conflicts_in(outcomes: Iterable["OneOutcome"]) -> int:
    """How many conflicts these are about: one whose id was sent twice, in any spelling, counts once."""
    return len({outcome.id if outcome.conflict is None else outcome.conflict.id for outcome in outcomes})


def readable_ids(ids: Sequence[str]) -> tuple[list[str], dict[str, OperationError]]:
    """Those that can be ids, as they are stored and in order, and why each of the others is refused.

    Raises ValidationFailed for more than 1,000.
    """
    if len(ids) > MOST_AT_ONCE:
        raise ValidationFailed("too many conflicts", faults=[Fault("ids", f"at most {MOST_AT_ONCE}")])
    good: list[str] = []
    refused: dict[str, OperationError] = {}
    for conflict_id in ids:
        try:
            good.append(check_id(conflict_id))
        except OperationError as error:
            refused[conflict_id] = error
    return good, refused


def resolution_kind(report: Report | None = None) -> OperationKind:
    """The kind of operation that decides conflicts; `report` as `one_by_one` has it."""
    return one_by_one("resolution", _decide, stopped="resolution.stopped", report=report)


async def _decide(run: OperationRun, conflict: Conflict, position: str) -> None:
    await _settle(run, conflict, await _settlement(run, conflict), position)


async def _settlement(run: OperationRun, conflict: Conflict) -> Settlement:
    """How the conflict ends. Raises ValidationFailed, and StateConflict where the rule does not decide it any more."""
    scope, now = run.held.scope, run.services.now()
    assert run.held.requested_by is not None  # as every caller has a name
    if "rule" in scope:
        return await _by_rule(run, conflict, ReviewRule.model_validate(scope["rule"]), run.held.requested_by)
    asked = None if scope["resolution"] is None else from_json(scope["resolution"])
    return choose(conflict, asked).by_reviewer(run.held.requested_by, now)


async def _by_rule(run: OperationRun, conflict: Conflict, rule: ReviewRule, user: str) -> Settlement:
    organization_id, now = run.held.organization_id, run.services.now()
    config = config_of(await organization_of(organization_id, run.services.registry, now))
    half_lives = (await learned_by([organization_id]))[organization_id]
    held = await current_values([conflict.record_id], names={rule.field})
    decision = settled_by(conflict, rule, config, Ages(half_lives, now, held))
    if decision is None:
        raise StateConflict("the question has changed meanwhile", state=conflict.status.value)
    return settlement_by_rule(conflict, decision, naming(run.services.registry.names), user, now)


@unit_of_work
async def _settle(
    tx: Transaction, run: OperationRun, conflict: Conflict, settlement: Settlement, position: str
) -> None:
    await run.advance(tx, position)
    await settle(tx, run.services, conflict, settlement, origin=run.held.origin, resolution_id=run.held.id)


RESOLUTION = resolution_kind()


async def resolve_as_asked(ctx: Context, ids: Sequence[str], resolution: Resolution | None) -> ResolvedMany:
    """Decide these conflicts in the same way, each by itself; None: as recommended. The outcomes in order."""
    return await _run(ctx, ids, {"resolution": None if resolution is None else to_json(resolution)})


async def resolve_by_rule(ctx: Context, ids: Sequence[str], rule: ReviewRule) -> ResolvedMany:
    """Decide those of these conflicts that the rule decides. The outcomes in order."""
    return await _run(ctx, ids, {"rule": rule.model_dump(mode="json", by_alias=True)})


async def _run(ctx: Context, ids: Sequence[str], decides: Mapping[str, Any]) -> ResolvedMany:
    organization_id = ctx.require(Role.USER).organization_id
    await organization_of(organization_id, ctx.services.registry, ctx.services.now())
    reported: list[OperationError | None] = []
    kind = resolution_kind(reported.append)
    run = await _begin(ctx, kind, {"ids": list(ids), **decides})
    with suppress(OperationLost):
        await run_operation(kind, run)
    found = await conflicts_by_id(organization_id, list(dict.fromkeys(ids)))
    decided = [found[ids[index]] for index, error in enumerate(reported) if error is None and ids[index] in found]
    if decided:
        jobs = list({conflict.job_id for conflict in decided})
        settled = list({conflict.id for conflict in decided})
        await announce(ctx.services.redis, organization_id, conflicts=settled, jobs=jobs)
    outcomes = [_outcome(conflict_id, index, reported, found, run.held.id) for index, conflict_id in enumerate(ids)]
    return ResolvedMany(run.held.id, outcomes)


def _outcome(
    conflict_id: str,
    index: int,
    reported: Sequence[OperationError | None],
    found: Mapping[str, Conflict],
    resolution_id: str,
) -> ResolveOutcome:
    conflict = found.get(conflict_id)
    if index < len(reported):
        error = reported[index]
    elif conflict is not None and conflict.resolution_id == resolution_id:
        error = None
    else:
        error = StateConflict("the resolution was taken back, or another process goes on with it", state="running")
    return ResolveOutcome(conflict_id, error=error) if error is not None else ResolveOutcome(conflict_id, conflict)


@unit_of_work
async def _begin(tx: Transaction, ctx: Context, kind: OperationKind, scope: Mapping[str, Any]) -> OperationRun:
    run = await begin_operation(tx, ctx, kind, new_id(), scope)
    await note_change(tx, ctx, "resolution.started", run.held.id, {"conflicts": len(scope["ids"])})
    return run
