"""The catalogue of errors: each is raised by an operation, and has its code at both doors."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLError

from resolvers import errors
from resolvers.errors import OperationError, RateLimited
from schema.base.errors import ErrorTranslator
from service.http.problem import KINDS, RESERVED

ROOT = Path(__file__).parents[2]
LAYERS = ("resolvers", "workers", "schema", "service")


def catalogue(base: type[OperationError] = OperationError) -> Iterator[type[OperationError]]:
    """Every error of the tree, without its base."""
    for error in base.__subclasses__():
        if error.__module__ == errors.__name__:
            yield error
            yield from catalogue(error)


def made_in_sources() -> set[str]:
    """The names of all classes that the sources make instances of."""
    calls = (
        node.func
        for layer in LAYERS
        for file in (ROOT / layer).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
    )
    return {
        func.id if isinstance(func, ast.Name) else func.attr
        for func in calls
        if isinstance(func, ast.Name | ast.Attribute)
    }


def example(error: type[OperationError]) -> OperationError:
    return RateLimited("no", retry_after=1) if error is RateLimited else error("no")


def test_the_tree_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert set(re.findall(r"[├└]── (\w+)", errors.__doc__)) == {error.__name__ for error in catalogue()}


def test_every_error_is_raised_by_an_operation() -> None:
    assert {error.__name__ for error in catalogue()} <= made_in_sources()


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in catalogue()]
    assert len(codes) == len(set(codes))


def test_every_error_has_a_status_over_http() -> None:
    assert {error.code for error in catalogue()} <= KINDS.keys()


@pytest.mark.parametrize("error", list(catalogue()), ids=lambda error: error.__name__)
def test_every_error_keeps_its_code_in_graphql(error: type[OperationError]) -> None:
    translate = ErrorTranslator(lambda _: False)
    shown = translate(GraphQLError("no", original_error=example(error)))
    assert (shown.extensions or {})["code"] == error.code


def test_reserved_codes_are_documented_and_raised_by_nothing() -> None:
    assert KINDS.keys() >= RESERVED
    assert RESERVED.isdisjoint(error.code for error in catalogue())


def test_an_error_lists_a_hundred_faults_and_says_how_many_more() -> None:
    error = errors.ValidationFailed("wrong " * 1000, faults=[errors.Fault("a" * 5000, "b" * 5000)] * 250)
    assert (len(error.faults), error.details) == (100, {"moreErrors": 150})
    assert {len(text) for fault in error.faults for text in (fault.path, fault.message)} == {1000}
    assert len(error.message) == 1000
    assert "moreErrors" not in errors.ValidationFailed("wrong", faults=[errors.Fault("a", "b")] * 100).extensions
