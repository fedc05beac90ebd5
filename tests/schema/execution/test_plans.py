"""A plan completes what is plain; what is not, and whatever is wrong, is graphql-core's to answer."""

import enum
import json
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from models.db.wanted import EVERYTHING
from schema.base.scalars import JSON, SCALARS
from schema.base.views import Each, Made, Part, RowView, needs
from schema.execution.executor import PlannedExecutor
from schema.execution.plans import Plans


@strawberry.enum
class Color(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@strawberry.type
class Detail:
    name: str | None
    color: Color


@strawberry.type
class Thing:
    id: strawberry.ID
    count: int
    share: float
    good: bool
    color: Color
    maybe_color: Color | None
    at: datetime
    day: date | None
    free: JSON | None
    names: list[str]
    maybe_names: list[str | None] | None
    part: Detail
    maybe_part: Detail | None
    parts: list[Detail]
    maybe_parts: list[Detail | None] | None

    @strawberry.field
    def double(self) -> int:
        return self.count * 2

    @strawberry.field
    async def later(self) -> int:
        return self.count * 3

    @strawberry.field
    def never(self) -> int:
        raise ValueError("never")


@strawberry.type
class Query:
    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing]:
        found: list[Thing] = info.context.things
        return found

    @strawberry.field
    async def thing(self, info: strawberry.Info) -> Thing | None:
        found: Thing = info.context.things[0]
        return found


class Context:
    def __init__(self, things: Any) -> None:
        self.things = things
        self.plans = Plans()


class Parsed(SchemaExtension):
    """Parses once for a document, as the service does: plans know its nodes by identity."""

    documents: dict[str, Any] = {}

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        text = execution.query or ""
        self.documents.setdefault(text, parse(text))
        execution.graphql_document = self.documents[text]
        yield


def schema(executor: Any) -> strawberry.Schema:
    return strawberry.Schema(
        Query, execution_context_class=executor, extensions=[Parsed], config=StrawberryConfig(scalar_map=SCALARS)
    )


OURS, PLAIN = schema(PlannedExecutor), schema(StrawberryGraphQLCoreExecutionContext)


def thing(**changes: Any) -> Thing:
    values: dict[str, Any] = {
        "id": "t",
        "count": 7,
        "share": 0.5,
        "good": True,
        "color": Color.RED,
        "maybe_color": None,
        "at": datetime(2026, 11, 24, 7, tzinfo=UTC),
        "day": date(2026, 11, 24),
        "free": {"a": [1, None]},
        "names": ["a", "b"],
        "maybe_names": ["a", None],
        "part": Detail(name=None, color=Color.BLUE),
        "maybe_part": None,
        "parts": [Detail(name="p", color=Color.RED)],
        "maybe_parts": [Detail(name="p", color=Color.RED), None],
    }
    return Thing(**(values | changes))


ALL_PLAIN = """id count share good color maybeColor at day free names maybeNames part { name color } maybePart { name }
    parts { color __typename } maybeParts { name } __typename"""


async def answers(text: str, things: Any, **variables: Any) -> tuple[Any, Any, Plans]:
    """Ours, graphql-core's, and the plans of ours. An answer is its data in order, and what errors say and where."""
    context = Context(things)
    found = []
    for by in (OURS, PLAIN):
        result = await by.execute(text, variables, context)
        errors = [(error.message, error.path, error.locations) for error in result.errors or ()]
        found.append((json.dumps(result.data), errors))
    return found[0], found[1], context.plans


@pytest.mark.parametrize(
    "text",
    [
        f"{{ things {{ {ALL_PLAIN} }} }}",
        f"{{ thing {{ {ALL_PLAIN} }} }}",
        "{ things { b: id a: count again: count } }",
        "{ things { ...F part { color } } } fragment F on Thing { part { name } ... on Thing { id } }",
        "{ things { id @skip(if: true) count @include(if: false) share } }",
        "{ things { __typename } }",
    ],
)
async def test_plain_fields_are_completed_by_a_plan_alone(text: str) -> None:
    ours, plain, plans = await answers(text, [thing(), thing(color=Color.BLUE, maybe_parts=None)])
    assert ours == plain
    assert (plans.taken, plans.refused) == (1, 0)


@pytest.mark.parametrize("shown", [True, False])
async def test_variables_of_directives_make_plans_of_their_own(shown: bool) -> None:
    text = "query ($shown: Boolean!) { things { id count @include(if: $shown) } }"
    context = Context([thing()])
    for value in (shown, not shown, shown):
        result = await OURS.execute(text, {"shown": value}, context)
        assert result.data == {"things": [{"id": "t", "count": 7} if value else {"id": "t"}]}
    assert context.plans.taken == 3


