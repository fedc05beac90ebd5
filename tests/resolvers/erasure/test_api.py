"""An erased record leaves nothing behind, and does not come back by itself.

One file, because each test looks for what one record left in all tables.
"""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.audit_list import AuditFilter
from models.conflict.queries import ConflictFilter
from models.db import connection, statements
from models.db.statements import query
from models.erasure.removal import BELONGINGS, NAMING_ONLY
from models.job import Job
from models.record import Record
from providers.api import Pending
from resolvers.audit import list_audit
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.context import Context, Role
from resolvers.credit.api import get_credits
from resolvers.credit.verify import verify_ledger
from resolvers.erasure.api import erase_record, erase_records, get_erasure, lift_erasure, list_erasures
from resolvers.errors import Forbidden, NotFound, StateConflict, ValidationFailed
from resolvers.job.api import get_job, retry_job
from resolvers.paging import PageArgs
from resolvers.record.api import get_record, upsert_records
from resolvers.undo.api import list_undos, revert_undo, undo_enrichment, undo_job
from resolvers.undo.scope import UndoScope
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

LEAD, ACCOUNT = EntityType.LEAD, EntityType.ACCOUNT
JOE = {
    "firstName": "Joe",
    "lastName": "Doe",
    "email": "joe@acme.com",
    "phone": "+49 30 901820",
    "linkedinUrl": "linkedin.com/in/joe-doe",
}


async def columns() -> dict[str, set[str]]:
    """The columns of every table of the schema."""
    if connection.dialect() == "sqlite":
        tables = [row["name"] for row in await query("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: {row["name"] for row in await query(f"SELECT name FROM pragma_table_info('{table}')")}
            for table in tables
        }
    found: dict[str, set[str]] = {}
    for row in await query(
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name) WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    ):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


async def rows_of(record_id: str, job_ids: list[str]) -> dict[str, int]:
    """How many rows of every table name this record or one of its jobs in any column."""
    found: dict[str, int] = {}
    ids = [record_id, *job_ids]
    for table, names in (await columns()).items():
        naming = " OR ".join(f"CAST({name} AS TEXT) IN ({statements.marks(ids)})" for name in sorted(names))
        [counted] = await query(f"SELECT COUNT(*) AS rows FROM {table} WHERE {naming}", ids * len(names))
        if counted["rows"]:
            found[table] = counted["rows"]
    return found


async def test_every_table_that_names_a_record_or_a_job_is_reached() -> None:
    """A new table must be counted in a certificate, or hold ids alone and say so."""
    named = {table for table, names in (await columns()).items() if names & {"record_id", "job_id"}}
    assert named - {"record_number"} == BELONGINGS.keys() | NAMING_ONLY  # it goes with the record, by a trigger


def paid(**more: Any) -> StandIn:
    return StandIn(id="paid", price=2, remote=True, keeps_days=30, **more)


async def record_with_history(ctx: Context) -> tuple[Record, list[str]]:
    """A record that has been through everything: answers, a conflict resolved, an undo, a retry."""
    await configure(ctx, cooldownHours=0)
    await send(ctx, "lead", "L-1", **JOE, title="CTO", company="Acme", note="met at the fair")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(field="title"), PageArgs())).items
    await resolve_conflict(ctx, conflict.id, None)
    await undo_job(ctx, conflict.job_id)
    await send(ctx, "lead", "L-1", email="joe.doe@acme.com")
    await work(ctx.services)
    record = await get_record(ctx, LEAD, "L-1")
    return record, [job.id for job in await Job.filter(record_id=record.id)]


def knowing() -> StandIn:
    found = {"title": "CEO", "mobilePhone": "+49 170 1234567", "department": "Management", "city": "Berlin"}
    return paid(knows={"joe@acme.com": found, "joe.doe@acme.com": found})


