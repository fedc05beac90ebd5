"""The schema is what clients were promised, and what is committed."""

from pathlib import Path

import pytest
from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)

from schema.export import PATH, printed
from tests.support.graphql_client import SCHEMA

TYPES = SCHEMA._schema.type_map
PROMISED = {
    node.name.value: node
    for node in parse(Path(__file__).with_name("contract.graphql").read_text("utf-8")).definitions
    if isinstance(node, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode | EnumTypeDefinitionNode)
}


def test_the_committed_schema_is_the_printed_one() -> None:
    assert PATH.read_text("utf-8") == printed(), "run `make schema`"


@pytest.mark.parametrize("name", PROMISED)
def test_every_promised_type_is_there_as_promised(name: str) -> None:
    promised, actual = PROMISED[name], TYPES[name]
    match promised:
        case EnumTypeDefinitionNode():
            assert isinstance(actual, GraphQLEnumType)
            assert set(actual.values) == {value.name.value for value in promised.values or ()}
        case InputObjectTypeDefinitionNode():
            assert isinstance(actual, GraphQLInputObjectType)
            for wanted in promised.fields or ():
                assert str(actual.fields[wanted.name.value].type) == print_ast(wanted.type), wanted.name.value
        case ObjectTypeDefinitionNode():
            assert isinstance(actual, GraphQLObjectType)
            for field in promised.fields or ():
                check_field(actual, field)


def check_field(actual: GraphQLObjectType, promised: FieldDefinitionNode) -> None:
    name = promised.name.value
    field = actual.fields[name]
    assert str(field.type) == print_ast(promised.type), name
    for argument in promised.arguments or ():
        there = field.args[argument.name.value]
        # What had to be given may have become optional: who gives it is served as before.
        assert print_ast(argument.type) in {str(there.type), f"{there.type}!"}, f"{name}({argument.name.value})"
        assert default_of(argument) == shown_default(there.default_value), f"{name}({argument.name.value})"


def default_of(argument: InputValueDefinitionNode) -> str | None:
    return None if argument.default_value is None else print_ast(argument.default_value)


def shown_default(value: object) -> str | None:
    return str(value).lower() if isinstance(value, int) else None


def test_no_argument_beyond_the_promised_ones_is_required() -> None:
    for kind in TYPES.values():
        promised = PROMISED.get(kind.name)
        if not isinstance(kind, GraphQLObjectType) or not isinstance(promised, ObjectTypeDefinitionNode):
            continue
        for field in promised.fields or ():
            known = {argument.name.value for argument in field.arguments or ()}
            for name, argument in kind.fields[field.name.value].args.items():
                assert name in known or not str(argument.type).endswith("!"), f"{kind.name}.{field.name.value}"


def test_every_operation_is_described() -> None:
    for name in ("Query", "Mutation", "Subscription"):
        root = TYPES[name]
        assert isinstance(root, GraphQLObjectType)
        assert all(field.description for field in root.fields.values())
