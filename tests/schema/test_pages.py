"""Lists over GraphQL: page by page, counted on request, and read with one query for many objects."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from arq.connections import ArqRedis

from models.db.selected import Selectable
from resolvers import dataloader
from resolvers.record import api as records
from tests.support.factories import context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Iterator[list[int]]:
    """How many ids each call of a look-up was asked for; it still runs."""
    real: Callable[..., Awaitable[Any]] = getattr(module, name)
    calls: list[int] = []

    async def counting(ctx: Any, ids: Any, *rest: Any) -> Any:
        calls.append(len(ids))
        return await real(ctx, ids, *rest)

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
