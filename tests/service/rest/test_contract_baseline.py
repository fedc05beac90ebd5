"""What was promised still holds, over both interfaces: what breaks clients is refused. See docs/compatibility.md.

`tests/support/baseline` has what commit a366468 served, without texts and examples; `tests/support/released` what each
release since promised (`tools/release_interfaces.py`).
"""

import json
import re
from pathlib import Path

import pytest

from schema.export import printed
from service.rest.description.openapi import describe
from service.rest.routes import OPERATIONS
from tests.support.compatibility import (
    Json,
    breaks_of_graphql,
    breaks_of_openapi,
    undated_deprecations,
    undated_deprecations_of_openapi,
)

SUPPORT = Path(__file__).parents[2] / "support"
TODAY: Json = json.loads(json.dumps(describe(OPERATIONS, "0")))
GRAPHQL = printed()
PROMISED = {
    "0.1.0": (SUPPORT / "baseline" / "schema.graphql", SUPPORT / "baseline" / "openapi.json"),
    **{
        path.stem: (path, path.with_suffix(".openapi.json"))
        for path in sorted((SUPPORT / "released").glob("*.graphql"))
    },
}


def test_the_last_release_is_among_those_compared() -> None:
    changelog = (Path(__file__).parents[3] / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+) - ", changelog, re.MULTILINE)
    assert released[0] in PROMISED, "python -m tools.release_interfaces VERSION"


@pytest.mark.parametrize("version", PROMISED)
def test_graphql_keeps_what_a_release_promised(version: str) -> None:
    assert not breaks_of_graphql(PROMISED[version][0].read_text("utf-8"), GRAPHQL)


@pytest.mark.parametrize("version", PROMISED)
def test_rest_keeps_what_a_release_promised(version: str) -> None:
    assert not breaks_of_openapi(json.loads(PROMISED[version][1].read_text("utf-8")), TODAY)


def test_what_is_deprecated_says_since_when_and_what_to_use() -> None:
    assert not undated_deprecations(GRAPHQL)
    assert not undated_deprecations_of_openapi(TODAY)
    assert undated_deprecations('type Query { a: Int @deprecated(reason: "old") b: Int @deprecated }') == ["old", ""]
    assert not undated_deprecations('type Query { a: Int @deprecated(reason: "Since 2026-11-28: use `b`.") }')
    assert undated_deprecations_of_openapi({"a": {"deprecated": True, "description": "old"}}) == ["old"]


OLD = """type Query { a(x: Int = 1, y: E): N! old: String } enum E { A B } interface I { id: ID! }
type N implements I { id: ID! name: String! } input In { a: Int b: String! } type Mutation { m(in: In): Int }"""


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (" old: String", ""),  # a field that is gone
        ("old: String", "older: String"),  # renamed
        ("N! old", "N old"),  # made nullable
        ("name: String!", "name: Int!"),  # another type
        ("enum E { A B }", "enum E { A }"),  # a value that is gone
        ("x: Int = 1, ", ""),  # an argument that is gone
        ("y: E", "y: E, z: Int!"),  # another that must be given
        ("y: E", "y: E!"),  # one that must now be given
        ("x: Int = 1", "x: Int = 2"),  # another default
        ("input In { a: Int", "input In { a: Int!"),  # an input that must now be given
        ("input In { a: Int", "input In { a: Int c: Int!"),
        ("input In { a: Int", "input In {"),
        ("implements I", ""),
    ],
)
def test_a_broken_promise_of_graphql_is_seen(was: str, becomes: str) -> None:
    assert was in OLD
    assert breaks_of_graphql(OLD, OLD.replace(was, becomes, 1))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("old: String", "old: String!"),
        ("name: String!", "name: String! more: Int"),
        ("enum E { A B }", "enum E { A B C }"),
        ("y: E", "y: E, z: Int"),
        ("b: String!", "b: String"),
        ("old: String", 'old: String @deprecated(reason: "Since 2026-11-28: use `a`.")'),
    ],
)
def test_what_is_added_to_graphql_breaks_no_promise(was: str, becomes: str) -> None:
    assert not breaks_of_graphql(OLD, OLD.replace(was, becomes, 1))


def changed(name: str, change: Json) -> Json:
    """The description of today with another schema of this name."""
    today: Json = json.loads(json.dumps(TODAY))
    schema = today["components"]["schemas"][name]
    for key, value in change.items():
        schema[key] = schema[key] | value if isinstance(value, dict) and value else value
    return today


def test_a_key_that_is_added_breaks_no_promise() -> None:
    job = TODAY["components"]["schemas"]["Job"]
    added = {"properties": {"added": {"type": "string"}}, "required": [*job["required"], "added"]}
    assert not breaks_of_openapi(TODAY, changed("Job", added))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Job", {"properties": {"priority": {"type": ["integer", "null"]}}}),
        ("Job", {"properties": {"status": {"type": "string", "enum": ["pending"]}}}),
        ("Job", {"required": ["id"]}),
        ("Job", {"properties": {}}),
        ("Job", {"properties": {"error": {"anyOf": [{"type": "null"}]}}}),
        ("PauseRequest", {"required": ["reason"]}),
        ("RecordInput", {"required": ["entityType", "externalId", "fields", "source"]}),
    ],
)
def test_a_broken_promise_of_rest_is_seen(name: str, change: Json) -> None:
    assert breaks_of_openapi(TODAY, changed(name, change))


def test_a_route_that_is_gone_and_a_parameter_that_must_be_given_are_seen() -> None:
    without: Json = json.loads(json.dumps(TODAY))
    route = next(path for path in without["paths"] if path.endswith("/stats"))
    parameters = without["paths"][route]["get"].setdefault("parameters", [])
    parameters.append({"in": "query", "name": "more", "schema": {"type": "string"}})
    assert not breaks_of_openapi(TODAY, without)
    parameters[-1]["required"] = True
    assert breaks_of_openapi(TODAY, without)
    del without["paths"][route]
    assert breaks_of_openapi(TODAY, without)
