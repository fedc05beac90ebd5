"""What version 0.1 promised still holds: nothing removed, renamed or made nullable. Additions are allowed.

`tests/support/baseline` has what commit a366468 served, without texts and examples.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema
from graphql.utilities import find_breaking_changes

from schema.export import printed
from service.rest.description.openapi import describe
from service.rest.routes import OPERATIONS

Json = dict[str, Any]

BASELINE = Path(__file__).parents[2] / "support" / "baseline"
PROMISED: Json = json.loads((BASELINE / "openapi.json").read_text("utf-8"))
TODAY: Json = json.loads(json.dumps(describe(OPERATIONS, "0")))
_NAMED = ("properties", "schemas", "headers", "paths")  # objects whose keys are names that we chose
_TEXTS = frozenset({"description", "summary", "example", "examples", "version"})


def broken(promised: Any, today: Any, where: str = "") -> Iterator[str]:
    """Every promise that is not kept, by its path in the description."""
    if not isinstance(promised, dict) or not isinstance(today, dict):
        if promised != today:
            yield f"{where} was {promised}, is {today}"
        return
    is_sent = promised.get("additionalProperties") is False
    if is_sent and "required" not in promised and today.get("required"):
        yield f"{where}: {today['required']} may no longer be absent"
    for key, value in promised.items():
        inner = f"{where}/{key}"
        if key not in today:
            yield f"{inner} is gone"
        elif key == "required" and isinstance(value, list):
            yield from broken_required(set(value), set(today[key]), is_sent, inner)
        elif key == "enum":
            yield from (f"{inner}: {member} is gone" for member in value if member not in today[key])
        else:
            yield from broken(comparable(key, value), comparable(key, today[key]), inner)


def comparable(key: str, value: Any) -> Any:
    """Lists by what identifies their members: parameters by name, types in any order, alternatives in theirs."""
    if not isinstance(value, list):
        return value
    if key == "parameters":
        return by_name(value)
    return sorted(value) if key == "type" else dict(enumerate(value))


def broken_required(promised: set[str], today: set[str], is_sent: bool, where: str) -> Iterator[str]:
    changed = today - promised if is_sent else promised - today
    if changed:
        yield f"{where}: {changed} {'may no longer' if is_sent else 'may now'} be absent"


def by_name(parameters: list[Json]) -> dict[str, Json]:
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in parameters}


def without_texts(described: Any, is_named: bool = False) -> Any:
    if isinstance(described, list):
        return [without_texts(part) for part in described]
    if not isinstance(described, Mapping):
        return described
    return {
        key: without_texts(value, key in _NAMED) for key, value in described.items() if is_named or key not in _TEXTS
    }


def test_rest_keeps_what_version_0_1_promised() -> None:
    assert not list(broken(without_texts(PROMISED), without_texts(TODAY)))


def test_graphql_keeps_what_version_0_1_promised() -> None:
    promised = build_schema((BASELINE / "schema.graphql").read_text("utf-8"))
    assert not [change.description for change in find_breaking_changes(promised, build_schema(printed()))]


def schema_of(name: str) -> Json:
    described: Json = json.loads(json.dumps(TODAY["components"]["schemas"][name]))
    return described


def test_a_key_that_is_added_breaks_no_promise() -> None:
    today = schema_of("Job")
    today["properties"]["added"] = {"type": "string"}
    today["required"].append("added")
    assert not list(broken(schema_of("Job"), today))


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
def test_a_promise_that_is_broken_is_seen(name: str, change: Json) -> None:
    today = schema_of(name)
    for key, value in change.items():
        today[key] = today[key] | value if isinstance(value, dict) and value else value
    assert list(broken(schema_of(name), today))


def test_a_parameter_that_is_added_may_be_absent() -> None:
    for path, methods in PROMISED["paths"].items():
        for method, operation in methods.items():
            promised = by_name(operation.get("parameters", []))
            today = by_name(TODAY["paths"][path][method].get("parameters", []))
            assert not [name for name in today.keys() - promised.keys() if today[name]["required"]]
