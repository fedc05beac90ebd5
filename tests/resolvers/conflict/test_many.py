"""A decision on many conflicts outlives its process, decides each once, and is taken back as a whole.

One file, because deciding and taking back are killed, resumed and raced in the same way.
"""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.config import ReviewRule
from enrichment.enums import ConflictReason, ConflictStatus, EntityType
from enrichment.learn.suggestions import suggestion_id
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.conflict.table import Conflict, Rejection
from models.operation import LEASE, Operation
from models.record import FieldValue, Record
from resolvers.audit import list_audit, verify_audit
from resolvers.conflict import resolve_many, take_back_many
from resolvers.conflict.api import resolve_conflict, resolve_conflicts, resolve_matching
from resolvers.conflict.choice import ACCEPT, CUSTOM, KEEP, PartResolution, Resolution
from resolvers.conflict.request_json import from_json, to_json
from resolvers.conflict.suggestions import accept_suggestion
from resolvers.conflict.take_back_many import undo_resolutions
from resolvers.context import Context, Role, Services
from resolvers.erasure.api import erase_record
from resolvers.errors import BadRequest, Forbidden, NotFound, ValidationFailed
from resolvers.operation import OperationKind, OperationRun, run_operation
from resolvers.paging import PageArgs
from resolvers.undo.api import undo_enrichment
from resolvers.undo.scope import UndoScope
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from workers.upkeep.resume import resume

pytestmark = pytest.mark.usefixtures("db")

MANY = 4
UNKNOWN = "00000000-0000-7000-8000-000000000000"


