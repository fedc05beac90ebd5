"""Reads a query text once: parsed, weighed and validated documents are kept for the next call.

The library's own caches would keep texts of any length, and its limiters make a new rule for each call,
which a cache keyed by the rules never finds again.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules
from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.schema.schema import validate_document

from resolvers.errors import QueryTooComplex
from schema.limits import Limits, Operation, weigh

# In characters; a document takes about a thousand times its text in memory. A longer one most likely holds
# values that should be variables, and will not come again.
LONGEST_KEPT = 8_192
KEPT = 32 * LONGEST_KEPT


@dataclass(frozen=True, slots=True)
class Document:
    """A document that parses, what its operations ask for, and what is wrong with it."""

    node: DocumentNode
    operations: dict[str | None, Operation]
    errors: Sequence[GraphQLError]

    def operation(self, name: str | None) -> Operation | None:
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name)


class Documents:
    """The documents lately used with one schema."""

    def __init__(self, *, limits: Limits, introspection: bool) -> None:
        self.limits = limits
        self._rules: tuple[type[ASTValidationRule], ...] = tuple(specified_rules)
        if not introspection:
            self._rules += (NoSchemaIntrospectionCustomRule,)
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._size = 0

    def read(self, schema: GraphQLSchema, text: str) -> Document:
        """The document of a query text. Raises GraphQLSyntaxError."""
        document = self._kept.get(text)
        if document is not None:
            self._kept.move_to_end(text)
            return document
        most = self.limits.tokens
        document = self._examine(schema, parse(text, max_lexical_tokens=most, max_comments=most))
        if len(text) <= LONGEST_KEPT:
            self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._size += len(text)
        while self._size > KEPT:
            oldest, _ = self._kept.popitem(last=False)
            self._size -= len(oldest)

    def _examine(self, schema: GraphQLSchema, node: DocumentNode) -> Document:
        try:
            operations = weigh(schema, node, self.limits)
            return Document(node, operations, validate_document(schema, node, self._rules))
        except QueryTooComplex as error:
            refusal = error
        except RecursionError:
            refusal = QueryTooComplex("The query is nested too deeply.")
        return Document(node, {}, [GraphQLError(refusal.message, original_error=refusal)])
