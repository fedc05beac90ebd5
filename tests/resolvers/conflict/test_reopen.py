"""A decision can be taken back: value, provenance, memory and trust are as before, and the question is open again.

One file, because every test takes back some decision on the same few conflicts.
"""

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.config import ReviewRule
from enrichment.enums import ConflictStatus, EntityType, Recommendation
from enrichment.learn.suggestions import suggestion_id
from models.audit_list import AuditFilter
from models.conflict.rejection import rejections_of
from models.conflict.table import Conflict, Rejection
from models.record import FieldValue, Record
from models.trust import trust_counts
from resolvers.audit import list_audit, verify_audit
from resolvers.conflict.api import reopen_conflict, resolve_conflict
from resolvers.conflict.choice import ACCEPT, CUSTOM, KEEP, PartResolution, Resolution
from resolvers.conflict.suggestions import accept_suggestion
from resolvers.conflict.watch import watch_conflicts
from resolvers.context import Context, Role, Services
from resolvers.erasure.api import erase_record
from resolvers.errors import ConflictNotReopenable, Erased, Forbidden, NotFound, OperationError
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.record.explain import explain
from resolvers.undo.api import undo_job
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("db")

HAMBURG = {"city": "Hamburg", "street": "Deichstrasse 9"}
BERLIN = {"city": "Berlin", "postalCode": "10115"}


def standin(**knows: Any) -> StandIn:
    return StandIn(knows={"acme.com": knows or BERLIN})


async def raised(shared: Services, **fields: Any) -> Conflict:
    """The CRM says Hamburg, with a street; the provider Berlin, with a postal code."""
    await send(context(shared), "account", "A1", domain="acme.com", **(fields or HAMBURG))
    await work(shared)
    return await Conflict.get(status=ConflictStatus.OPEN)


async def force(shared: Services) -> None:
    await enrich_records(context(shared), RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)


_PROVENANCE = (
    "field", "value", "source", "actor", "confidence", "job_id", "observed_at", "observed_at_known", "raw_value",
    "unreadable", "accepted_from",
)  # fmt: skip


async def state() -> dict[str, Any]:
    """All that a decision may change, but for the versions of records and the ids of values."""
    record = await Record.get()
    values = await FieldValue.filter(replaced_at=None).order_by("field")
    return {
        "fields": record.fields,
        "unreadable": record.unreadable or {},
        "received": record.received,
        "raw": record.raw_values,
        "completeness": record.completeness,
        "values": [{name: getattr(value, name) for name in _PROVENANCE} for value in values],
        "rejected": await rejections_of([record.id]),
        "trust": [row for row in await trust_counts(["acme"]) if row.accepted + row.rejected + row.overwritten],
    }


async def question(conflict_id: str) -> dict[str, Any]:
    conflict = await Conflict.get(id=conflict_id)
    return {
        name: getattr(conflict, name)
        for name in ("status", "current", "candidates", "resolution", "resolution_id", "by_rule", "resolved_at")
    }


DECISIONS = (
    Resolution(ACCEPT),
    Resolution(KEEP, note="ours is right"),
    Resolution(CUSTOM, value={"city": "Bremen", "country": "Germany"}),
    Resolution(parts=[PartResolution("postalCode", ACCEPT)]),
    None,
)


@pytest.mark.parametrize("resolution", DECISIONS, ids=["accept", "keep", "custom", "parts", "none"])
async def test_all_is_as_it_was_before_the_decision(redis: ArqRedis, resolution: Resolution | None) -> None:
    shared = services(redis, standin())
    ctx, other = context(shared), context(shared, user="bob")
    conflict = await raised(shared)
    if resolution is None:
        await Conflict.all().update(recommendation=Recommendation.NONE, recommended_id=None)
    before, asked = await state(), await question(conflict.id)
    decided = await resolve_conflict(ctx, conflict.id, resolution)
    assert await state() != before

    reopened = await reopen_conflict(other, conflict.id)

    assert (await state(), await question(conflict.id)) == (before, asked)
    assert reopened.status is ConflictStatus.OPEN
    assert reopened.taken_back is not None
    [taken_back] = reopened.taken_back
    assert {**taken_back, **(decided.resolution or {})} == taken_back
    assert (taken_back["takenBackBy"], taken_back["resolvedBy"]) == ("bob", "ann")
    line = (await list_audit(ctx, AuditFilter(action="conflict"), PageArgs())).items[0]
    assert (line.action, line.actor, line.subject) == ("conflict.reopened", "bob", conflict.id)
    assert line.details["left"] == []
    assert (await verify_audit(ctx)).intact