async def test_nothing_is_left_but_ids_in_the_ledger_and_the_audit_log(redis: ArqRedis) -> None:
    ctx = context(services(redis, knowing()))
    record, jobs = await record_with_history(ctx)
    before = await rows_of(record.id, jobs)
    hanging = ("job", "step", "field_value", "decision_snapshot", "conflict", "rejection", "undo_line", "event")
    assert before.keys() >= {"record", *hanging}
    assert await query("SELECT * FROM answer") != []

    result = await erase_record(ctx, LEAD, "L-1", reason="Art. 17 GDPR")

    certificate = result.certificate
    left = await rows_of(record.id, jobs)
    assert left.keys() <= {"credit_entry", "audit_entry", "event"}
    assert left["event"] == 1  # that it was erased, by which certificate
    assert await query("SELECT * FROM answer") == []
    removed = {part["where"]: part["count"] for part in certificate.removed}
    assert removed["record"] == 1
    for table in hanging:
        assert removed[BELONGINGS[table][0]] >= before[table] > 0, table
    assert removed["kept answers of providers"] == 3  # one is about its company, which no other record has
    assert (certificate.reason, certificate.erased_by, certificate.entity_type) == ("Art. 17 GDPR", "ann", LEAD)
    assert any("providers" in text for text in certificate.not_reached)
    assert (await verify_ledger(ctx)).faults == []
    for gone in (get_record(ctx, LEAD, "L-1"), get_job(ctx, jobs[0]), retry_job(ctx, jobs[0])):
        with pytest.raises(NotFound):
            await gone
    [line] = (await list_audit(ctx, AuditFilter(action="record.erased"), PageArgs())).items
    assert (line.subject, line.details["removed"]) == (certificate.id, certificate.removed)
    assert [erasure.id for erasure in (await list_erasures(ctx, PageArgs())).items] == [certificate.id]


async def test_a_neighbour_and_the_next_tenant_lose_nothing(redis: ArqRedis) -> None:
    shared = services(redis, knowing())
    ctx, other = context(shared), context(shared, org="next door")
    await send(
        ctx, "lead", "L-2", **{**JOE, "email": "ann@acme.com", "lastName": "Roe", "phone": "", "linkedinUrl": ""}
    )
    await send(other, "lead", "L-1", **JOE)
    await work(shared)
    await record_with_history(ctx)
    before = [await rows_of((await get_record(who, LEAD, name)).id, []) for who, name in ((ctx, "L-2"), (other, "L-1"))]

    await erase_record(ctx, LEAD, "L-1")

    assert before == [
        await rows_of((await get_record(who, LEAD, name)).id, []) for who, name in ((ctx, "L-2"), (other, "L-1"))
    ]
    assert {row["organization_id"] for row in await query("SELECT * FROM answer")} == {"acme", "next door"}
    assert (await send(other, "lead", "L-9", **JOE)).error is None


@pytest.mark.parametrize(
    ("external_id", "fields"),
    [
        ("L-1", {}),
        ("L-1", {"lastName": "Roe", "email": "ann@other.com"}),
        ("L-7", {"email": "JOE@ACME.com"}),
        ("L-7", {"lastName": "Someone", "email": "joe+spam@acme.com"}),
        ("L-7", {"email": "before@acme.com"}),
        ("L-7", {"lastName": "Doe", "phone": "030 901820", "country": "Germany"}),
        ("L-7", {"phone": "0049 30 / 901820"}),
        ("L-7", {"linkedinUrl": "https://de.linkedin.com/in/Joe-Doe/?trk=x"}),
        ("L-7", {"lastName": "Doe", "Work E-Mail": "mailto:joe@acme.com"}),
        ("L-7", {"lastName": "Doe", "remarks": "was joe@acme.com"}),
        ("L-7", {"email": "joe@acme.com, other@acme.com"}),
    ],
)
async def test_the_same_person_does_not_come_back(redis: ArqRedis, external_id: str, fields: dict[str, str]) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "lead", "L-1", **{**JOE, "email": "before@acme.com"})
    await send(ctx, "lead", "L-1", **JOE)
    await work(ctx.services)
    certificate = (await erase_record(ctx, LEAD, "L-1")).certificate

    for entity_type in ("lead", "contact") if external_id != "L-1" else ("lead",):
        back = {"entityType": entity_type, "externalId": external_id, "fields": fields}
        fine = {"entityType": entity_type, "externalId": "L-8", "fields": {"lastName": "Ng"}}
        refused, taken = await upsert_records(ctx, [back, fine])
        assert refused.error is not None
        assert (refused.error.code, refused.error.details["certificateId"]) == ("ERASED", certificate.id)
        assert taken.error is None
    assert await Record.filter(external_id=external_id).count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "Joe", "lastName": "Doe"},  # a namesake
        {"lastName": "Roe", "phone": "+49 30 901820"},  # a colleague on the same line
        {"lastName": "Roe", "email": "roe@acme.com", "companyDomain": "acme.com"},
        {"lastName": "Roe", "Owner": "joe@acme.com"},
    ],
)
async def test_records_of_other_people_are_stored(redis: ArqRedis, fields: dict[str, str]) -> None:
    ctx = context(services(redis))
    await send(ctx, "lead", "L-1", **JOE)
    await erase_record(ctx, LEAD, "L-1")
    assert (await send(ctx, "lead", "L-2", **fields)).error is None
    assert (await send(ctx, "account", "L-1", name="Acme", phone="+49 30 901820")).error is None


