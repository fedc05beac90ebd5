"""A record that one request names many times: as if sent one by one, in as many statements as if named twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.db import statements
from models.db.statements import query
from resolvers.context import Context, Services
from resolvers.erasure.api import erase_record
from resolvers.record.api import UpsertOutcome, upsert_records
from resolvers.record.store import RecordOutcome
from tests.support.factories import StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime(2026, 11, 24, tzinfo=UTC)
EARLIER, LATER = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"
MESSAGES: list[dict[str, Any]] = [
    {"fields": {"name": "Acme", "domain": "acme.com", "city": "Berlin", "remark": 1}},
    {"fields": {"city": "Hamburg", "country": "Germany"}},
    {"fields": {"city": "Hamburg"}},
    {"fields": {"city": "Hamburg"}, "observedAt": EARLIER},
    {"fields": {"city": "Bremen"}, "observedAt": LATER},
    {"fields": {"city": "Rostock"}, "observedAt": EARLIER},
    {"fields": {"phone": "030 901820"}},
    {"fields": {"phone": "what?", "industry": "???"}},
    {"fields": {"phone": "030 901821", "remark": 2}},
    {"fields": {"phone": None, "industry": "Software"}},
    {"fields": {"industry": "Banking"}},
    {"fields": {"industry": "Banking"}},
    {"fields": {"industry": "Software"}},
]


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    made = services(
        redis, StandIn(knows={"acme.com": {"industry": "Insurance", "website": "acme.com"}}), now=lambda: NOW
    )
    for org in ("alone", "together"):
        await configure(context(made, org=org), triggers={"onUpdate": True})
    return made


def record(message: dict[str, Any], external_id: str = "A1") -> dict[str, Any]:
    return {"entityType": "account", "externalId": external_id, **message}


def told(outcome: UpsertOutcome) -> Any:
    assert outcome.record is not None
    row = outcome.record
    return (
        (outcome.outcome, outcome.folded, outcome.job is not None, outcome.refused_fields, list(outcome.late_fields)),
        (row.fields, row.received, row.raw_values, row.unreadable, row.version, row.completeness, row.search_text),
    )


async def stored(org: str) -> Any:
    """All that is kept of an organization's records, without ids."""
    records = await query(
        "SELECT fields, received, raw_values, unreadable, version, completeness, search_text FROM record"
        " WHERE organization_id = ? ORDER BY external_id",
        [org],
    )
    values = await query(
        "SELECT field, value, raw_value, unreadable, source, observed_at, observed_at_known, replaced_at,"
        " (SELECT value FROM field_value AS before WHERE before.id = field_value.replaces) AS before"
        " FROM field_value WHERE organization_id = ? ORDER BY field, id",
        [org],
    )
    kept = [
        await query(f"SELECT {columns} FROM {table} WHERE organization_id = ? ORDER BY {order}", [org])
        for table, columns, order in (
            ("event", "kind, data", "1, 2"),
            ("job", "trigger_kind, status", "1"),
            ("rejection", "field, value_key, source", "1, 2, 3"),
            ("conflict", "field, status", "1, 2"),
        )
    ]
    for event in kept[0]:
        event["data"] = sorted(
            (event["data"] if isinstance(event["data"], dict) else json.loads(event["data"])).get("fields", ())
        )
    kept[0].sort(key=str)
    return records, values, kept


async def one_by_one(ctx: Context, messages: list[dict[str, Any]]) -> list[UpsertOutcome]:
    return [(await upsert_records(ctx, [record(message)]))[0] for message in messages]


@pytest.mark.parametrize("enriched_after", [0, 1, len(MESSAGES)])
async def test_named_often_is_as_sent_one_by_one(shared: Services, enriched_after: int) -> None:
    alone, together = context(shared, org="alone"), context(shared, org="together")
    for ctx in (alone, together):
        await one_by_one(ctx, MESSAGES[:enriched_after])
    await work(shared)
    rest = MESSAGES[enriched_after:] or [*reversed(MESSAGES)]
    expected = [told(outcome) for outcome in await one_by_one(alone, rest)]
    assert [told(outcome) for outcome in await upsert_records(together, [record(m) for m in rest])] == expected
    left, right = await stored("alone"), await stored("together")
    assert right[0] == left[0]
    assert right[1] == left[1]
    assert right[2] == left[2]


async def test_named_hundreds_of_times_takes_the_statements_of_a_few(
    shared: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(shared, org="together")
    await upsert_records(ctx, [record(message(0), "first"), record(message(1), "first")])  # which reads what stays
    few, many = [
        await statements_of(ctx, [record(message(n), f"A{times}") for n in range(times)], monkeypatch)
        for times in (3, 300)
    ]
    assert many == few


def message(number: int) -> dict[str, Any]:
    return {"fields": {"name": f"Acme {number}", "city": f"City {number}", "remark": number}}


async def statements_of(ctx: Context, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many statements it takes to store these."""
    found: list[str] = []

    def counted(run: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any) -> Any:
            found.append(next(text for text in args if isinstance(text, str)))
            return run(*args)

        return counting

    with monkeypatch.context() as patch:
        patch.setattr(statements, "_translate", counted(statements._translate))
        patch.setattr(statements, "_execute_on_sqlite", counted(statements._execute_on_sqlite))
        outcomes = await upsert_records(ctx, sent)
    assert [outcome.outcome for outcome in outcomes] == ["created", *["changed"] * (len(sent) - 1)]
    return len(found)


async def test_the_first_of_a_record_may_be_refused_as_erased(shared: Services) -> None:
    ctx = context(shared)
    await send(ctx, "lead", "L1", email="mara@example.com")
    await erase_record(ctx, EntityType.LEAD, "L1", reason=None)
    named = [{"email": "mara@example.com"}, {"firstName": "Bo"}, {"firstName": "Bea"}, {"title": "CTO"}]
    sent = [{"entityType": "lead", "externalId": "L8", "fields": fields} for fields in named]
    outcomes = [outcome.outcome for outcome in await upsert_records(ctx, sent)]
    assert outcomes == [RecordOutcome.REFUSED, RecordOutcome.CREATED, RecordOutcome.CHANGED, RecordOutcome.CHANGED]
    [record] = await query("SELECT fields FROM record WHERE external_id = 'L8'")
    fields = record["fields"] if isinstance(record["fields"], dict) else json.loads(record["fields"])
    assert fields == {"firstName": "Bea", "title": "CTO"}
