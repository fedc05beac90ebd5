"""What would break a client: a description of an interface as it was promised, beside that of today."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import build_schema
from graphql.utilities import DangerousChangeType, find_breaking_changes, find_dangerous_changes

Json = dict[str, Any]

_NAMED = ("properties", "schemas", "headers", "paths")  # objects whose keys are names that we chose
_TEXTS = frozenset({"description", "summary", "example", "examples", "version", "deprecated"})
_DEPRECATION = re.compile(r"Since \d{4}-\d{2}-\d{2}: use `[^`]+`")


def breaks_of_graphql(promised: str, today: str) -> list[str]:
    """Every promise of a printed schema that another does not keep: the kinds that docs/compatibility.md lists."""
    before, after = build_schema(promised), build_schema(today)
    broken = [change.description for change in find_breaking_changes(before, after)]
    dangerous = find_dangerous_changes(before, after)
    defaults = (change for change in dangerous if change.type is DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE)
    return [*broken, *(change.description for change in defaults)]


def breaks_of_openapi(promised: Json, today: Json) -> list[str]:
    """Every promise of a description that another does not keep; texts and examples promise nothing."""
    found = list(_broken(_without_texts(promised), _without_texts(today)))
    for path, methods in promised["paths"].items():
        for method, operation in methods.items():
            before = by_name(operation.get("parameters", []))
            after = by_name(today["paths"].get(path, {}).get(method, {}).get("parameters", []))
            found += [
                f"{method} {path}: {name} must now be given"
                for name in after.keys() - before.keys()
                if after[name].get("required")
            ]
    return found


def undated_deprecations(printed: str) -> list[str]:
    """What a printed schema deprecates without a date and a replacement."""
    reasons = re.findall(r"@deprecated(?:\(reason: \"([^\"]*)\"\))?", printed)
    return [reason for reason in reasons if not _DEPRECATION.match(reason)]


def undated_deprecations_of_openapi(described: Any) -> list[str]:
    """The same of a description of REST."""
    if isinstance(described, list):
        return [found for part in described for found in undated_deprecations_of_openapi(part)]
    if not isinstance(described, Mapping):
        return []
    found = [each for part in described.values() for each in undated_deprecations_of_openapi(part)]
    text = str(described.get("description", ""))
    return [*found, text] if described.get("deprecated") is True and not _DEPRECATION.search(text) else found


def _broken(promised: Any, today: Any, where: str = "") -> Iterator[str]:
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
            yield from _broken_required(set(value), set(today[key]), is_sent, inner)
        elif key == "enum":
            yield from (f"{inner}: {member} is gone" for member in value if member not in today[key])
        else:
            yield from _broken(_comparable(key, value), _comparable(key, today[key]), inner)


def _broken_required(promised: set[str], today: set[str], is_sent: bool, where: str) -> Iterator[str]:
    changed = today - promised if is_sent else promised - today
    if changed:
        yield f"{where}: {changed} {'may no longer' if is_sent else 'may now'} be absent"


def _comparable(key: str, value: Any) -> Any:
    """Lists by what identifies their members: parameters by name, types in any order, alternatives in theirs."""
    if not isinstance(value, list):
        return value
    if key == "parameters":
        return by_name(value)
    return sorted(value) if key == "type" else dict(enumerate(value))


def by_name(parameters: list[Json]) -> dict[str, Json]:
    """Parameters by where they are and how they are called."""
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in parameters}


def _without_texts(described: Any, is_named: bool = False) -> Any:
    if isinstance(described, list):
        return [_without_texts(part) for part in described]
    if not isinstance(described, Mapping):
        return described
    return {
        key: _without_texts(value, key in _NAMED) for key, value in described.items() if is_named or key not in _TEXTS
    }
