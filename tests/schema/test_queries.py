"""Reading over GraphQL: records, jobs and conflicts with all that belongs to them, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import ConflictStatus
from models.db.columns import first_id_of, to_micros
from models.db.statements import execute
from providers.api import ProviderError
from resolvers.context import Role, Services
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


KNOWN = {
    "acme.com": {"industry": "Software", "city": "Berlin", "country": "France"},
    "bit.com": {"industry": "Banking"},
}


async def enriched(redis: ArqRedis) -> Services:
    """Two accounts that have been enriched, one of them with a conflict about its country."""
    shared = services(redis, StandIn(knows=KNOWN, price=2))
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com", country="Germany", shoeSize=9)
    await send(ctx, "account", "A2", name="Bit", domain="bit.com")
    await work(shared)
    return shared


async def test_a_record_shows_its_values_and_where_they_come_from(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis), role=Role.VIEWER)
    data = await ask(
        """{ record(entityType: ACCOUNT, externalId: "A1") {
            entityType externalId fields completeness version lastEnrichedAt
            provenance { field value source confidence observedAt jobId replacedAt }
            history(field: "industry") { nodes { field value source } }
            jobs { nodes { status record { externalId } } pageInfo { hasNextPage } totalCount } } }"""
    )
    record = data["record"]
    assert record["fields"]["industry"] == "Software"
    assert record["fields"]["shoeSize"] == 9
    assert record["lastEnrichedAt"].endswith("Z")
    sources = {value["field"]: value["source"] for value in record["provenance"]}
    assert sources == {
        "name": "crm",
        "domain": "crm",
        "industry": "standin",
        "country": "crm",
    }
    assert record["history"]["nodes"] == [{"field": "industry", "value": "Software", "source": "standin"}]
    assert record["jobs"] == {
        "nodes": [{"status": "COMPLETED", "record": {"externalId": "A1"}}],
        "pageInfo": {"hasNextPage": False},
        "totalCount": 1,
    }


async def test_a_job_explains_what_happened(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis))
    data = await ask(
        """{ jobs(filter: {externalId: "A1"}) { nodes {
            id entityType trigger status progress attempts maxAttempts creditsUsed requestedBy fieldsUpdated
            createdAt startedAt finishedAt nextAttemptAt error { code } runningStep
            steps { provider outcome skippedReason latencyMs creditsCharged fieldsFound detail error { code } }
            fieldOutcomes { field reason provider confidence detail }
            conflicts { field reason status candidates { provider value } job { status } } } } }"""
    )
    (job,) = data["jobs"]["nodes"]
    assert (job["trigger"], job["status"], job["progress"]) == ("RECORD_CREATED", "COMPLETED", 100)
    assert (job["creditsUsed"], job["requestedBy"], job["error"]) == (2, "ann", None)
    assert sorted(job["fieldsUpdated"]) == ["industry"]
    (step,) = job["steps"]
    assert (step["provider"], step["outcome"], step["creditsCharged"]) == ("standin", "MATCH", 2)
    assert set(step["fieldsFound"]) == {"industry", "city", "country"}
    reasons = {outcome["field"]: outcome["reason"] for outcome in job["fieldOutcomes"]}
    assert (reasons["industry"], reasons["country"], reasons["phone"]) == ("WRITTEN", "CONFLICT", "NO_DATA")
    assert reasons["city"] == "CONFLICT"  # the city of another country is held back with it
    (conflict,) = job["conflicts"]
    assert (conflict["field"], conflict["reason"], conflict["status"]) == ("address", "EXISTING_DIFFERS", "OPEN")
    assert conflict["candidates"] == [{"provider": "standin", "value": {"city": "Berlin", "country": "France"}}]
    assert conflict["job"] == {"status": "COMPLETED"}


async def test_a_failed_job_says_why_and_whether_to_try_again(redis: ArqRedis) -> None:
    failing = StandIn(fails=[ProviderError("bad_key", "the key is not accepted", retryable=False)])
    shared = services(redis, failing)
    await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    await work(shared)
    data = await Operations(shared)(
        "{ jobs(filter: {status: [FAILED]}) { nodes { error { code message retryable }"
        " steps { outcome error { code message retryable } } } } }"
    )
    (job,) = data["jobs"]["nodes"]
    error = {"code": "bad_key", "message": "the key is not accepted", "retryable": False}
    assert job["steps"] == [{"outcome": "ERROR", "error": error}]
    assert job["error"]["code"] == "bad_key"


async def test_a_conflict_shows_both_sides(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis))
    data = await ask(
        """{ conflicts { nodes {
            id field unit reason status entityType createdAt recommendedBecause resolution { action }
            current { field value source confidence observedAt freshness }
            parts { field current { field value source freshness } candidates { id value provider } recommended { id } }
            candidates { id value provider confidence observedAt } recommended { id }
            record { externalId } job { id steps { provider } record { externalId } } } } }"""
    )
    (conflict,) = data["conflicts"]["nodes"]
    assert (conflict["field"], conflict["unit"]) == ("address", "ADDRESS")
    assert conflict["current"]["value"] == {"country": "Germany"}
    assert (conflict["current"]["field"], conflict["current"]["source"]) == ("address", "crm")
    city, country = conflict["parts"]
    assert (city["field"], city["current"]) == ("city", None)
    assert (country["field"], country["current"]["value"]) == ("country", "Germany")
    assert [part["candidates"][0]["value"] for part in (city, country)] == ["Berlin", "France"]
    ids = [conflict["candidates"][0]["id"], city["candidates"][0]["id"], country["candidates"][0]["id"]]
    assert len(set(ids)) == 3
    assert conflict["record"] == {"externalId": "A1"}
    assert conflict["job"]["steps"] == [{"provider": "standin"}]
    assert conflict["resolution"] is None
    again = await ask("query ($id: ID!) { conflict(id: $id) { id field } }", id=conflict["id"])
    assert again["conflict"] == {"id": conflict["id"], "field": "address"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, ["A2", "A1"]),
        ({"entityType": "ACCOUNT"}, ["A2", "A1"]),
        ({"entityTypes": ["LEAD", "CONTACT"]}, []),
        ({"entityType": "LEAD", "entityTypes": ["ACCOUNT"]}, ["A2", "A1"]),
        ({"status": ["COMPLETED"], "trigger": ["RECORD_CREATED"]}, ["A2", "A1"]),
        ({"status": ["FAILED"]}, []),
        ({"trigger": ["MANUAL"]}, []),
        ({"externalId": "A1"}, ["A1"]),
        ({"createdAfter": "2020-01-01"}, ["A2", "A1"]),
        ({"createdBefore": "2020-01-01T00:00:00+02:00"}, []),
        ({"status": None, "entityType": None}, ["A2", "A1"]),
    ],
)
async def test_jobs_are_filtered(redis: ArqRedis, given: dict[str, Any], wanted: list[str]) -> None:
    ask = Operations(await enriched(redis))
    data = await ask("query ($f: JobFilter) { jobs(filter: $f) { nodes { record { externalId } } } }", f=given)
    assert [job["record"]["externalId"] for job in data["jobs"]["nodes"]] == wanted


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"status": ["OPEN"]}, 1),
        ({"status": [status.name for status in ConflictStatus if status is not ConflictStatus.OPEN]}, 0),
        ({"entityType": "ACCOUNT", "externalId": "A1", "field": "country"}, 1),
        ({"field": "city"}, 1),
        ({"field": "address"}, 1),
        ({"field": "street"}, 0),
        ({"reason": ["LOW_CONFIDENCE"]}, 0),
        ({"provider": "standin"}, 1),
        ({"provider": "other"}, 0),
        ({"createdBefore": "2020-01-01"}, 0),
    ],
)
async def test_conflicts_are_filtered(redis: ArqRedis, given: dict[str, Any], count: int) -> None:
    ask = Operations(await enriched(redis))
    data = await ask("query ($f: ConflictFilter) { conflicts(filter: $f) { totalCount } }", f=given)
    assert data["conflicts"]["totalCount"] == count


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, ["A2", "A1"]),
        ({"entityType": "LEAD"}, []),
        ({"externalIds": ["A1", "A9"]}, ["A1"]),
        ({"search": "bit.co"}, ["A2"]),
        ({"neverEnriched": True}, []),
        ({"neverEnriched": False}, ["A2", "A1"]),
        ({"enrichedBefore": "2020-01-01"}, []),
        ({"completenessBelow": 0.14}, ["A2"]),
        ({"completenessAtLeast": 0.14}, ["A1"]),
        ({"completenessAtLeast": 0.0, "entityType": "ACCOUNT"}, ["A2", "A1"]),
        ({"enrichedAfter": "2020-01-01"}, ["A2", "A1"]),
        ({"enrichedAfter": "2999-01-01"}, []),
    ],
)
async def test_records_are_filtered(redis: ArqRedis, given: dict[str, Any], wanted: list[str]) -> None:
    ask = Operations(await enriched(redis))
    data = await ask("query ($f: RecordFilter) { records(filter: $f) { nodes { externalId } } }", f=given)
    assert [record["externalId"] for record in data["records"]["nodes"]] == wanted
    chosen = (
        await ask(
            """query ($f: RecordFilter) { estimateEnrichment(selection: {entityType: ACCOUNT, filter: $f}) {
                eligible ineligible { records } } }""",
            f=given,
        )
    )["estimateEnrichment"]
    assert chosen["eligible"] + sum(group["records"] for group in chosen["ineligible"]) == len(wanted)


async def test_another_organization_sees_none_of_it(redis: ArqRedis) -> None:
    shared = await enriched(redis)
    data = await Operations(shared)("{ jobs { nodes { id record { id } } } conflicts { nodes { id } } }")
    job, conflict = data["jobs"]["nodes"][0], data["conflicts"]["nodes"][0]
    other = Operations(shared, org="other")
    assert await other.code("query ($id: ID!) { job(id: $id) { id } }", id=job["id"]) == "NOT_FOUND"
    assert await other.code("query ($id: ID!) { conflict(id: $id) { id } }", id=conflict["id"]) == "NOT_FOUND"
    assert await other.code('{ record(entityType: ACCOUNT, externalId: "A1") { id } }') == "NOT_FOUND"
    seen = await other(
        "query ($r: ID) { jobs(filter: {recordId: $r}) { nodes { id } } conflicts { nodes { id } }"
        " records { nodes { id } } credits { used entries { nodes { kind } } } }",
        r=job["record"]["id"],
    )
    assert (seen["jobs"]["nodes"], seen["conflicts"]["nodes"], seen["records"]["nodes"]) == ([], [], [])
    assert seen["credits"] == {"used": 0, "entries": {"nodes": [{"kind": "GRANT"}]}}


async def test_credits_show_what_was_used_for_what(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis))
    data = await ask(
        """{ credits { balance reserved used wasted granted monthlyLimit remaining periodStart periodEnd
            byProvider { key credits charges } byEntityType { key credits } byTrigger { key credits }
            byDay { day credits charges } projectedExhaustionAt
            entries(first: 3) { nodes { kind amount reservedChange provider entityType trigger jobId recordId actor
                note createdAt } pageInfo { hasNextPage } totalCount } } }"""
    )
    credits = data["credits"]
    assert (credits["used"], credits["balance"], credits["remaining"]) == (4, 996, 996)
    assert credits["byProvider"] == [{"key": "standin", "credits": 4, "charges": 2}]
    assert credits["byTrigger"] == [{"key": "record_created", "credits": 4}]
    assert credits["byDay"] == [{"day": datetime.now(UTC).date().isoformat(), "credits": 4, "charges": 2}]
    assert {entry["kind"] for entry in credits["entries"]["nodes"]} <= {"CHARGE", "RESERVATION", "GRANT"}
    assert credits["entries"]["pageInfo"]["hasNextPage"] is True


async def test_statistics_sum_up_a_period(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis))
    query = """query ($from: DateTime, $to: DateTime) { stats(from: $from, to: $to) {
        records matchRate fillRateBefore fillRateAfter conflictsOpen conflictsResolved creditsUsed
        jobsByStatus { status count } fieldOutcomes { reason count }
        fillRates { entityType field before after records }
        providers { provider asked matched noMatch errors skipped latencyP50Ms latencyP95Ms credits }
        byDay { day jobs completed failed fieldsWritten credits } } }"""
    stats = (await ask(query))["stats"]
    assert {item["status"]: item["count"] for item in stats["jobsByStatus"]}["COMPLETED"] == 2
    assert (stats["records"], stats["conflictsOpen"], stats["creditsUsed"]) == (2, 1, 4)
    assert stats["fillRateAfter"] > stats["fillRateBefore"]
    assert {item["reason"]: item["count"] for item in stats["fieldOutcomes"]}["WRITTEN"] == 2
    assert stats["providers"][0]["matched"] == 2
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    nothing = (await ask(query, **{"from": later}))["stats"]
    assert sum(item["count"] for item in nothing["jobsByStatus"]) == 0


async def test_providers_are_listed_with_what_they_give_and_cost(redis: ArqRedis) -> None:
    ask = Operations(await enriched(redis))
    (provider,) = (
        await ask(
            "{ providers { id name enabled position price gives { entityType fields } needs asked matched matchRate } }"
        )
    )["providers"]
    assert (provider["id"], provider["enabled"], provider["position"], provider["price"]) == ("standin", True, 1, 2)
    assert (provider["asked"], provider["matched"], provider["matchRate"]) == (2, 2, 1.0)
    assert {gives["entityType"] for gives in provider["gives"]} == {"LEAD", "CONTACT", "ACCOUNT"}


async def test_times_are_utc_whatever_they_were_given_in(redis: ArqRedis) -> None:
    shared = services(redis)
    await send(context(shared), "lead", "L1", lastName="Ng")
    moment = datetime.fromtimestamp(1_764_000_000, UTC)
    await execute("UPDATE job SET created_at = ?, id = ?", [to_micros(moment), first_id_of(moment)])
    ask = Operations(shared)
    query = (
        "query ($a: DateTime, $b: DateTime)"
        " { jobs(filter: {createdAfter: $a, createdBefore: $b}) { nodes { createdAt } } }"
    )
    shown = [{"createdAt": "2025-11-24T16:00:00Z"}]
    assert (await ask(query))["jobs"]["nodes"] == shown
    inside = {"a": "2025-11-24T17:59:59+02:00", "b": "2025-11-24T10:00:01.5-06:00"}
    assert (await ask(query, **inside))["jobs"]["nodes"] == shown
    assert (await ask(query, a="2025-11-24T16:00:00"))["jobs"]["nodes"] == []


async def test_the_configuration_is_shown_with_its_types(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    await configure(context(shared), fieldPolicies={"lead": {"fields": {"phone": "never"}}})
    data = await Operations(shared, role=Role.VIEWER)(
        """{ config { enabled triggers { onCreate onUpdate refreshAfterDays } entityTypes { lead contact account }
            strategy consensusSize providers { id enabled dailyLimit } minConfidence cooldownHours maxAttempts
            fieldPolicies { entityType default { policy minConfidence } fields { field policy minConfidence } }
            backoff { initialSeconds maxSeconds }
            credits { monthlyLimit dailyLimit perRecordMax alertThresholds } version updatedAt updatedBy } }"""
    )
    config = data["config"]
    assert config["strategy"] == "WATERFALL"
    assert config["providers"] == [{"id": "standin", "enabled": True, "dailyLimit": None}]
    assert config["fieldPolicies"][0] == {
        "entityType": "LEAD",
        "default": {"policy": "REVIEW", "minConfidence": None},
        "fields": [{"field": "phone", "policy": "NEVER", "minConfidence": None}],
    }
    assert (config["version"], config["updatedBy"]) == (2, "ann")
    assert config["credits"]["alertThresholds"] == [0.8, 1.0]
