"""The clients are generated of the schema that is served, which no generator and no Node is needed to see."""

import json

import pytest
from graphql import NoDeprecatedCustomRule, build_schema, parse, specified_rules, validate

from clients.generated import CODE, DIGESTS, DOCUMENTS, HERE, SCHEMA, digests_of, pruned
from schema.export import printed


def test_the_clients_are_generated_of_the_schema_that_is_served() -> None:
    assert SCHEMA.read_text("utf-8") == pruned(printed(), DOCUMENTS.read_text("utf-8")), "run `make client client-ts`"


@pytest.mark.parametrize("client", CODE)
def test_the_code_is_what_the_generator_wrote_of_it(client: str) -> None:
    assert json.loads(DIGESTS.read_text("utf-8"))[client] == digests_of(client), "run `make client client-ts`"


def test_the_documents_are_of_the_part_of_the_schema_that_is_kept_and_use_nothing_deprecated() -> None:
    documents = parse(DOCUMENTS.read_text("utf-8"))
    assert (
        validate(build_schema(SCHEMA.read_text("utf-8")), documents, [*specified_rules, NoDeprecatedCustomRule]) == []
    )


SERVED = """
type Query { a(x: In, y: Int): A  b: Int }
type A implements N { id: ID!  e: E  other: Other }
type Other { id: ID! }
interface N { id: ID! }
enum E { ONE }
enum F { TWO }
input In { f: F  deep: In }
"""


def test_what_documents_do_not_use_is_left_out() -> None:
    kept = build_schema(pruned(SERVED, "query ($x: In) { a(x: $x) { e __typename } }"))
    assert {name for name in kept.type_map if not name.startswith("__")} - {"String", "Boolean"} == {
        "Query", "A", "E", "F", "In",
    }  # fmt: skip
    assert kept.query_type is not None
    assert set(kept.query_type.fields["a"].args) == {"x"}


def test_locks_name_no_host() -> None:
    lock = json.loads((HERE / "typescript" / "package-lock.json").read_text("utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
