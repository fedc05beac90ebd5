"""All SQL and all Tortoise queries stand in `models/`; the other layers call its functions and read its rows.

That nobody imports what statements are made of is a contract of import-linter (pyproject.toml).
"""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tortoise.models import Model

ROOT = Path(__file__).parents[2]
LAYERS = ("resolvers", "workers", "schema", "service", "providers", "enrichment")
_SQL = re.compile(
    r"\s*(SELECT\s+\S|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|PRAGMA\s|VACUUM\b"
    r"|(CREATE|ALTER|DROP|TRUNCATE|LOCK)\s+(TABLE|INDEX|VIEW|TRIGGER)\b|(LEFT\s+)?JOIN\s+\w+\s|(ORDER|GROUP)\s+BY\s)"
)
_OF_MODELS = {"all", "annotate", "bulk_create", "bulk_update", "create", "exclude", "exists", "filter", "first", "get"}
_OF_MODELS |= {"get_or_create", "in_bulk", "raw", "update_or_create"}
_ALWAYS = {"fetch_related", "get_or_none", "order_by", "prefetch_related", "select_related", "using_db", "values_list"}


def sources() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def statements_in(tree: ast.Module) -> Iterator[str]:
    """What of a module is SQL or a Tortoise query."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    tables = set(_tables(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documentation and _SQL.match(node.value):
                yield f"line {node.lineno}: {node.value[:60]!r}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            of_table = isinstance(owner, ast.Name) and owner.id in tables and node.func.attr in _OF_MODELS
            if of_table or node.func.attr in _ALWAYS:
                yield f"line {node.lineno}: {ast.unparse(node.func)[:60]}()"


def _tables(tree: ast.Module) -> Iterator[str]:
    """The names under which a module knows Tortoise models."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "models":
            for alias in node.names:
                value = getattr(importlib.import_module(node.module or ""), alias.name, None)
                if isinstance(value, type) and issubclass(value, Model):
                    yield alias.asname or alias.name


@pytest.mark.parametrize("path", sources())
def test_there_is_no_statement_outside_of_models(path: str) -> None:
    assert list(statements_in(ast.parse((ROOT / path).read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "text",
    [
        'sql = "SELECT id FROM job"',
        'sql = f"UPDATE job SET status = {status}"',
        'part = " ORDER BY id"',
        "from models.record import Record\nasync def f():\n    return await Record.filter(id=1)",
        "from models.record import Record as Row\nasync def f():\n    return await Row.get(id=1)",
        "async def f(rows):\n    return await rows.prefetch_related('steps')",
    ],
)
def test_a_statement_is_recognized(text: str) -> None:
    assert len(list(statements_in(ast.parse(text)))) == 1


@pytest.mark.parametrize("text", ['"""SELECT nothing."""', 'x = "Select a record"', "config.get('x')", "f.filter(1)"])
def test_what_is_no_statement_is_let_through(text: str) -> None:
    assert list(statements_in(ast.parse(text))) == []
