"""The beginning of an operation that goes the library's way: its context, its document, its refusal or its cost."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from resolvers.errors import RateLimited
from schema.base.context import GraphQLContext
from schema.base.loaders import Loaders
from schema.checks.documents import Document, Documents


def cost_of(context: GraphQLContext) -> dict[str, Any] | None:
    """The extensions of an answer: what the operation cost, where that was counted."""
    return None if context.spent is None else {"cost": context.spent.shown}


class OperationStart(SchemaExtension):
    """Gives an operation its own context, its document, and the refusal of what it must not ask for."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self._document: Document | None = None

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context.for_operation()
        context.loaders = Loaders(context)
        self.execution_context.context = context
        yield

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        try:
            self._document = self._documents.read(execution.schema._schema, execution.query or "")
            execution.graphql_document = self._document.node
            execution.context.plans = self._document.plans
        except GraphQLError:
            # Left to the library, which parses again, to be answered on every transport.
            execution.parse_options["max_tokens"] = self._documents.limits.tokens
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        execution = self.execution_context
        assert self._document is not None
        name, variables = execution._provided_operation_name, execution.variables
        cost, refusals = self._document.weighed(name, variables, self._documents.limits)
        context: GraphQLContext = execution.context
        if not refusals and context.meter is not None:
            try:
                context.spent = await context.meter.take(cost)
            except RateLimited as refusal:
                refusals = [GraphQLError(refusal.message, original_error=refusal)]
        execution.pre_execution_errors = list(refusals)
        yield

    def get_results(self) -> dict[str, Any]:
        execution = self.execution_context
        if (
            self._document is None
            or self._document.kind(execution._provided_operation_name) is OperationType.SUBSCRIPTION
        ):
            return {}  # its messages are the same for all who share it
        return cost_of(execution.context) or {}