async def test_what_was_rejected_may_be_asked_about_again(redis: ArqRedis) -> None:
    source = standin()
    shared = services(redis, source)
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    await force(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 0
    await reopen_conflict(ctx, conflict.id)
    await force(shared)
    again = await Conflict.get(status=ConflictStatus.OPEN)
    assert again.id == conflict.id
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    assert (await Record.get()).fields["city"] == "Berlin"


async def test_what_others_rejected_stays_remembered(redis: ArqRedis) -> None:
    shared = services(redis, standin(city="Berlin", description="Makes skates"))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", city="Hamburg", description="Makes anvils")
    await work(shared)
    first, second = await Conflict.filter(status=ConflictStatus.OPEN).order_by("field")
    await resolve_conflict(ctx, first.id, Resolution(KEEP))
    await resolve_conflict(ctx, second.id, Resolution(KEEP))
    await reopen_conflict(ctx, first.id)
    assert {rejection.conflict_id for rejection in await Rejection.all()} == {second.id}
    assert [(row.field, row.rejected) for row in await trust_counts(["acme"]) if row.rejected] == [("description", 1)]


async def test_what_was_learned_of_others_stays_where_a_decision_taught_nothing(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    judged = await raised(shared)
    await resolve_conflict(ctx, judged.id, Resolution(KEEP))
    learned = await trust_counts(["acme"])
    await send(ctx, "account", "A2", domain="acme.com", city="Hamburg")
    await work(shared)
    undecided = await Conflict.get(status=ConflictStatus.OPEN)
    await Conflict.filter(id=undecided.id).update(recommendation=Recommendation.NONE, recommended_id=None)
    await resolve_conflict(ctx, undecided.id, None)
    await reopen_conflict(ctx, undecided.id)
    assert await trust_counts(["acme"]) == learned
    await _decide_by_rule(shared)
    await reopen_conflict(ctx, undecided.id)
    assert await trust_counts(["acme"]) == learned


async def test_a_decision_is_taken_back_and_made_otherwise_again_and_again(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    before = await state()
    for count, resolution in enumerate([Resolution(ACCEPT), Resolution(KEEP), Resolution(ACCEPT)], 1):
        await resolve_conflict(ctx, conflict.id, resolution)
        taken_back = (await reopen_conflict(ctx, conflict.id)).taken_back
        assert taken_back is not None
        assert len(taken_back) == count
        assert await state() == before


async def test_what_an_earlier_decision_wrote_and_the_last_did_not_is_no_change(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await reopen_conflict(ctx, conflict.id)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))  # the postal code stays empty
    assert (await reopen_conflict(ctx, conflict.id)).status is ConflictStatus.OPEN
    details = (await list_audit(ctx, AuditFilter(action="conflict.reopened"), PageArgs())).items[0].details
    assert (details["restored"], details["left"]) == (["city"], [])


async def test_what_was_written_since_is_left_alone_and_nothing_else_is_taken_back(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A1", city="Munich")
    before = await state()
    with pytest.raises(ConflictNotReopenable, match="the CRM has changed the city since") as refused:
        await reopen_conflict(ctx, conflict.id)
    assert refused.value.details == {"state": "resolved", "changed": ["city"]}
    assert await state() == before
    assert (await Conflict.get()).status is ConflictStatus.RESOLVED


async def test_a_kept_value_that_was_changed_since_is_left_alone_too(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    await Conflict.all().update(recommendation=Recommendation.NONE, recommended_id=None)
    await resolve_conflict(ctx, conflict.id, None)
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A1", city="Munich")
    with pytest.raises(ConflictNotReopenable, match="the CRM has changed the city since"):
        await reopen_conflict(ctx, conflict.id)


async def test_a_part_beside_the_dispute_that_was_changed_since_is_left_alone_and_shown(redis: ArqRedis) -> None:
    shared = services(redis, standin(**BERLIN, street="Invalidenstrasse 1"))
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A1", street="Chausseestrasse 5")
    reopened = await reopen_conflict(ctx, conflict.id)
    fields = (await Record.get()).fields
    assert {name: fields.get(name) for name in ("street", "city", "postalCode")} == {
        "street": "Chausseestrasse 5", "city": "Hamburg", "postalCode": None,
    }  # fmt: skip
    assert reopened.status is ConflictStatus.OPEN
    assert reopened.current is not None
    assert reopened.current["value"] == {"street": "Chausseestrasse 5", "city": "Hamburg"}
    details = (await list_audit(ctx, AuditFilter(action="conflict.reopened"), PageArgs())).items[0].details
    assert (details["restored"], details["left"]) == (["city", "postalCode"], ["street"])


async def test_an_undo_since_leaves_nothing_to_take_back(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    await _decide_by_rule(shared)
    await undo_job(ctx, conflict.job_id)
    with pytest.raises(ConflictNotReopenable, match="an undo has changed the city since"):
        await reopen_conflict(ctx, conflict.id)


async def _decide_by_rule(shared: Services) -> None:
    """As a rule that is accepted settles what is open."""
    rule = {"entityType": "account", "field": "city", "provider": "standin", "action": "accept"}
    ctx = context(shared, role=Role.ADMIN)
    await configure(ctx, rules=[rule])
    accepted = await accept_suggestion(ctx, suggestion_id(ReviewRule.model_validate(rule)))
    assert [outcome.error for outcome in accepted.outcomes] == [None]


async def test_what_a_rule_decided_is_taken_back(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    conflict = await raised(shared)
    before, asked = await state(), await question(conflict.id)
    await _decide_by_rule(shared)
    assert (await Record.get()).fields["city"] == "Berlin"
    await reopen_conflict(context(shared), conflict.id)
    assert (await state(), await question(conflict.id)) == (before, asked)


async def test_a_newer_question_about_the_same_is_decided_instead(redis: ArqRedis) -> None:
    source = standin()
    shared = services(redis, source)
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    source.knows = {"acme.com": {"city": "Munich"}}
    await force(shared)
    newer = await Conflict.get(status=ConflictStatus.OPEN)
    with pytest.raises(ConflictNotReopenable, match="a newer conflict about the address is open") as refused:
        await reopen_conflict(ctx, conflict.id)
    assert refused.value.details["newerConflict"] == newer.id
    await Conflict.filter(id=newer.id).update(recommendation=Recommendation.NONE, recommended_id=None)
    await resolve_conflict(ctx, newer.id, None)
    with pytest.raises(ConflictNotReopenable, match="take that decision back first"):
        await reopen_conflict(ctx, conflict.id)
    await reopen_conflict(ctx, newer.id)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 1


async def test_a_part_and_its_whole_are_never_open_beside_each_other(redis: ArqRedis) -> None:
    source = standin(street="Kastanienallee 1", city="Hamburg")
    shared = services(redis, source)
    ctx = context(shared)
    street = await raised(shared)
    assert street.unit is None
    await resolve_conflict(ctx, street.id, Resolution(KEEP))
    source.knows = {"acme.com": BERLIN}
    await force(shared)
    address = await Conflict.get(status=ConflictStatus.OPEN)
    assert address.unit is not None
    with pytest.raises(ConflictNotReopenable, match="about the address is open"):
        await reopen_conflict(ctx, street.id)


async def test_of_two_who_take_back_at_once_one_does_and_the_same_again_is_no_error(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ann, bob = context(shared), context(shared, user="bob")
    conflict = await raised(shared)
    await resolve_conflict(ann, conflict.id, Resolution(ACCEPT))

    async def end(ctx: Context) -> str:
        try:
            await reopen_conflict(ctx, conflict.id)
        except ConflictNotReopenable as refused:
            return refused.message
        return ctx.caller.user if ctx.caller else ""

    ends = await asyncio.gather(end(ann), end(bob), end(ann), end(bob))
    assert set(ends) in ({"ann", _OPEN}, {"bob", _OPEN})
    assert len((await Conflict.get()).taken_back or []) == 1
    assert await FieldValue.filter(restores__isnull=False).count() == 1  # the city; the postal code was empty


_OPEN = "the conflict is open: there is no decision to take back"


async def test_taking_back_and_deciding_otherwise_at_once_leave_one_of_both(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ann, bob = context(shared), context(shared, user="bob")
    conflict = await raised(shared)
    await resolve_conflict(ann, conflict.id, Resolution(ACCEPT))

    async def quietly(what: Any) -> None:
        try:
            await what
        except OperationError:
            return

    await asyncio.gather(
        quietly(reopen_conflict(ann, conflict.id)), quietly(resolve_conflict(bob, conflict.id, Resolution(KEEP)))
    )
    held = await FieldValue.get(field="city", replaced_at=None)
    after = await Conflict.get()
    expected = {ConflictStatus.OPEN: ("Hamburg", "crm"), ConflictStatus.RESOLVED: ("Hamburg", "reviewer")}
    assert (held.value, held.source) == expected[after.status]


async def test_what_the_crm_sent_back_meanwhile_is_its_edit_when_it_sends_it_again(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    await configure(ctx, triggers={"onUpdate": False})
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await send(ctx, "account", "A1", city="Berlin")  # as it is shown
    assert (await FieldValue.get(field="city", replaced_at=None)).source == "reviewer"
    await reopen_conflict(ctx, conflict.id)
    assert (await Record.get()).fields["city"] == "Hamburg"
    await send(ctx, "account", "A1", city="Berlin")
    held = await FieldValue.get(field="city", replaced_at=None)
    assert (held.value, held.source) == ("Berlin", "crm")
    assert (await Conflict.get()).status is ConflictStatus.SUPERSEDED
    with pytest.raises(ConflictNotReopenable, match="the record has changed"):
        await reopen_conflict(ctx, conflict.id)


async def test_what_cannot_be_read_returns_as_it_was_sent(redis: ArqRedis) -> None:
    shared = services(redis, standin(foundedYear=1949))
    ctx = context(shared)
    conflict = await raised(shared, foundedYear="long ago")
    before, asked = await state(), await question(conflict.id)
    assert before["unreadable"]["foundedYear"]["raw"] == "long ago"
    for resolution in (Resolution(ACCEPT), Resolution(KEEP)):
        await resolve_conflict(ctx, conflict.id, resolution)
        await reopen_conflict(ctx, conflict.id)
        assert (await state(), await question(conflict.id)) == (before, asked)


async def test_a_decision_that_an_earlier_version_stored_is_taken_back(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    before = await state()
    await resolve_conflict(ctx, conflict.id, Resolution(parts=[PartResolution("city", CUSTOM, value="Bremen")]))
    await FieldValue.all().update(conflict_id=None)
    await Rejection.all().update(conflict_id=None)
    await reopen_conflict(ctx, conflict.id)
    assert await state() == before


async def test_nothing_returns_of_a_record_that_was_erased(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared, role=Role.ADMIN)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await erase_record(ctx, EntityType.ACCOUNT, "A1")
    with pytest.raises(NotFound):
        await reopen_conflict(ctx, conflict.id)


async def test_nothing_of_a_person_who_was_erased_meanwhile_returns_in_another_record(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"email": "sam.roe@acme.com"}}))
    ctx = context(shared, role=Role.ADMIN)
    await send(ctx, "lead", "L1", companyDomain="acme.com", email="jo.doe@acme.com", company="Acme")
    await work(shared)
    conflict = await Conflict.get(status=ConflictStatus.OPEN)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await send(ctx, "lead", "L2", email="jo.doe@acme.com")
    await erase_record(ctx, EntityType.LEAD, "L2")
    before = await state()
    with pytest.raises(Erased):
        await reopen_conflict(ctx, conflict.id)
    assert await state() == before
    assert before["fields"]["email"] == "sam.roe@acme.com"


async def test_who_may_take_back_what(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    conflict = await raised(shared)
    with pytest.raises(ConflictNotReopenable, match="no decision to take back"):
        await reopen_conflict(context(shared), conflict.id)
    await resolve_conflict(context(shared), conflict.id, Resolution(ACCEPT))
    with pytest.raises(NotFound):
        await reopen_conflict(context(shared, org="other"), conflict.id)
    with pytest.raises(Forbidden):
        await reopen_conflict(context(shared, role=Role.VIEWER), conflict.id)
    assert (await Conflict.get()).status is ConflictStatus.RESOLVED


async def test_who_watches_sees_the_question_again(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, standin(), now=clock)
    ctx = context(shared)
    old = await raised(shared)
    await resolve_conflict(ctx, old.id, Resolution(KEEP))
    clock.ahead_seconds += 60
    await shared.events.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), contextlib.aclosing(watch_conflicts(ctx)) as watching:  # type: ignore[type-var]  # it is a generator, typed as what it yields
            next_one = asyncio.ensure_future(anext(watching))
            await asyncio.sleep(0.2)
            clock.ahead_seconds += 60
            await reopen_conflict(ctx, old.id)
            assert (await next_one)[0].id == old.id
            next_one = asyncio.ensure_future(anext(watching))
            await resolve_conflict(ctx, old.id, Resolution(KEEP))
            clock.ahead_seconds += 60
            await reopen_conflict(ctx, old.id)
            assert len((await next_one)[0].taken_back or ()) == 2
    finally:
        await shared.events.stop()


async def test_what_came_back_is_explained(redis: ArqRedis) -> None:
    shared = services(redis, standin())
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    await reopen_conflict(ctx, conflict.id)
    now = datetime.fromisoformat(((await Conflict.get()).taken_back or [])[0]["takenBackAt"])
    city = (await explain(ctx, EntityType.ACCOUNT, "A1", "city")).text
    assert f"It came back on {now:%Y-%m-%d %H:%M} UTC, when a decision in review was taken back." in city
    assert "has waited for a person since" in city
    code = (await explain(ctx, EntityType.ACCOUNT, "A1", "postalCode")).text
    assert f"It was emptied on {now:%Y-%m-%d %H:%M} UTC, when a decision in review was taken back." in code
