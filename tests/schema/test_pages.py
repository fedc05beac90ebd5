"""Lists over GraphQL: page by page, counted on request, and read with one query for many objects."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from arq.connections import ArqRedis
from graphql import GraphQLObjectType, get_named_type

from models.db.selected import Selectable
from resolvers import dataloader
from resolvers.record import api as records
from resolvers.secret_box import SecretBox
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import SCHEMA, Operations

pytestmark = pytest.mark.usefixtures("db")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Iterator[list[int]]:
    """How many ids each call of a look-up was asked for; it still runs."""
    real: Callable[..., Awaitable[Any]] = getattr(module, name)
    calls: list[int] = []

    async def counting(ctx: Any, ids: Any, *rest: Any, **options: Any) -> Any:
        calls.append(len(ids))
        return await real(ctx, ids, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, counting)
        yield calls


async def seven_records(redis: ArqRedis) -> Operations:
    shared = services(redis)
    for number in range(7):
        await send(context(shared), "lead", f"L{number}", lastName=f"Number{number}")
    return Operations(shared)


PAGE = """query ($first: Int, $after: String) { records(first: $first, after: $after) {
    edges { cursor node { externalId } } nodes { externalId }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


async def test_pages_follow_one_another_newest_first(redis: ArqRedis) -> None:
    ask = await seven_records(redis)
    seen: list[str] = []
    after, more = None, True
    while more:
        page = (await ask(PAGE, first=3, after=after))["records"]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert page["totalCount"] == 7
        seen += [node["externalId"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == ["L6", "L5", "L4", "L3", "L2", "L1", "L0"]


async def test_pages_go_backwards_as_well(redis: ArqRedis) -> None:
    ask = await seven_records(redis)
    last = (await ask("{ records(last: 2) { nodes { externalId } pageInfo { hasPreviousPage startCursor } } }"))[
        "records"
    ]
    assert [node["externalId"] for node in last["nodes"]] == ["L1", "L0"]
    assert last["pageInfo"]["hasPreviousPage"] is True
    before = await ask(
        "query ($b: String) { records(last: 2, before: $b) { nodes { externalId } } }",
        b=last["pageInfo"]["startCursor"],
    )
    assert [node["externalId"] for node in before["records"]["nodes"]] == ["L3", "L2"]


@pytest.mark.parametrize("arguments", ["first: 20, last: 2", "last: 2, first: $n"])
async def test_first_and_last_exclude_each_other(redis: ArqRedis, arguments: str) -> None:
    query = f"query ($n: Int = 20) {{ jobs({arguments}) {{ nodes {{ id }} }} records(first: $n) {{ nodes {{ id }} }} }}"
    assert await Operations(services(redis)).code(query) == "BAD_REQUEST"


async def test_an_empty_list_has_no_cursors(redis: ArqRedis) -> None:
    page = (await Operations(services(redis))(PAGE))["records"]
    assert page == {
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        "totalCount": 0,
    }


async def test_a_list_is_counted_only_when_asked(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = await seven_records(redis)

    def refuse(*_: Any) -> None:
        raise AssertionError("counted")

    monkeypatch.setattr(Selectable, "count", refuse)
    await ask("{ records { nodes { id jobs { nodes { id } } history { nodes { field } } } } jobs { nodes { id } } }")
    assert await ask.codes("{ records { totalCount } }") == {"INTERNAL"}


async def test_what_belongs_to_many_is_looked_up_once_for_all(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = await seven_records(redis)
    query = """{ records { nodes { provenance { field } jobs(first: 2) { nodes { conflicts { job { id } } } }
        newest: history(first: 1) { nodes { field } } all: history { nodes { field } } } } }"""
    with (
        counted(monkeypatch, records, "provenance_of_many") as provenance,
        counted(monkeypatch, dataloader, "jobs_by_record") as jobs,
        counted(monkeypatch, dataloader, "history_by_record") as history,
        counted(monkeypatch, dataloader, "conflicts_by_job") as conflicts,
    ):
        await ask(query)
    # The values of today come with the records, in one statement.
    assert (provenance, jobs, history, conflicts) == ([], [7], [7, 7], [7])


async def test_the_lists_within_a_list_have_pages_of_their_own(redis: ArqRedis) -> None:
    shared = services(redis)
    ctx = context(shared)
    for name in ("One", "Two", "Three"):
        await send(ctx, "account", "A1", name=name)
        await work(shared)
    await send(ctx, "account", "A2", name="Other")
    ask = Operations(shared)
    query = """query ($after: String) { records { nodes { externalId
        history(field: "name", first: 2, after: $after) {
            nodes { value } pageInfo { hasNextPage endCursor } totalCount }
        jobs(first: 2) { nodes { id } pageInfo { hasNextPage } totalCount } } } }"""
    other, first = (await ask(query))["records"]["nodes"]
    assert [value["value"] for value in first["history"]["nodes"]] == ["Three", "Two"]
    assert (first["history"]["pageInfo"]["hasNextPage"], first["history"]["totalCount"]) == (True, 3)
    assert (len(first["jobs"]["nodes"]), first["jobs"]["pageInfo"]["hasNextPage"], first["jobs"]["totalCount"]) == (
        2,
        True,
        3,
    )
    assert (other["history"]["nodes"], other["jobs"]["totalCount"]) == ([{"value": "Other"}], 1)
    rest = await ask(query, after=first["history"]["pageInfo"]["endCursor"])
    assert [value["value"] for value in rest["records"]["nodes"][1]["history"]["nodes"]] == ["One"]


VARIABLES = "$first: Int, $after: String, $last: Int, $before: String"
ARGUMENTS = "first: $first, after: $after, last: $last, before: $before"
CONNECTIONS = {
    (kind.name, name)
    for kind in SCHEMA._schema.type_map.values()
    if isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items()
    if get_named_type(field.type).name.endswith("Connection")
}


def test_every_list_has_pages_in_both_directions() -> None:
    for kind, name in CONNECTIONS - {("Query", "events")}:  # a log is read forwards
        field = cast("GraphQLObjectType", SCHEMA._schema.type_map[kind]).fields[name]
        assert {"first", "after", "last", "before"} <= field.args.keys(), f"{kind}.{name}"


@pytest.mark.parametrize("absent", [{}, {"first": None, "after": None, "before": None}])
async def test_one_of_four_variables_is_enough_for_every_list(redis: ArqRedis, absent: dict[str, None]) -> None:
    """An absent variable is an absent argument, and so is null: also where an argument has a default."""
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software", "country": "France"}}, price=2))
    await send(context(shared), "account", "A1", domain="acme.com", country="Germany")
    await work(shared)
    ask = Operations(shared)
    [job] = (await ask("{ jobs { nodes { id } } }"))["jobs"]["nodes"]
    await ask("mutation($id: ID!) { undoJob(id: $id) { id } }", id=job["id"])
    await ask('mutation { suppress(emails: ["a@x.com"]) { added } }')
    list_ = f"({ARGUMENTS}) {{ pageInfo {{ hasNextPage hasPreviousPage }} nodes {{ __typename }} }}"
    shared.secret_box = SecretBox(b"m" * 32)
    made = await ask('mutation { createWebhookEndpoint(url: "https://hooks.example.com/") { endpoint { id } } }')
    endpoint = made["createWebhookEndpoint"]["endpoint"]["id"]
    of_endpoint = list_.replace("(", f'(endpointId: "{endpoint}", ', 1)
    roots = " ".join(
        f"{name}{of_endpoint if name == 'webhookDeliveries' else list_}"
        for kind, name in sorted(CONNECTIONS)
        if (kind, name) in OF_QUERY
    )
    explained = f'explain(entityType: ACCOUNT, externalId: "A1", field: "industry") {{ history{list_} }}'
    text = f"""query({VARIABLES}) {{ {roots} credits {{ entries{list_} }} {explained}
        inner: records {{ nodes {{ jobs{list_} history{list_} }} }} ofUndo: undos {{ nodes {{ lines{list_} }} }} }}"""
    data = await ask(text, last=1, **absent)
    shown = [page for page in pages_of(data) if "hasPreviousPage" in page["pageInfo"]]
    assert len(shown) == len(CONNECTIONS - {("Query", "events")})
    assert all(len(page["nodes"]) == 1 or page["nodes"] == [] for page in shown)
    assert not any(page["pageInfo"]["hasNextPage"] for page in shown)


OF_QUERY = {(kind, name) for kind, name in CONNECTIONS if kind == "Query" and name != "events"}


def pages_of(value: Any) -> Iterator[dict[str, Any]]:
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from pages_of(inner)
    if isinstance(value, dict) and "pageInfo" in value:
        yield value


async def test_the_lists_within_a_list_go_backwards_too(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = services(redis)
    ctx = context(shared)
    for name in ("One", "Two", "Three"):
        await send(ctx, "account", "A1", name=name)
        await work(shared)
    await send(ctx, "account", "A2", name="Other")
    ask = Operations(shared)
    query = """query ($before: String) { records { nodes { jobs(last: 2, before: $before) { nodes { id } }
        history(field: "name", last: 2) { nodes { value } pageInfo { hasNextPage hasPreviousPage } } } } }"""
    with counted(monkeypatch, dataloader, "jobs_by_record") as jobs:
        other, first = (await ask(query))["records"]["nodes"]
    assert jobs == [2]
    assert [value["value"] for value in first["history"]["nodes"]] == ["Two", "One"]
    assert first["history"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}
    assert other["history"]["nodes"] == [{"value": "Other"}]
    every = (await ask('{ jobs(filter: {externalId: "A1"}) { nodes { id } edges { cursor } } }'))["jobs"]
    assert first["jobs"]["nodes"] == every["nodes"][1:]


BY_END = """query ($o: JobOrder, $f: JobFilter, $first: Int, $after: String, $last: Int, $before: String) {
    jobs(orderBy: $o, filter: $f, first: $first, after: $after, last: $last, before: $before) {
        nodes { record { externalId } } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        totalCount } }"""


async def test_jobs_are_paged_by_when_they_ended_in_both_directions(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    for external_id in ("A1", "A2"):
        await send(context(shared), "account", external_id, name="Acme", domain="acme.com")
        await work(shared)
    await send(context(shared), "account", "A3", name="Acme", domain="acme.com")
    ask = Operations(shared)

    async def page(**variables: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await ask(BY_END, **{"o": "FINISHED_AT_DESC"} | variables))["jobs"]
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]
        return [node["record"]["externalId"] for node in found["nodes"]], found

    first, shown = await page(first=2)
    assert (first, shown["totalCount"]) == (["A2", "A1"], 3)
    end = shown["pageInfo"]["endCursor"]
    assert (await page(first=2, after=end))[0] == ["A3"]
    last, shown = await page(last=2)
    assert (last, shown["pageInfo"]["hasPreviousPage"]) == (["A1", "A3"], True)
    assert (await page(last=2, before=shown["pageInfo"]["startCursor"]))[0] == ["A2"]
    assert (await page(o="FINISHED_AT_ASC"))[0] == ["A3", "A1", "A2"]
    assert (await page(o="CREATED_AT_ASC"))[0] == ["A1", "A2", "A3"]
    ended, shown = await page(f={"finishedAfter": "2020-01-01T00:00:00Z"})
    assert (ended, shown["totalCount"]) == (["A2", "A1"], 2)
    assert await ask.code(BY_END, o="CREATED_AT_DESC", first=2, after=end) == "BAD_REQUEST"


async def test_records_are_listed_oldest_first_where_that_is_asked_for(redis: ArqRedis) -> None:
    ask = await seven_records(redis)
    rising = """query ($after: String) { records(orderBy: CREATED_AT_ASC, first: 4, after: $after) {
        nodes { externalId } pageInfo { endCursor hasNextPage } }
        conflicts(orderBy: CREATED_AT_ASC) { nodes { id } } }"""
    page = (await ask(rising))["records"]
    assert [node["externalId"] for node in page["nodes"]] == ["L0", "L1", "L2", "L3"]
    rest = (await ask(rising, after=page["pageInfo"]["endCursor"]))["records"]
    assert [node["externalId"] for node in rest["nodes"]] == ["L4", "L5", "L6"]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert await ask.code(PAGE, first=2, after=page["pageInfo"]["endCursor"]) == "BAD_REQUEST"
