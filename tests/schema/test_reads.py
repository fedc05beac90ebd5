"""What a page reads, counted: one statement for what it selects, no row and no object that nobody asked for."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from models.db.statements import execute
from resolvers.context import Services
from schema.base.views import RowView
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest
from tests.support.statements import Statements, counted_statements

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    """Three accounts that have been enriched, each with a conflict."""
    known = {f"a{number}.com": {"industry": "Software", "country": "France"} for number in range(3)}
    made = services(redis, StandIn(knows=known, price=2), StandIn(id="other"))
    for number in range(3):
        await send(context(made), "account", f"A{number}", domain=f"a{number}.com", country="Germany")
    await work(made)
    return made


async def read(shared: Services, text: str, monkeypatch: pytest.MonkeyPatch) -> Statements:
    with counted_statements(monkeypatch) as statements:
        await Operations(shared)(text)
    return statements


WHOLE = """id entityType status createdAt error { code } steps { provider outcome fieldsFound } fieldOutcomes { field }
    record { id fields provenance { field value confidence } freshness }"""


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{ jobs { nodes { id status } } }", [3]),
        ("{ jobs { edges { cursor node { id } } pageInfo { endCursor } } }", [3]),
        ("{ jobs(first: 2) { nodes { id record { externalId } steps { provider } } } }", [3]),
        ('{ jobs(filter: {externalId: "A1"}) { nodes { id } } }', [1]),
        ("{ jobs { nodes { id } totalCount } }", [3, 1]),
        ("{ jobs { nodes { id conflicts { id record { id } } } } }", [3, 3]),
        ("{ conflicts { nodes { id field candidates { value } record { id } } } }", [3]),
        ("{ conflicts { nodes { id job { id steps { provider } } } } }", [3, 3]),
        ("{ records { nodes { id fields provenance { field value } } } }", [3]),
        ("{ records { nodes { id jobs(first: 1) { nodes { id } } } } }", [3, 3, 3]),
        ("{ credits { entries(first: 2) { nodes { kind amount } } } }", None),
    ],
)
async def test_a_page_takes_the_fewest_statements(
    shared: Services, text: str, rows: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = await read(shared, text, monkeypatch)
    if rows is None:  # of what the account itself takes, the page is the last
        assert statements.rows[-1] == 3
    else:
        assert statements.rows == rows, statements.texts


@pytest.mark.parametrize("text", ["{ jobs { nodes { id status } } }", "{ conflicts { nodes { id status } } }"])
async def test_nothing_is_read_that_is_not_selected(
    shared: Services, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [statement] = (await read(shared, text, monkeypatch)).texts
    columns = statement.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    table = text.split()[1].removesuffix("s")
    assert columns == [f"{table}.id", f"{table}.status"]
    assert "JOIN" not in statement


@pytest.mark.parametrize(
    "text",
    [
        "{ jobs { nodes { id status record { id } steps { provider } } } }",
        "{ records { nodes { id fields provenance { field } } } }",
        "{ conflicts { nodes { id record { externalId } candidates { value } } } }",
        "{ credits { entries { nodes { id kind } } } }",
    ],
)
async def test_no_object_is_made_for_a_row(shared: Services, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(view: RowView[Any, Any], _: Any) -> None:
        raise AssertionError(f"a {view.cls.__name__} was made")

    monkeypatch.setattr(RowView, "__call__", refuse)
    await Operations(shared)(text)


async def test_a_page_of_rest_takes_two_statements_and_one_more_where_conflicts_are_shown(
    shared: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = Rest(shared)
    with counted_statements(monkeypatch) as statements:
        page = await rest.get("/jobs?entityType=account&status=completed")
    assert len(page.json()) == 3
    assert statements.rows[:2] == [3, 3]
    assert len(statements.rows) == 3, statements.texts  # and how values age
    with counted_statements(monkeypatch) as statements:
        await rest.get("/jobs?entityType=lead&status=completed")
    assert statements.rows == [0]


async def _everything_changes() -> None:
    await execute("UPDATE job SET priority = priority + 1")
    await execute("UPDATE record SET version = version + 1")
    await execute("UPDATE step SET latency_ms = latency_ms + 1")
    await execute("UPDATE field_value SET verified_count = verified_count + 1")
    await execute("UPDATE conflict SET updated_at = updated_at + 1")


_OF_ONE_MOMENT = "priority steps { latencyMs } record { version provenance { verifiedCount } }"


@pytest.mark.parametrize(
    "text",
    [
        f"{{ jobs {{ nodes {{ {_OF_ONE_MOMENT} }} }} }}",
        f"query ($id: ID!) {{ job(id: $id) {{ {_OF_ONE_MOMENT} }} }}",
        f"subscription ($id: ID!) {{ jobProgress(jobId: $id) {{ {_OF_ONE_MOMENT} }} }}",
    ],
    ids=["page", "job", "subscription"],
)
async def test_a_job_is_shown_as_of_one_moment(shared: Services, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for table, column in (
        ("job", "priority"), ("record", "version"), ("step", "latency_ms"), ("field_value", "verified_count"),
    ):  # fmt: skip
        await execute(f"UPDATE {table} SET {column} = 0")
    ask = Operations(shared)
    job_id = (await ask("{ jobs(first: 1) { nodes { id } } }"))["jobs"]["nodes"][0]["id"]
    with counted_statements(monkeypatch) as statements:
        statements.after = _everything_changes
        if text.startswith("subscription"):
            async with ask.watch(text, id=job_id) as answers:
                data = (await anext(answers)).data
        else:
            data = await ask(text, **({"id": job_id} if "$id" in text else {}))
    [shown] = data.values()
    for job in shown.get("nodes", [shown]):
        assert len(job["steps"]) > 0
        assert len(job["record"]["provenance"]) > 1
        moments = {job["priority"], job["record"]["version"], *(step["latencyMs"] for step in job["steps"])}
        assert moments | {value["verifiedCount"] for value in job["record"]["provenance"]} == {0}


async def test_a_job_over_rest_is_shown_as_of_one_moment(shared: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = Rest(shared)
    await execute("UPDATE job SET priority = 0")
    await execute("UPDATE step SET latency_ms = 0")
    with counted_statements(monkeypatch) as statements:
        statements.after = _everything_changes
        page = await rest.get("/jobs?entityType=account&status=completed")
    for job in page.json():
        assert {job["priority"], *(step["latencyMs"] for step in job["steps"])} == {0}
