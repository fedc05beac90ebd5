"""Caches documents: a query text is parsed, weighed and validated once.

The library's own caches would keep texts of any length, and its limiters make a new rule for each call,
which a cache keyed by the rules never finds again.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.schema.schema import validate_document
from strawberry.types.graphql import OperationType
from strawberry.utils.operation import get_operation_type

from resolvers.errors import QueryTooComplex
from schema.checks.limits import Limits, WeighedOperation, cost_within, weigh
from schema.checks.texts import Check, TextChecks, literal_nul
from schema.execution.plans import Plans

# In characters; a document takes about a thousand times its text in memory. A longer one most likely holds
# values that should be variables, and will not come again.
LONGEST_KEPT = 8_192
KEPT = 32 * LONGEST_KEPT


class Weighed(NamedTuple):
    """What an operation costs, and why it must not run; no refusals: it may."""

    cost: int
    refusals: Sequence[GraphQLError]


@dataclass(frozen=True, slots=True)
class Document:
    """A document that parses, what its operations ask for, what is wrong with it, and how it is completed."""

    node: DocumentNode
    errors: Sequence[GraphQLError]
    operations: Mapping[str | None, WeighedOperation] = field(default_factory=dict)
    texts: Mapping[str | None, Mapping[str, Check]] = field(default_factory=dict)
    plans: Plans = field(default_factory=Plans)

    def kind(self, name: str | None) -> OperationType | None:
        """The kind of an operation; None where the document is not in order or has no such operation."""
        if self.errors or (name not in self.operations and (name is not None or len(self.operations) != 1)):
            return None
        return get_operation_type(self.node, name)

    def weighed(self, name: str | None, variables: Mapping[str, Any] | None, limits: Limits) -> "Weighed":
        """What this operation costs with these variables, and why it must not run, if so."""
        if self.errors:
            return Weighed(0, self.errors)
        if name is None and len(self.operations) > 1:
            return Weighed(0, [GraphQLError("Which of the operations is meant? Name it in operationName.")])
        name = name or next(iter(self.operations))
        refusals = [
            GraphQLError(f"Variable '${variable}' holds a NUL character.")
            for variable, holds_nul in self.texts[name].items()
            if variables and holds_nul(variables.get(variable))
        ]
        try:
            cost = cost_within(self.operations[name], variables, limits)
        except QueryTooComplex as refusal:
            return Weighed(0, [*refusals, GraphQLError(refusal.message, original_error=refusal)])
        return Weighed(cost, refusals)


class Documents:
    """The recently used documents of a schema."""

    def __init__(self, *, limits: Limits, introspection: bool) -> None:
        self.limits = limits
        self._rules: tuple[type[ASTValidationRule], ...] = tuple(specified_rules)
        if not introspection:
            self._rules += (NoSchemaIntrospectionCustomRule,)
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._size = 0
        self._text_checks: TextChecks | None = None

    def kept(self, text: str) -> Document | None:
        """The document of a query text that came before."""
        document = self._kept.get(text)
        if document is not None:
            self._kept.move_to_end(text)
        return document

    def read(self, schema: GraphQLSchema, text: str) -> Document:
        """The document of a query text. Raises GraphQLSyntaxError."""
        document = self.kept(text)
        if document is not None:
            return document
        most = self.limits.tokens
        node = parse(text, max_lexical_tokens=most, max_comments=most)
        document = self._examine(schema, node, text)
        if len(text) <= LONGEST_KEPT:
            self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._size += len(text)
        while self._size > KEPT:
            oldest, _ = self._kept.popitem(last=False)
            self._size -= len(oldest)

    def _examine(self, schema: GraphQLSchema, node: DocumentNode, text: str) -> Document:
        if literal_nul(text, node):
            return Document(node, [GraphQLError("A text of the query holds a NUL character.")])
        try:
            operations = weigh(schema, node, self.limits)
            errors = validate_document(schema, node, self._rules)
        except QueryTooComplex as refusal:
            return Document(node, [GraphQLError(refusal.message, original_error=refusal)])
        except RecursionError:
            too_deep = GraphQLError("The query is nested too deeply.", extensions={"code": QueryTooComplex.code})
            return Document(node, [too_deep])
        return Document(node, errors, operations, {} if errors else self._texts(schema, node))

    def _texts(self, schema: GraphQLSchema, node: DocumentNode) -> dict[str | None, dict[str, Check]]:
        checks = self._text_checks = self._text_checks or TextChecks(schema)
        return {
            part.name.value if part.name else None: checks.of_operation(part)
            for part in node.definitions
            if isinstance(part, OperationDefinitionNode)
        }
