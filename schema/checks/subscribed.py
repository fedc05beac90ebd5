"""What a subscription asks for: its one field, and what it is given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
)
from graphql.execution.values import get_argument_values, get_variable_values
from graphql.utilities import get_operation_ast
from strawberry.types.graphql import OperationType

from schema.checks.documents import Documents


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The field of a subscription, with its arguments as they were sent."""

    field: str
    arguments: Mapping[str, Any]
    cost: int


def subscribed(
    schema: GraphQLSchema, documents: Documents, text: str, name: str | None, variables: Mapping[str, Any] | None
) -> Subscribed | None:
    """What an operation subscribes to; None where it is no subscription, or not one that may be executed."""
    try:
        document = documents.read(schema, text)
    except GraphQLError:
        return None
    if document.kind(name) is not OperationType.SUBSCRIPTION:
        return None
    weighed = document.weighed(name, variables, documents.limits)
    return None if weighed.refusals else _field_of(schema, document.node, name, variables or {}, weighed.cost)


def _field_of(
    schema: GraphQLSchema, node: DocumentNode, name: str | None, variables: Mapping[str, Any], cost: int
) -> Subscribed | None:
    operation, root = get_operation_ast(node, name), schema.subscription_type
    if operation is None or root is None:
        return None
    given = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    fragments = {part.name.value: part for part in node.definitions if isinstance(part, FragmentDefinitionNode)}
    field = next(_fields(operation.selection_set.selections, fragments), None)
    if field is None or isinstance(given, list):
        return None
    try:
        return Subscribed(field.name.value, get_argument_values(root.fields[field.name.value], field, given), cost)
    except GraphQLError:
        return None


def _fields(
    selections: tuple[SelectionNode, ...], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    for selection in selections:
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(selection.selection_set.selections, fragments)
        elif isinstance(selection, FragmentSpreadNode):
            yield from _fields(fragments[selection.name.value].selection_set.selections, fragments)