@pytest.mark.parametrize("text", ["{ things { double id later count } }", "{ things { later part { name } never } }"])
async def test_what_has_a_resolver_is_left_to_graphql_core_in_its_order(text: str) -> None:
    ours, plain, plans = await answers(text, [thing(), thing()])
    assert ours == plain
    assert plans.taken >= 1


class Awaited(str):
    def __await__(self) -> Iterator[Any]:
        return iter(())


class FailedDetail(Exception):
    name, color = "x", Color.RED


class AwaitedDetail:
    name, color = "x", Color.RED

    def __await__(self) -> Generator[None, None, Detail]:
        yield from ()
        return Detail(name="awaited", color=Color.BLUE)


UNUSUAL: dict[str, dict[str, Any]] = {
    "null in a text": {"id": None},
    "null in a number": {"count": None},
    "null in an enum": {"color": None},
    "null in an object": {"part": None},
    "null in a list": {"names": ["a", None]},
    "null for a list": {"parts": None},
    "null in a list of objects": {"parts": [None]},
    "a number that is too large": {"count": 2**31},
    "a number in a text": {"id": 12},
    "a whole number for a share": {"share": 1},
    "infinity": {"share": float("inf")},
    "a text that equals a member": {"color": "red"},
    "a text that is no member": {"color": "green"},
    "no moment": {"at": "yesterday"},
    "a list for a text": {"id": ["a"]},
    "an error for a value": {"id": ValueError("stored")},
    "an error for an object": {"part": ValueError("stored")},
    "an error that has the fields of an object": {"part": FailedDetail("stored")},
    "an object that can be awaited": {"part": AwaitedDetail(), "parts": [AwaitedDetail()]},
    "an object of another class": {"part": object()},
    "a value that can be awaited": {"id": Awaited("t")},
    "a set for a list": {"names": {"a"}},
}


@pytest.mark.parametrize("changes", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("root", ["things", "thing"])
async def test_whatever_is_unusual_ends_as_with_graphql_core(root: str, changes: dict[str, Any]) -> None:
    text = f"{{ {root} {{ {ALL_PLAIN} later }} }}"

    ours, plain, _ = await answers(text, [thing(**changes)])
    assert ours == plain


async def test_a_list_that_can_be_read_once_is_not_read_by_a_plan() -> None:
    ours, _, _ = await answers("{ things { id } }", iter([thing()]))
    assert ours == ('{"things": [{"id": "t"}]}', [])
    ours, _, _ = await answers("{ things { id } }", iter([thing(), thing(id=None)]))
    assert [path for _, path, _ in ours[1]] == [["things", 1, "id"]]


class Row:
    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


PART: RowView[Row, Detail] = RowView(Detail, name="label")
VIEW: RowView[Row, Thing] = RowView(
    Thing,
    resolved={"double": needs("count")},
    share=Made(lambda row: row.percent / 100, ("percent",)),
    part=Part("part", PART),
    parts=Part("all_parts", PART, many=True),
)


def row(**changes: Any) -> Row:
    part = Row(label="x", color=Color.RED)
    shown = vars(thing()) | {"percent": 25, "part": part, "all_parts": [part, part], "maybe_parts": None}
    return Row(**(shown | changes))


@pytest.mark.parametrize(
    "selection", [ALL_PLAIN, "id", "share id", "parts { name } part { color name }", "double share", "id later"]
)
async def test_rows_are_shown_without_an_object_for_each(selection: str) -> None:
    ours, plain, plans = await answers(f"{{ things {{ {selection} }} }}", Each(VIEW, [row(), row(id="other")]))
    assert ours == plain
    assert plans.taken >= 1
    assert plans.refused == 0


@pytest.mark.parametrize("changes", [{"id": None}, {"part": None}, {"all_parts": [None]}, {"percent": None}])
async def test_rows_that_are_unusual_end_as_with_graphql_core(changes: dict[str, Any]) -> None:
    ours, plain, plans = await answers(f"{{ things {{ {ALL_PLAIN} }} }}", Each(VIEW, [row(**changes)]))
    assert ours == plain
    assert ours[1] != []
    assert plans.refused > 0


async def test_a_row_that_is_missing_is_left_to_graphql_core_whatever_is_asked_of_it() -> None:
    ours, plain, plans = await answers("{ things { part { __typename } } }", Each(VIEW, [row(part=None)]))
    assert ours == plain
    assert plans.refused > 0


def test_a_view_says_which_attributes_a_selection_needs() -> None:
    wanted = VIEW.wanted({"id": {}, "share": {}, "double": {}, "parts": {"name": {}}, "__typename": {}})
    assert wanted == {
        "id": EVERYTHING,
        "percent": EVERYTHING,
        "count": EVERYTHING,
        "all_parts": {"label": EVERYTHING},
    }
    assert VIEW.wanted({"later": {}}) is EVERYTHING


def test_a_view_of_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing"):
        RowView(Detail, nothing="name")