async def test_an_account_is_kept_out_by_its_domain_where_asked(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    for external_id in ("A-1", "A-2"):
        await send(ctx, "account", external_id, name="Acme", domain=f"acme{external_id}.com")
    await erase_record(ctx, ACCOUNT, "A-1")
    await erase_record(ctx, ACCOUNT, "A-2", block_domain=True)
    assert (await send(ctx, "account", "A-3", name="Acme", website="https://acmea-1.com")).error is None
    refused = await send(ctx, "account", "A-4", name="Other", website="http://www.ACMEA-2.com/en")
    assert refused.error is not None and refused.error.code == "ERASED"
    assert (await send(ctx, "lead", "L-1", lastName="Doe", email="joe@acmea-2.com")).error is None


async def test_a_lifted_erasure_lets_the_person_come_back_as_new(redis: ArqRedis) -> None:
    ctx = context(services(redis, knowing()))
    record, _ = await record_with_history(ctx)
    certificate = (await erase_record(ctx, LEAD, "L-1")).certificate
    assert (await send(ctx, "lead", "L-1", **JOE)).error is not None

    lifted = await lift_erasure(ctx, certificate.id)

    assert (lifted.lifted_by, lifted.lifted_at is None) == ("ann", False)
    assert await query("SELECT * FROM tombstone") == []
    back = await send(ctx, "lead", "L-1", **JOE)
    assert back.record is not None and back.record.id != record.id
    assert (await get_record(ctx, LEAD, "L-1")).fields["email"] == "joe@acme.com"
    with pytest.raises(StateConflict):
        await lift_erasure(ctx, certificate.id)
    with pytest.raises(NotFound):
        await get_erasure(context(ctx.services, org="next door"), certificate.id)
    actions = [line.action for line in (await list_audit(ctx, AuditFilter(action="erasure"), PageArgs())).items]
    assert actions == ["erasure.lifted"]


async def test_answers_about_a_company_stay_for_its_other_records(redis: ArqRedis) -> None:
    """The leads of one company share its answer; an answer about the person goes."""
    of_company = paid(knows={"acme.com": {"industry": "Software", "numberOfEmployees": 50}})
    ctx = context(services(redis, of_company))
    await send(ctx, "lead", "L-1", **JOE, companyDomain="acme.com")
    await send(ctx, "lead", "L-2", lastName="Roe", companyDomain="acme.com")
    await work(ctx.services)
    await erase_record(ctx, LEAD, "L-1")
    assert len(await query("SELECT * FROM answer")) == 1
    await erase_record(ctx, LEAD, "L-2")
    assert await query("SELECT * FROM answer") == []


async def test_a_pending_answer_is_deleted_and_its_reservation_released(redis: ArqRedis) -> None:
    clock = Clock()
    provider = paid(later=[Pending("token", 60)])
    ctx = context(services(redis, provider, now=clock))
    await send(ctx, "lead", "L-1", **JOE)
    await work(ctx.services)
    assert (await get_credits(ctx)).reserved == 2
    certificate = (await erase_record(ctx, LEAD, "L-1")).certificate
    assert {"where": "reservations of credits, given back", "count": 1} in certificate.removed
    clock.ahead_seconds += 120
    await work(ctx.services)
    assert provider.polled == []
    assert (await get_credits(ctx)).reserved == 0
    assert await query("SELECT * FROM answer") == []
    assert (await verify_ledger(ctx)).faults == []


async def test_other_records_of_the_same_person_are_named(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await send(ctx, "lead", "L-1", **JOE)
    await send(ctx, "contact", "C-1", lastName="Doe", email="joe@acme.com")
    await send(ctx, "contact", "C-2", lastName="Roe", email="roe@acme.com")
    result = await erase_record(ctx, LEAD, "L-1")
    assert [(other.entity_type, other.external_id) for other in result.others] == [(EntityType.CONTACT, "C-1")]
    assert "C-1" not in str(await query("SELECT * FROM erasure"))
    again = await send(ctx, "contact", "C-1", title="CEO")
    assert again.error is None
    outcomes = await erase_records(ctx, EntityType.CONTACT, ["C-1", "C-9"])
    assert [outcome.error.code if outcome.error else "erased" for outcome in outcomes] == ["erased", "NOT_FOUND"]


@pytest.mark.parametrize(
    "reason", ["asked by joe@acme.com", "Joe  Doe asked, tel +49 30 901820", "see L-10 of Joe Doe"]
)
async def test_a_reason_must_not_tell_who_it_was(redis: ArqRedis, reason: str) -> None:
    ctx = context(services(redis))
    await send(ctx, "lead", "L-1", **JOE)
    with pytest.raises(ValidationFailed) as refused:
        await erase_record(ctx, LEAD, "L-1", reason=reason)
    assert refused.value.faults[0].path == "reason"
    assert (await get_record(ctx, LEAD, "L-1")).version == 1


async def test_only_an_admin_erases_and_only_what_is_theirs(redis: ArqRedis) -> None:
    shared = services(redis)
    await send(context(shared), "lead", "L-1", **JOE)
    manager = context(shared, role=Role.MANAGER)
    for attempt in (
        erase_record(manager, LEAD, "L-1"),
        erase_records(manager, LEAD, ["L-1"]),
        list_erasures(manager, PageArgs()),
        lift_erasure(manager, "x"),
    ):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(NotFound):
        await erase_record(context(shared, org="next door"), LEAD, "L-1")
    assert (await Job.get()).status is JobStatus.PENDING
    await configure(context(shared), enabled=False)


async def test_no_undo_restores_an_erased_record(redis: ArqRedis) -> None:
    ctx = context(services(redis, knowing()))
    await record_with_history(ctx)
    [undo] = (await list_undos(ctx, PageArgs())).items
    await erase_record(ctx, LEAD, "L-1")
    again = await revert_undo(ctx, undo.id)
    everything = await undo_enrichment(ctx, UndoScope(provider="paid"))
    assert (again.restored, everything.restored) == (0, 0)
    assert await Record.all().count() == 0
    assert await query("SELECT * FROM field_value") == []
    with pytest.raises(NotFound):
        await undo_job(ctx, undo.scope["jobId"])


async def test_over_graphql(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    run = Operations(shared)
    for external_id in ("L-1", "L-2"):
        await send(context(shared), "lead", external_id, **JOE)
    erase = """mutation($id: ID!) { eraseRecord(entityType: LEAD, externalId: $id, reason: "on request") {
        id entityType reason erasedAt by removed { where count } notReached liftedAt
        others { entityType externalId } } }"""
    erased = (await run(erase, id="L-1"))["eraseRecord"]
    assert (erased["by"], erased["reason"], erased["others"]) == (
        "ann",
        "on request",
        [{"entityType": "LEAD", "externalId": "L-2"}],
    )
    assert {"where": "record", "count": 1} in erased["removed"]
    assert await run.code(erase, id="L-1") == "NOT_FOUND"
    assert await Operations(shared, role=Role.MANAGER).code(erase, id="L-2") == "FORBIDDEN"
    many = await run(
        'mutation { eraseRecords(entityType: LEAD, externalIds: ["L-2", "L-3"])'
        " { externalId certificate { id } error { code } } }"
    )
    assert [result["error"] and result["error"]["code"] for result in many["eraseRecords"]] == [None, "NOT_FOUND"]
    sent = await run(
        'mutation { upsertRecords(records: [{entityType: LEAD, externalId: "L-1", fields: {}}])'
        " { refused results { outcome error { code message } } } }"
    )
    [refused] = sent["upsertRecords"]["results"]
    assert (refused["outcome"], refused["error"]["code"]) == ("REFUSED", "ERASED")
    assert erased["id"] in refused["error"]["message"]
    lifted = await run(
        "mutation($id: ID!) { liftErasure(certificateId: $id) { liftedBy others { externalId } } }", id=erased["id"]
    )
    assert lifted["liftErasure"] == {"liftedBy": "ann", "others": None}
    listed = (await run("{ erasures { totalCount nodes { id liftedBy } } }"))["erasures"]
    assert (listed["totalCount"], [erasure["liftedBy"] for erasure in listed["nodes"]]) == (2, [None, "ann"])
    shown = await run("query($id: ID!) { erasure(id: $id) { reason } }", id=erased["id"])
    assert shown["erasure"]["reason"] == "on request"
