"""Queries that the pages show in the midst of a sentence are good by the schema."""

import re
from collections.abc import Iterator

import pytest
from graphql import parse, validate

from tests.support.graphql_client import SCHEMA
from tests.support.processes import ROOT

FIELDS = SCHEMA._schema.query_type.fields if SCHEMA._schema.query_type else {}
_QUERY = re.compile(r"`(\w+(?:\([^`]*\))? \{[^`]*\})`")


def shown() -> Iterator[tuple[str, str]]:
    for page in sorted((ROOT / "docs").glob("*.md")):
        for match in _QUERY.finditer(page.read_text("utf-8")):
            if re.split(r"\W", match[1])[0] in FIELDS:
                yield page.name, match[1]


@pytest.mark.parametrize(("page", "query"), list(shown()))
def test_a_query_of_a_page_is_good(page: str, query: str) -> None:
    assert validate(SCHEMA._schema, parse(f"{{ {query} }}")) == [], page


def test_queries_are_found() -> None:
    assert {page for page, _ in shown()} >= {"runbook.md"}
