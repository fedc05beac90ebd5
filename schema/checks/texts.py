"""Finds NUL characters, which JSON and GraphQL can hold and PostgreSQL cannot store, before anything runs."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    TokenKind,
    get_nullable_type,
    is_input_type,
    is_list_type,
    type_from_ast,
)

NUL = "\0"
_TEXTS = frozenset({"String", "ID"})
_STRINGS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})

_REFUSED_ALONE = frozenset({"RecordInput"})  # one bad record does not refuse the others

Check = Callable[[Any], bool]


class TextChecks:
    """For each input type of a schema, whether a value of it holds a NUL. JSON is left to its readers."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: dict[str, Check | None] = {}

    def of_operation(self, node: OperationDefinitionNode) -> dict[str, Check]:
        """The checks of an operation's variables, by name; only of those that may hold text."""
        checks: dict[str, Check] = {}
        for variable in node.variable_definitions or ():
            kind = type_from_ast(self._schema, variable.type)
            check = self._of(kind) if kind is not None and is_input_type(kind) else None
            if check is not None:
                checks[variable.variable.name.value] = check
        return checks

    def _of(self, given: GraphQLInputType) -> Check | None:
        kind = get_nullable_type(given)
        if is_list_type(kind):
            check = self._of(kind.of_type)
            return check and _in_list(check)
        if isinstance(kind, GraphQLInputObjectType) and kind.name not in _REFUSED_ALONE:
            if kind.name not in self._known:
                self._known[kind.name] = None
                self._known[kind.name] = self._of_object(kind)
            return self._known[kind.name]
        return _in_text if getattr(kind, "name", None) in _TEXTS else None

    def _of_object(self, kind: GraphQLInputObjectType) -> Check | None:
        checks = {name: check for name, field in kind.fields.items() if (check := self._of(field.type)) is not None}
        return _in_object(checks) if checks else None


def _in_text(value: Any) -> bool:
    return isinstance(value, str) and NUL in value


def _in_list(check: Check) -> Check:
    def checks(value: Any) -> bool:
        return any(map(check, value)) if isinstance(value, list) else check(value)

    return checks


def _in_object(parts: Mapping[str, Check]) -> Check:
    def checks(value: Any) -> bool:
        return isinstance(value, dict) and any(check(value.get(name)) for name, check in parts.items())

    return checks


def literal_nul(text: str, node: DocumentNode) -> bool:
    """Whether a text written into the document holds a NUL."""
    if NUL not in text and "\\u" not in text:
        return False
    token = node.loc.start_token if node.loc else None
    while token is not None:
        if token.kind in _STRINGS and NUL in (token.value or ""):
            return True
        token = token.next
    return False