class Killed(BaseException):
    """The end of the process: nothing catches it."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(redis: ArqRedis, clock: Clock) -> Context:
    """So many open conflicts about the city: the CRM says Hamburg, the provider Berlin."""
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Berlin"}}), now=clock)
    found = context(shared)
    await configure(found, triggers={"onUpdate": False})
    for number in range(MANY):
        await send(found, "account", f"A{number}", domain="acme.com", city="Hamburg")
    await work(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == MANY
    return found


async def ids() -> list[str]:
    return [conflict.id for conflict in await Conflict.all().order_by("record__external_id", "id")]


async def cities() -> list[str]:
    return [record.fields["city"] for record in await Record.all().order_by("external_id")]


async def open_ones() -> int:
    return await Conflict.filter(status=ConflictStatus.OPEN).count()


async def upkeep_runs(shared: Services, clock: Clock) -> int:
    """Within a minute."""
    clock.ahead_seconds += LEASE.total_seconds() + 5
    return await resume({"services": shared})


def dies(monkeypatch: pytest.MonkeyPatch, step: int, *, inside: bool) -> None:
    """The process ends before the step with this number (from 0), or in the middle of it."""
    steps = iter(range(1_000))
    method = "finish" if step == MANY else "advance"
    original: Any = getattr(OperationRun, method)
    number = 0 if step == MANY else step

    async def dying(run: OperationRun, *arguments: Any) -> None:
        now = next(steps)
        if now == number and not inside:
            raise Killed
        await original(run, *arguments)
        if now == number:
            raise Killed

    monkeypatch.setattr(OperationRun, method, dying)


async def actions(ctx: Context, about: str) -> list[str]:
    return [line.action for line in (await list_audit(ctx, AuditFilter(action=about), PageArgs())).items][::-1]


async def killed_resolution(ctx: Context, monkeypatch: pytest.MonkeyPatch, step: int, *, inside: bool) -> str:
    """A decision on all whose process is killed at this step; its id."""
    dies(monkeypatch, step, inside=inside)
    with pytest.raises(Killed):
        await resolve_conflicts(ctx, await ids(), Resolution(ACCEPT, note="checked"))
    monkeypatch.undo()
    operation_id: str = (await Operation.get()).id
    return operation_id


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("step", range(MANY + 1))
async def test_a_killed_decision_on_many_goes_on_and_decides_each_once(
    ctx: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: int, inside: bool
) -> None:
    resolution_id = await killed_resolution(ctx, monkeypatch, step, inside=inside)
    assert await open_ones() == MANY - step
    assert await upkeep_runs(ctx.services, clock) == 1
    assert await cities() == ["Berlin"] * MANY
    for conflict in await Conflict.all():
        assert conflict.resolution is not None
        assert (conflict.resolution["resolvedBy"], conflict.resolution["note"]) == ("ann", "checked")
        assert conflict.resolution_id == resolution_id
    assert {record.version for record in await Record.all()} == {2}
    operation = await Operation.get()
    assert (operation.status, operation.scope) == ("done", {})
    assert await actions(ctx, "conflict") == ["conflict.resolved"] * MANY
    assert (await verify_audit(ctx)).intact


@pytest.mark.parametrize("step", range(MANY + 1))
async def test_a_decision_on_many_is_taken_back_while_it_waits_for_another_process(
    ctx: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    resolution_id = await killed_resolution(ctx, monkeypatch, step, inside=False)
    taken_back = await undo_resolutions(ctx, resolution_id=resolution_id)
    assert [outcome.error for outcome in taken_back.outcomes] == [None] * step
    assert (await cities(), await open_ones()) == (["Hamburg"] * MANY, MANY)
    assert await upkeep_runs(ctx.services, clock) == 0
    assert (await cities(), await open_ones()) == (["Hamburg"] * MANY, MANY)
    assert await actions(ctx, "resolution") == [
        "resolution.started", "resolution.stopped", "resolution.undo_started",
    ]  # fmt: skip


async def test_a_decision_on_many_is_taken_back_while_its_process_is_at_work(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before(run: OperationRun, conflict_id: str, position: str) -> Any:
        if position == "3":
            outcomes = (await undo_resolutions(ctx, resolution_id=run.held.id)).outcomes
            assert [outcome.error for outcome in outcomes] == [None, None]
        return await decide(run, conflict_id, position)

    decide: Any = resolve_many._decide
    monkeypatch.setattr(resolve_many, "_decide", before)
    resolved = await resolve_conflicts(ctx, await ids(), Resolution(ACCEPT))
    assert (await cities(), await open_ones()) == (["Hamburg"] * MANY, MANY)
    ends = [None if outcome.error is None else outcome.error.details["state"] for outcome in resolved.outcomes]
    assert ends == [None, None, "running", "running"]


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("step", range(MANY + 1))
async def test_a_killed_taking_back_goes_on_and_restores_each_once(
    ctx: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: int, inside: bool
) -> None:
    resolved = await resolve_conflicts(ctx, await ids(), Resolution(ACCEPT))
    dies(monkeypatch, step, inside=inside)
    with pytest.raises(Killed):
        await undo_resolutions(ctx, resolution_id=resolved.resolution_id)
    monkeypatch.undo()
    assert await open_ones() == step
    assert await upkeep_runs(ctx.services, clock) == 1
    assert (await cities(), await open_ones()) == (["Hamburg"] * MANY, MANY)
    assert {record.version for record in await Record.all()} == {3}
    for conflict in await Conflict.all():
        [taken_back] = conflict.taken_back or []
        assert (taken_back["resolutionId"], taken_back["takenBackBy"]) == (resolved.resolution_id, "ann")
    assert await actions(ctx, "conflict.reopened") == ["conflict.reopened"] * MANY


async def test_the_whole_is_taken_back_but_for_what_changed_since(ctx: Context) -> None:
    resolved = await resolve_conflicts(ctx, await ids(), Resolution(KEEP))
    assert await Rejection.all().count() == MANY
    await send(ctx, "account", "A1", city="Munich")
    changed = await Conflict.get(record__external_id="A1")
    taken_back = await undo_resolutions(context(ctx.services, user="bob"), resolution_id=resolved.resolution_id)
    stands = [outcome for outcome in taken_back.outcomes if outcome.error is not None]
    assert [(outcome.id, outcome.error and outcome.error.message) for outcome in stands] == [
        (changed.id, "the CRM has changed the city since: it is left as it is")
    ]
    assert [outcome.conflict and outcome.conflict.status for outcome in stands] == [ConflictStatus.RESOLVED]
    assert len(taken_back.outcomes) == MANY
    assert (await cities(), await open_ones()) == (["Hamburg", "Munich", "Hamburg", "Hamburg"], MANY - 1)
    assert {rejection.conflict_id for rejection in await Rejection.all()} == {changed.id}
    again = await undo_resolutions(ctx, resolution_id=resolved.resolution_id)
    assert [outcome.id for outcome in again.outcomes] == [changed.id]


async def test_only_what_a_decision_on_many_decided_is_taken_back_with_it(ctx: Context) -> None:
    first, *others = await ids()
    await resolve_conflict(ctx, first, Resolution(ACCEPT))
    resolved = await resolve_conflicts(context(ctx.services, user="bob"), [first, *others], Resolution(KEEP))
    assert [outcome.error is None for outcome in resolved.outcomes] == [False, True, True, True]
    await undo_resolutions(ctx, resolution_id=resolved.resolution_id)
    assert [conflict.id for conflict in await Conflict.filter(status=ConflictStatus.RESOLVED)] == [first]


async def test_decisions_are_taken_back_by_ids_each_with_its_outcome(ctx: Context) -> None:
    first, second, third, fourth = await ids()
    await resolve_conflicts(ctx, [first, second, fourth], Resolution(ACCEPT))
    await erase_record(context(ctx.services, role=Role.ADMIN), EntityType.ACCOUNT, "A3")
    asked = [second, UNKNOWN, "nonsense", first, second, third, fourth]
    outcomes = (await undo_resolutions(ctx, ids=asked)).outcomes
    assert [outcome.id for outcome in outcomes] == asked
    assert [type(outcome.error).__name__ for outcome in outcomes] == [
        "NoneType", "NotFound", "BadRequest", "NoneType", "NoneType", "ConflictNotReopenable", "NotFound",
    ]  # fmt: skip
    assert await cities() == ["Hamburg"] * 3


async def test_of_several_decisions_about_the_same_the_last_is_taken_back(redis: ArqRedis) -> None:
    source = StandIn(knows={"acme.com": {"city": "Berlin"}})
    shared = services(redis, source)
    ctx = context(shared)
    await configure(ctx, cooldownHours=0)
    for number, city in enumerate(("Berlin", "Munich", "Bremen")):
        source.knows = {"acme.com": {"city": city}}
        await send(ctx, "account", "A1", domain="acme.com", city="Hamburg", phone=f"+4930901820{number}")
        await work(shared)
        await resolve_conflict(ctx, (await Conflict.get(status=ConflictStatus.OPEN)).id, Resolution(ACCEPT))
    assert await cities() == ["Bremen"]
    outcomes = (await undo_resolutions(ctx, ids=await ids())).outcomes
    # An earlier question cannot be open beside the last one.
    assert [outcome.error is None for outcome in outcomes] == [False, False, True]
    assert (await cities(), await open_ones()) == (["Munich"], 1)


async def test_decisions_are_taken_back_by_filter(ctx: Context) -> None:
    await resolve_matching(ctx, ConflictFilter(), Resolution(ACCEPT))
    taken_back = await undo_resolutions(ctx, wanted=ConflictFilter(external_id="A2"))
    assert (len(taken_back.outcomes), taken_back.remaining) == (1, 0)
    assert await cities() == ["Berlin", "Berlin", "Hamburg", "Berlin"]
    none = ConflictFilter(reason=(ConflictReason.LOW_CONFIDENCE,), status=(ConflictStatus.RESOLVED,))
    assert (await undo_resolutions(ctx, wanted=none)).outcomes == []
    await send(ctx, "account", "A0", city="Munich")
    taken_back = await undo_resolutions(ctx, wanted=ConflictFilter())
    assert (len(taken_back.outcomes), taken_back.remaining) == (3, 1)
    [changed_since] = [outcome.id for outcome in taken_back.outcomes if outcome.error is not None]
    assert (await Conflict.get(id=changed_since).prefetch_related("record")).record.external_id == "A0"
    with pytest.raises(ValidationFailed, match="only decisions on resolved conflicts"):
        await undo_resolutions(ctx, wanted=ConflictFilter(status=(ConflictStatus.OPEN,)))


async def test_a_rules_decisions_on_many_are_killed_resumed_and_taken_back(
    ctx: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"entityType": "account", "field": "city", "provider": "standin", "action": "accept"}
    manager = context(ctx.services, role=Role.MANAGER)
    await configure(ctx, rules=[rule])
    dies(monkeypatch, 2, inside=True)
    with pytest.raises(Killed):
        await accept_suggestion(manager, suggestion_id(ReviewRule.model_validate(rule)))
    monkeypatch.undo()
    assert await open_ones() == MANY - 2
    assert await upkeep_runs(ctx.services, clock) == 1
    assert {value.source for value in await FieldValue.filter(field="city", replaced_at=None)} == {"standin"}
    assert {(conflict.by_rule, conflict.resolution_id) for conflict in await Conflict.all()} == {
        (True, (await Operation.get()).id)
    }
    await undo_resolutions(ctx, resolution_id=(await Operation.get()).id)
    assert {value.source for value in await FieldValue.filter(field="city", replaced_at=None)} == {"crm"}
    assert not await Conflict.filter(by_rule=True).exists()


async def test_who_accepted_a_rule_can_take_back_what_it_settled(ctx: Context) -> None:
    rule = {"entityType": "account", "field": "city", "provider": "standin", "action": "accept"}
    await configure(ctx, rules=[rule])
    accepted = await accept_suggestion(
        context(ctx.services, role=Role.MANAGER), suggestion_id(ReviewRule.model_validate(rule))
    )
    assert accepted.resolved is not None
    assert len((await undo_resolutions(ctx, resolution_id=accepted.resolved.resolution_id)).outcomes) == MANY
    assert await cities() == ["Hamburg"] * MANY


async def test_one_of_the_three_names_what_is_taken_back(ctx: Context) -> None:
    for given in ({}, {"ids": [], "resolution_id": UNKNOWN}, {"ids": [], "wanted": ConflictFilter()}):
        with pytest.raises(ValidationFailed, match="exactly one"):
            await undo_resolutions(ctx, **given)
    with pytest.raises(ValidationFailed, match="too many"):
        await undo_resolutions(ctx, ids=[UNKNOWN] * 1001)
    with pytest.raises(BadRequest):
        await undo_resolutions(ctx, resolution_id="nonsense")
    assert (await undo_resolutions(ctx, ids=[])).outcomes == []


async def test_nobody_elses_decisions_and_no_other_operations_are_touched(ctx: Context) -> None:
    resolved = await resolve_conflicts(ctx, await ids(), Resolution(ACCEPT))
    other = context(ctx.services, org="other")
    with pytest.raises(NotFound):
        await undo_resolutions(other, resolution_id=resolved.resolution_id)
    outcomes = (await undo_resolutions(other, ids=await ids())).outcomes
    assert {type(outcome.error) for outcome in outcomes} == {NotFound}
    assert (await undo_resolutions(other, wanted=ConflictFilter())).outcomes == []
    with pytest.raises(Forbidden):
        await undo_resolutions(context(ctx.services, role=Role.VIEWER), resolution_id=resolved.resolution_id)
    undo = await undo_enrichment(context(ctx.services, role=Role.MANAGER), UndoScope(provider="standin"))
    await Operation.filter(id=undo.id).update(status="running", lease_until=ctx.services.now(), finished_at=None)
    with pytest.raises(NotFound):
        await undo_resolutions(ctx, resolution_id=undo.id)
    assert (await Operation.get(id=undo.id)).status == "running"
    assert await cities() == ["Berlin"] * MANY


async def test_one_that_fails_again_and_again_is_given_up_and_says_so(
    ctx: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_resolution(ctx, monkeypatch, 1, inside=False)
    await Operation.all().update(attempts=20)
    assert await upkeep_runs(ctx.services, clock) == 1
    assert await open_ones() == MANY - 1
    assert (await actions(ctx, "resolution"))[-1] == "resolution.stopped"
    dies(monkeypatch, 0, inside=False)
    with pytest.raises(Killed):
        await undo_resolutions(ctx, ids=await ids())
    monkeypatch.undo()
    await Operation.filter(status="running").update(attempts=20)
    assert await upkeep_runs(ctx.services, clock) == 1
    assert (await actions(ctx, "resolution"))[-1] == "resolution.undo_stopped"


@pytest.mark.parametrize(
    "resolution",
    [
        Resolution(ACCEPT, candidate_id="x", note="n"),
        Resolution(CUSTOM, value=None),
        Resolution(CUSTOM, value={"city": "Bremen"}),
        Resolution(parts=[PartResolution("city", KEEP), PartResolution("street", CUSTOM, value="Elm Way")]),
        Resolution(parts=[]),
        Resolution(),
    ],
)
def test_a_decision_is_stored_as_it_was_made(resolution: Resolution) -> None:
    assert from_json(to_json(resolution)) == resolution


async def test_what_is_erased_before_the_answer_keeps_none_from_being_reported(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resolve_conflicts(ctx, await ids(), Resolution(ACCEPT))

    async def then_erase(kind: OperationKind, run: OperationRun) -> None:
        await run_operation(kind, run)
        await erase_record(context(ctx.services, role=Role.ADMIN), EntityType.ACCOUNT, "A0")

    monkeypatch.setattr(take_back_many, "run_operation", then_erase)
    outcomes = (await undo_resolutions(ctx, ids=await ids())).outcomes
    assert [outcome.error for outcome in outcomes] == [None] * MANY
    assert [outcome.conflict is None for outcome in outcomes] == [True, *[False] * (MANY - 1)]
