"""An address and an employment are one question: raised, followed and decided as a whole, by part where one likes.

One file, because every test raises the same few questions, and what becomes of one part is the others' matter too.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit, ResolutionAction
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.conflict.rejection import rejections_of
from models.conflict.shown import AnyConflict
from models.conflict.table import Conflict
from models.record import FieldValue, Record
from resolvers.audit import list_audit
from resolvers.conflict.api import get_conflict, list_conflicts, resolve_conflict, resolve_matching
from resolvers.conflict.choice import ACCEPT, CUSTOM, KEEP, PartResolution, Resolution, choose
from resolvers.conflict.settle import settle_conflict
from resolvers.conflict.stored import disputed_parts, questions_of
from resolvers.conflict.trust import trust_of
from resolvers.context import Context, Services
from resolvers.errors import ConflictAlreadyResolved, StateConflict, ValidationFailed
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.record.api import upsert_records
from resolvers.record.explain import explain
from resolvers.undo.api import undo_enrichment, undo_job
from resolvers.undo.scope import UndoScope
from tests.support.factories import StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

STOCKHOLM = {"street": "Regeringsgatan 19", "city": "Stockholm"}
LUXEMBOURG = {"city": "Luxembourg", "postalCode": "1610", "country": "Luxembourg"}
JANE = {
    "firstName": "Jane", "lastName": "Doe", "email": "jane@acme.com", "company": "Acme", "companyDomain": "acme.com",
    "title": "Engineer",
}  # fmt: skip
GLOBEX = {"company": "Globex", "companyDomain": "globex.com", "title": "Head of Engineering"}


def spotify(**more: Any) -> StandIn:
    return StandIn(knows={"spotify.com": LUXEMBOURG | more})


async def raised(shared: Services, **fields: Any) -> Conflict:
    """The open conflict about the address of an account in Stockholm."""
    await send(context(shared), "account", "A1", domain="spotify.com", **(STOCKHOLM | fields))
    await work(shared)
    return await Conflict.get(status=ConflictStatus.OPEN)


async def force(shared: Services, entity_type: EntityType = EntityType.ACCOUNT) -> None:
    await enrich_records(context(shared), RecordSelection(entity_type), force=True)
    await work(shared)


async def held(*names: str) -> dict[str, Any]:
    fields = (await Record.get()).fields
    return {name: fields[name] for name in names if name in fields}


async def sources() -> dict[str, str]:
    return {value.field: value.source for value in await FieldValue.filter(replaced_at=None)}


def shown(conflict: AnyConflict) -> dict[str, tuple[Any, list[Any]]]:
    """By part: its value and what is proposed."""
    return {
        question.field: (question.value, [candidate["value"] for candidate in question.candidates])
        for question in questions_of(conflict)
    }


async def test_an_address_of_two_places_is_one_question_and_none_of_it_is_written(redis: ArqRedis) -> None:
    conflict = await raised(services(redis, spotify()))
    assert (conflict.field, conflict.unit, conflict.reason) == (
        "address", FieldUnit.ADDRESS, ConflictReason.EXISTING_DIFFERS,
    )  # fmt: skip
    assert await held("city", "postalCode", "country") == {"city": "Stockholm"}
    assert conflict.current is not None
    assert (conflict.current["value"], conflict.current["source"]) == (STOCKHOLM, "crm")
    [answer] = conflict.candidates
    assert (answer["value"], answer["provider"], answer["confidence"]) == (LUXEMBOURG, "standin", 0.9)
    assert shown(conflict) == {
        "street": ("Regeringsgatan 19", []), "city": ("Stockholm", ["Luxembourg"]), "postalCode": (None, ["1610"]),
        "country": (None, ["Luxembourg"]),
    }  # fmt: skip
    assert disputed_parts(conflict) == {"city"}
    reasons = {outcome["field"]: outcome["reason"] for outcome in (await conflict.job).outcomes}
    assert [reasons[name] for name in ("street", "city", "postalCode", "country")] == ["no_data", *["conflict"] * 3]


async def test_asking_again_keeps_one_question(redis: ArqRedis) -> None:
    standin = spotify()
    shared = services(redis, standin)
    conflict = await raised(shared)
    standin.knows = {"spotify.com": LUXEMBOURG | {"city": "Esch"}}
    await force(shared)
    again = await Conflict.get()
    assert (again.id, shown(again)["city"]) == (conflict.id, ("Stockholm", ["Esch"]))


async def test_accepting_an_answer_writes_all_its_parts(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    resolved = await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT, conflict.candidates[0]["id"]))
    assert await held("street", "city", "postalCode", "country") == STOCKHOLM | LUXEMBOURG
    assert {name: source for name, source in (await sources()).items() if name in LUXEMBOURG} == dict.fromkeys(
        LUXEMBOURG, "reviewer"
    )
    assert (await sources())["street"] == "crm"  # no answer said anything of it
    assert resolved.resolution is not None
    assert (resolved.resolution["action"], resolved.resolution["value"]) == ("accept_candidate", LUXEMBOURG)
    assert [(part["field"], part["action"], part["value"]) for part in resolved.resolution["parts"]] == [
        (name, "accept_candidate", LUXEMBOURG[name]) for name in ("city", "postalCode", "country")
    ]
    judged = (await trust_of(["acme"]))["acme"]
    assert [judged.of("standin", EntityType.ACCOUNT, name).accepted for name in LUXEMBOURG] == [1, 1, 1]
    [entry] = [
        entry
        for entry in (await list_audit(ctx, AuditFilter(), PageArgs())).items
        if entry.action == "conflict.resolved"
    ]
    assert entry.details["parts"] == dict.fromkeys(LUXEMBOURG, "accept_candidate")


async def test_keeping_an_address_is_remembered_by_part(redis: ArqRedis) -> None:
    standin = spotify()
    shared = services(redis, standin)
    ctx = context(shared)
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    assert await held("city", "postalCode", "country") == {"city": "Stockholm"}
    assert ((await sources())["city"], (await sources())["street"]) == ("reviewer", "crm")
    rejected = {(name, source) for name, _, source in (await rejections_of([conflict.record_id]))[conflict.record_id]}
    assert rejected == {(name, "standin") for name in LUXEMBOURG}
    judged = (await trust_of(["acme"]))["acme"]
    assert [judged.of("standin", EntityType.ACCOUNT, name).rejected for name in LUXEMBOURG] == [1, 1, 1]

    standin.knows = {"spotify.com": LUXEMBOURG | {"postalCode": "1611"}}
    await force(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 0
    assert await held("city", "postalCode", "country") == {"city": "Stockholm"}


async def test_a_second_source_that_agrees_makes_it_a_question_again(redis: ArqRedis) -> None:
    second = StandIn(id="second")
    shared = services(redis, spotify(), second)
    ctx = context(shared)
    await configure(ctx, strategy="consensus")
    conflict = await raised(shared)
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    second.knows = {"spotify.com": LUXEMBOURG}
    await force(shared)
    again = await Conflict.get(status=ConflictStatus.OPEN)
    assert sorted(answer["provider"] for answer in again.candidates) == ["second", "standin"]
    assert shown(again)["city"] == ("Stockholm", ["Luxembourg", "Luxembourg"])


async def test_each_part_is_decided_by_itself_where_one_likes(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    [answer] = conflict.candidates
    parts = [
        PartResolution("city", CUSTOM, value="solna"), PartResolution("postalCode", ACCEPT, answer["id"]),
        PartResolution("street", CUSTOM, value="Råsundavägen 1"),
    ]  # fmt: skip
    resolved = await resolve_conflict(ctx, conflict.id, Resolution(parts=parts, note="called them"))
    assert await held("street", "city", "postalCode", "country") == {
        "street": "Råsundavägen 1", "city": "Solna", "postalCode": "1610",
    }  # fmt: skip
    assert resolved.resolution is not None
    assert {part["field"]: part["action"] for part in resolved.resolution["parts"]} == {
        "street": "custom_value", "city": "custom_value", "postalCode": "accept_candidate", "country": "keep_current",
    }  # fmt: skip
    assert (resolved.resolution["action"], resolved.resolution["note"]) == ("custom_value", "called them")
    rejected = {name for name, _, _ in (await rejections_of([conflict.record_id]))[conflict.record_id]}
    assert rejected == {"city", "country"}


@pytest.mark.parametrize(
    ("parts", "action"),
    [
        ([PartResolution(part, ACCEPT) for part in ("city", "postalCode", "country")], ACCEPT),
        ([PartResolution("city", KEEP)], KEEP),
        ([PartResolution("city", ACCEPT)], CUSTOM),  # the others, which are not named, keep their values
    ],
)  # fmt: skip
async def test_parts_that_are_all_decided_alike_are_one_decision(
    redis: ArqRedis, parts: list[PartResolution], action: ResolutionAction
) -> None:
    shared = services(redis, spotify())
    conflict = await raised(shared)
    resolved = await resolve_conflict(context(shared), conflict.id, Resolution(parts=parts))
    assert resolved.resolution is not None
    assert resolved.resolution["action"] == action.value
    assert resolved.resolution["candidateId"] == (conflict.candidates[0]["id"] if action is ACCEPT else None)


async def test_an_address_of_ones_own_is_checked_field_by_field(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    with pytest.raises(ValidationFailed) as refused:
        await resolve_conflict(
            ctx, conflict.id, Resolution(CUSTOM, value={"country": "Atlantis", "city": "", "name": "Acme"})
        )
    assert {fault.path for fault in refused.value.faults} == {"value.country", "value.city", "value.name"}
    value = {"city": "GÖTEBORG", "state": "Västra Götaland", "country": "sverige"}
    resolved = await resolve_conflict(ctx, conflict.id, Resolution(CUSTOM, value=value))
    assert await held("street", "city", "postalCode", "country") == {
        "street": "Regeringsgatan 19", "city": "Göteborg", "country": "Sweden",
    }  # fmt: skip
    assert resolved.resolution is not None
    assert list(resolved.resolution["value"]) == ["city", "state", "country"]


async def test_without_a_body_the_recommended_address_is_taken_or_the_current_one_kept(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    conflict = await raised(shared)
    await resolve_conflict(context(shared), conflict.id, None)
    taken = conflict.recommended_id is not None
    assert (await held("city")) == {"city": "Luxembourg" if taken else "Stockholm"}


async def test_the_same_decision_again_is_no_error_and_another_one_is_refused(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx, other = context(shared), context(shared, user="bob")
    conflict = await raised(shared)
    by_part = Resolution(parts=[PartResolution("city", CUSTOM, value="Solna")])
    first = await resolve_conflict(ctx, conflict.id, by_part)
    assert (await resolve_conflict(ctx, conflict.id, by_part)).resolution == first.resolution
    for late in (Resolution(parts=[PartResolution("city", CUSTOM, value="Lund")]), Resolution(KEEP)):
        with pytest.raises(ConflictAlreadyResolved) as refused:
            await resolve_conflict(other, conflict.id, late)
        assert refused.value.details["resolution"]["parts"] == (first.resolution or {})["parts"]
    assert (await held("city")) == {"city": "Solna"}


async def test_of_two_reviewers_at_once_one_decides_the_whole_address(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    conflict = await raised(shared)

    async def resolve(ctx: Context, resolution: Resolution) -> str:
        try:
            await resolve_conflict(ctx, conflict.id, resolution)
        except ConflictAlreadyResolved:
            return "refused"
        return "won"

    ends = await asyncio.gather(
        resolve(context(shared, user="ann"), Resolution(KEEP)), resolve(context(shared, user="bob"), Resolution(ACCEPT))
    )
    assert sorted(ends) == ["refused", "won"]
    assert await held("city", "postalCode") in ({"city": "Stockholm"}, {"city": "Luxembourg", "postalCode": "1610"})


async def test_what_the_crm_changes_of_the_dispute_ends_the_question(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    await send(ctx, "account", "A1", city="Luxembourg")
    assert (await get_conflict(ctx, conflict.id)).status is ConflictStatus.SUPERSEDED
    await force(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 0
    assert await held("city", "postalCode", "country") == LUXEMBOURG


async def test_what_the_crm_changes_beside_the_dispute_is_shown_and_never_lost(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A1", country="Sweden")
    renewed = await get_conflict(ctx, conflict.id)
    assert (renewed.status, shown(renewed)["country"]) == (ConflictStatus.OPEN, ("Sweden", ["Luxembourg"]))
    assert disputed_parts(renewed) == {"city", "country"}
    await resolve_conflict(ctx, conflict.id, Resolution(KEEP))
    assert await held("city", "country") == {"city": "Stockholm", "country": "Sweden"}


async def test_a_person_decides_about_an_address_as_they_have_seen_it(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    await configure(ctx, triggers={"onUpdate": False})
    await send(ctx, "account", "A1", country="Sweden")
    seen = await Conflict.get(id=conflict.id).prefetch_related("record")
    seen.updated_at = conflict.updated_at
    with pytest.raises(StateConflict, match="changed meanwhile"):
        await settle_conflict(shared, seen, choose(seen, Resolution(KEEP)).by_reviewer("ann", shared.now()))
    assert (await sources())["country"] == "crm"


async def test_a_job_that_finds_the_same_place_ends_the_question(redis: ArqRedis) -> None:
    standin = spotify()
    shared = services(redis, standin)
    conflict = await raised(shared)
    standin.knows = {"spotify.com": {"city": "Stockholm", "postalCode": "11153"}}
    await force(shared)
    await conflict.refresh_from_db()
    assert conflict.status is ConflictStatus.SUPERSEDED
    assert await held("city", "postalCode") == {"city": "Stockholm", "postalCode": "11153"}


async def test_a_question_goes_on_until_all_that_it_disputes_is_settled(redis: ArqRedis) -> None:
    standin = spotify()
    shared = services(redis, standin)
    conflict = await raised(shared, country="Sweden")
    standin.knows = {"spotify.com": {"city": "Stockholm"}}
    await force(shared)
    await conflict.refresh_from_db()
    assert (conflict.status, disputed_parts(conflict)) == (ConflictStatus.OPEN, {"city", "country"})
    standin.knows = {"spotify.com": {"city": "Stockholm", "country": "Sweden"}}
    await force(shared)
    await conflict.refresh_from_db()
    assert conflict.status is ConflictStatus.SUPERSEDED


async def test_a_street_alone_is_a_question_of_its_own_until_its_address_is_disputed(redis: ArqRedis) -> None:
    standin = StandIn(knows={"spotify.com": {"street": "Vasagatan 1", "city": "Stockholm"}})
    shared = services(redis, standin)
    street = await raised(shared)
    assert (street.field, street.unit) == ("street", None)
    standin.knows = {"spotify.com": LUXEMBOURG | {"street": "Boulevard Royal 1"}}
    await force(shared)
    await street.refresh_from_db()
    address = await Conflict.get(status=ConflictStatus.OPEN)
    assert (street.status, address.unit) == (ConflictStatus.SUPERSEDED, FieldUnit.ADDRESS)
    assert shown(address)["street"] == ("Regeringsgatan 19", ["Boulevard Royal 1"])


async def test_a_street_joins_the_question_that_is_open_about_its_address(redis: ArqRedis) -> None:
    standin = spotify()
    shared = services(redis, standin)
    conflict = await raised(shared)
    standin.knows = {"spotify.com": {"street": "Vasagatan 1"}}
    await force(shared)
    again = await Conflict.get(status=ConflictStatus.OPEN)
    assert again.id == conflict.id
    assert shown(again)["street"] == ("Regeringsgatan 19", ["Vasagatan 1"])
    assert [answer["provider"] for answer in again.candidates] == ["standin"]
    await resolve_conflict(context(shared), conflict.id, Resolution(ACCEPT))
    assert await held("street", "city") == {"street": "Vasagatan 1", "city": "Luxembourg"}


async def test_a_filter_that_names_a_part_finds_the_question_about_its_unit(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    for name in ("street", "city", "postalCode", "country", "address"):
        found = await list_conflicts(ctx, ConflictFilter(field=name), PageArgs())
        assert [item.id for item in found.items] == [conflict.id], name
    for name in ("state", "code", "domain", "employment"):
        assert (await list_conflicts(ctx, ConflictFilter(field=name), PageArgs())).items == []
    resolved, left = await resolve_matching(ctx, ConflictFilter(field="city"), Resolution(KEEP), expected_count=1)
    assert ([outcome.error for outcome in resolved.outcomes], left) == ([None], 0)


async def test_a_part_whose_policy_is_never_is_neither_asked_about_nor_written(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"fields": {"postalCode": "never", "street": "never"}}})
    conflict = await raised(shared)
    assert set(shown(conflict)) == {"city", "country"}
    await resolve_conflict(ctx, conflict.id, Resolution(ACCEPT))
    assert await held("street", "city", "postalCode", "country") == {
        "street": "Regeringsgatan 19", "city": "Luxembourg", "country": "Luxembourg",
    }  # fmt: skip


async def test_undoing_a_job_takes_back_the_address_that_it_wrote(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    sent = await send(ctx, "account", "A1", domain="spotify.com", **STOCKHOLM)
    await work(shared)
    assert await held("city", "postalCode", "country") == LUXEMBOURG
    await undo_job(ctx, (await job_of(sent)).id)
    assert await held("street", "city", "postalCode", "country") == STOCKHOLM
    await force(shared)
    assert await held("street", "city", "postalCode", "country") == STOCKHOLM


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ("city", STOCKHOLM),
        ("postalCode", STOCKHOLM),
        ("street", LUXEMBOURG | {"street": "Regeringsgatan 19"}),  # it disputes nothing
    ],
)
async def test_an_undo_that_names_a_part_reaches_the_unit_by_it(
    redis: ArqRedis, field: str, left: dict[str, Any]
) -> None:
    shared = services(redis, spotify(street="Boulevard Royal 1", industry="Software"))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    await send(ctx, "account", "A1", domain="spotify.com", **STOCKHOLM)
    await work(shared)
    await undo_enrichment(ctx, UndoScope(field=field))
    await work(shared)
    assert await held("street", "city", "postalCode", "country", "industry") == left | {"industry": "Software"}


async def test_an_undo_of_a_disputed_part_ends_the_question(redis: ArqRedis) -> None:
    first, second = StandIn(id="first", knows={"spotify.com": {"city": "Stockholm"}}), spotify()
    shared = services(redis, first, second)
    ctx = context(shared)
    await configure(ctx, providers=[{"id": "first"}, {"id": "standin", "enabled": False}])
    sent = await send(ctx, "account", "A1", domain="spotify.com", country="Sweden")
    await work(shared)
    await configure(ctx, providers=[{"id": "first", "enabled": False}, {"id": "standin"}])
    await force(shared)
    conflict = await Conflict.get(status=ConflictStatus.OPEN)
    assert disputed_parts(conflict) == {"city", "country"}
    await undo_job(ctx, (await job_of(sent)).id)
    await conflict.refresh_from_db()
    assert conflict.status is ConflictStatus.SUPERSEDED


@pytest.mark.parametrize(
    ("action", "city", "open_ones"), [("accept", "Luxembourg", 0), ("keep", "Stockholm", 0)]
)  # fmt: skip
async def test_a_rule_about_a_part_decides_what_would_be_a_question(
    redis: ArqRedis, action: str, city: str, open_ones: int
) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    await configure(ctx, rules=[{"entityType": "account", "field": "city", "action": action}])
    await send(ctx, "account", "A1", domain="spotify.com", **STOCKHOLM)
    await work(shared)
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == open_ones
    expected = {"city": city} | ({"postalCode": "1610", "country": "Luxembourg"} if action == "accept" else {})
    assert await held("city", "postalCode", "country") == expected


async def test_a_field_is_explained_by_the_question_about_its_unit(redis: ArqRedis) -> None:
    shared = services(redis, spotify())
    ctx = context(shared)
    conflict = await raised(shared)
    explanation = await explain(ctx, EntityType.ACCOUNT, "A1", "country")
    assert [item.id for item in explanation.conflicts] == [conflict.id]
    assert "A conflict about the address that it is a part of has waited for a person since" in explanation.text
    await resolve_conflict(ctx, conflict.id, Resolution(parts=[PartResolution("city", CUSTOM, value="Solna")]))
    assert "ann set a value in review" in (await explain(ctx, EntityType.ACCOUNT, "A1", "city")).text
    assert "ann kept the value in review" in (await explain(ctx, EntityType.ACCOUNT, "A1", "country")).text


async def employed(shared: Services, **fields: Any) -> Conflict:
    await send(context(shared), "lead", "L1", **(JANE | fields))
    await work(shared)
    return await Conflict.get(status=ConflictStatus.OPEN)


def apollo(answer: Mapping[str, Any]) -> StandIn:
    return StandIn(id="apollo", knows={"acme.com": answer})


async def test_a_change_of_employer_is_one_question_with_the_mailbox_that_is_at_risk(redis: ArqRedis) -> None:
    shared = services(redis, apollo(GLOBEX))
    conflict = await employed(shared)
    assert (conflict.unit, conflict.reason) == (FieldUnit.EMPLOYMENT, ConflictReason.JOB_CHANGE)
    assert shown(conflict) == {
        "email": ("jane@acme.com", []), "title": ("Engineer", ["Head of Engineering"]), "company": ("Acme", ["Globex"]),
        "companyDomain": ("acme.com", ["globex.com"]),
    }  # fmt: skip
    assert conflict.recommended_because.startswith(
        "Apollo names another employer, Globex (globex.com) instead of Acme (acme.com), as Head of Engineering instead"
        " of Engineer, so that jane@acme.com may no longer reach the person"
    )
    assert await held("company", "companyDomain", "title") == {
        "company": "Acme", "companyDomain": "acme.com", "title": "Engineer",
    }  # fmt: skip
    await resolve_conflict(context(shared), conflict.id, Resolution(ACCEPT))
    assert await held("company", "companyDomain", "title", "email") == GLOBEX | {"email": "jane@acme.com"}


async def test_what_the_recommended_answer_does_not_give_is_taken_from_one_that_agrees(redis: ArqRedis) -> None:
    """Else the domain of the old employer would stay beside the company's new name."""
    new = {**GLOBEX, "email": "jane@globex.com"}
    known: list[dict[str, Any]] = [
        {name: value for name, value in new.items() if name != "companyDomain"},
        {name: new[name] for name in ("company", "companyDomain")},
    ]
    shared = services(redis, *(StandIn(id=f"s{index}", knows={"acme.com": said}) for index, said in enumerate(known)))
    observed = datetime.now(UTC) - timedelta(days=1500)
    record = {"entityType": "lead", "externalId": "L1", "fields": JANE, "observedAt": observed.isoformat()}
    await upsert_records(context(shared), [record])
    await work(shared)
    conflict = await Conflict.get(status=ConflictStatus.OPEN)
    [accepted] = [answer for answer in conflict.candidates if answer["id"] == conflict.recommended_id]
    assert accepted["provider"] == "s0"
    assert "domain from S1, which agrees" in conflict.recommended_because
    await resolve_conflict(context(shared), conflict.id, None)
    assert await held("company", "companyDomain", "title", "email") == new
    whose = {
        value.field: (value.accepted_from or {}).get("provider") for value in await FieldValue.filter(replaced_at=None)
    }
    assert (whose["company"], whose["companyDomain"]) == ("s0", "s1")


async def test_no_title_is_written_from_an_answer_about_another_employer(redis: ArqRedis) -> None:
    shared = services(redis, apollo(GLOBEX | {"department": "engineering", "phone": "+442079460818"}))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"lead": {"fields": {"company": "tracked", "companyDomain": "tracked"}}})
    await send(ctx, "lead", "L1", **{name: value for name, value in JANE.items() if name != "title"})
    await work(shared)
    assert await held("title", "department", "phone") == {}
    assert await Conflict.filter(status=ConflictStatus.OPEN).count() == 0
