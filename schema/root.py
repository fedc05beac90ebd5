"""The schema: its three root types, and what happens around every operation."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import Any, cast

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    execute,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType
from strawberry.utils.await_maybe import await_maybe

from resolvers.errors import RateLimited
from schema.audit import AuditQuery
from schema.base.context import GraphQLContext, MessageCursor
from schema.base.errors import ErrorTranslator
from schema.base.loaders import Loaders
from schema.base.node import know_types_by_class
from schema.base.scalars import SCALARS
from schema.catalogue import CatalogueQuery
from schema.checks.documents import Documents
from schema.checks.limits import Limits
from schema.checks.subscribed import Subscribed, subscribed
from schema.config.config import ConfigMutation, ConfigQuery
from schema.conflict.roots import ConflictMutation, ConflictQuery, ConflictSubscription
from schema.conflict.suggestion import SuggestionMutation, SuggestionQuery
from schema.cost.preview import PreviewQuery
from schema.credit.credit import CreditMutation, CreditQuery
from schema.credit.ledger import LedgerQuery, LedgerSubscription
from schema.erasure import ErasureMutation, ErasureQuery
from schema.event.roots import EventQuery, EventSubscription
from schema.execution.executor import PlannedExecutor
from schema.execution.operation_start import OperationStart, cost_of
from schema.job.enrich import EnrichMutation, EnrichQuery
from schema.job.job import JobMutation, JobQuery, JobSubscription
from schema.node import NodeQuery
from schema.pipeline import PipelineMutation, PipelineQuery, PipelineSubscription
from schema.provider import ProviderMutation, ProviderQuery
from schema.record.explain import ExplainQuery
from schema.record.ingest import IntakeMutation
from schema.record.roots import RecordQuery
from schema.record.sent import with_records_checked
from schema.refresh import FreshnessQuery
from schema.retention import RetentionQuery
from schema.revocation import RevocationMutation
from schema.simulation import SimulationQuery
from schema.stats import StatsQuery
from schema.suppression import SuppressionMutation, SuppressionQuery
from schema.undo import UndoMutation, UndoQuery
from schema.viewer import ViewerQuery
from schema.webhook.roots import WebhookMutation, WebhookQuery


@strawberry.type
class Query(
    ConfigQuery,
    PipelineQuery,
    JobQuery,
    ConflictQuery,
    CreditQuery,
    StatsQuery,
    RecordQuery,
    ProviderQuery,
    EnrichQuery,
    LedgerQuery,
    SuggestionQuery,
    AuditQuery,
    FreshnessQuery,
    UndoQuery,
    ExplainQuery,
    SimulationQuery,
    RetentionQuery,
    PreviewQuery,
    SuppressionQuery,
    ErasureQuery,
    EventQuery,
    WebhookQuery,
    NodeQuery,
    ViewerQuery,
    CatalogueQuery,
):
    """What may be read."""


@strawberry.type
class Mutation(
    ConfigMutation,
    IntakeMutation,
    EnrichMutation,
    JobMutation,
    ConflictMutation,
    PipelineMutation,
    CreditMutation,
    ProviderMutation,
    SuggestionMutation,
    UndoMutation,
    SuppressionMutation,
    ErasureMutation,
    WebhookMutation,
    RevocationMutation,
):
    """What may be done."""


@strawberry.type
class Subscription(JobSubscription, ConflictSubscription, PipelineSubscription, LedgerSubscription, EventSubscription):
    """What may be watched."""


class ApiSchema(strawberry.Schema):
    """The schema with its limits; every error that leaves it has its code and shows nothing unexpected."""

    def __init__(
        self,
        *,
        introspection: bool = True,
        limits: Limits | None = None,
        is_out_of_reach: Callable[[BaseException], bool] = lambda error: False,
    ) -> None:
        self.documents = documents = Documents(limits=limits or Limits(), introspection=introspection)
        self._translate = ErrorTranslator(is_out_of_reach)
        super().__init__(
            Query,
            Mutation,
            Subscription,
            extensions=[lambda: OperationStart(documents)],
            execution_context_class=PlannedExecutor,
            config=StrawberryConfig(scalar_map=SCALARS),
        )
        _drop_null_defaults(self._schema)
        know_types_by_class(self._schema)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: GraphQLContext | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Answer a query or a mutation.

        A document that is known to be in order is executed by graphql-core at once. What is new, or refused for
        whatever reason, goes the library's way with its extensions; an answer is the same either way. Raises
        RateLimited where the caller's operations have cost too much.
        """
        result = None
        if context_value is not None and root_value is None and operation_extensions is None:
            allowed = allowed_operation_types or DEFAULT_ALLOWED_OPERATION_TYPES
            result = await self._at_once(query or "", variable_values, context_value, operation_name, allowed)
        if result is None:
            result = await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
            if isinstance(result, PreExecutionError) and result.errors:
                refusal = result.errors[0].original_error
                if isinstance(refusal, RateLimited):
                    raise refusal
        self._show(result)
        return result

    async def _at_once(
        self,
        query: str,
        variables: dict[str, Any] | None,
        given: GraphQLContext,
        name: str | None,
        allowed: Iterable[OperationType],
    ) -> ExecutionResult | None:
        """The answer of a kept document; None where the library must say what is wrong with the operation."""
        document = self.documents.kept(query)
        kind = None if document is None else document.kind(name)
        if document is None or kind is None or kind not in allowed or kind is OperationType.SUBSCRIPTION:
            return None
        cost, refusals = document.weighed(name, variables, self.documents.limits)
        if refusals:
            return None
        context = given.for_operation()
        if context.meter is not None:
            context.spent = await context.meter.take(cost)
        variables = with_records_checked(document.node, name, variables)
        context.loaders, context.plans = Loaders(context), document.plans
        try:
            result = await await_maybe(
                execute(
                    self._schema,
                    document.node,
                    context_value=context,
                    variable_values=variables,
                    operation_name=name,
                    is_awaitable=cast("Any", optimized_is_awaitable),
                    executor_class=self.execution_context_class,
                )
            )
        except Exception as error:  # the library has this one way for all that is raised around fields
            shown = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            return PreExecutionError(data=None, errors=[shown], extensions=cost_of(context))
        return ExecutionResult(data=result.data, errors=result.errors, extensions=cost_of(context))

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: GraphQLContext | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        context = None if context_value is None else context_value.for_stream()
        results = await super().stream(query, variable_values, context, *args, **kwargs)
        return self._all_shown(results, MessageCursor() if context is None else context.message)

    async def _all_shown(self, results: Any, message: MessageCursor) -> AsyncIterator[Any]:
        """The results with errors as they are shown, each with its cursor in the log, where it has one."""
        async with aclosing(results):
            async for result in results:
                self._show(result)
                if message.cursor is not None and result.data is not None:
                    result.extensions = {**(result.extensions or {}), "cursor": message.cursor}
                yield result

    def subscribed(self, query: str, operation_name: str | None, variables: dict[str, Any] | None) -> Subscribed | None:
        """What an operation subscribes to; None where it is no subscription, or not one that may be executed."""
        return subscribed(self._schema, self.documents, query, operation_name, variables)

    def named(self, query: str, operation_name: str | None) -> tuple[str | None, str | None]:
        """The kind (`query`, `mutation`, `subscription`) and the name of an operation of a document that is kept.

        No kind: the document is not kept, not in order, or has no such operation; no name: the operation has none.
        """
        document = self.documents.kept(query)
        kind = None if document is None else document.kind(operation_name)
        if document is None or kind is None:
            return None, None
        return kind.value, operation_name or next(iter(document.operations))

    def subscription_cost(self, query: str, operation_name: str | None, variables: dict[str, Any] | None) -> int:
        """What a subscription costs; 0 where it may not be executed."""
        found = self.subscribed(query, operation_name, variables)
        return 0 if found is None else found.cost

    def _show(self, result: ExecutionResult) -> None:
        if result.errors:
            result.errors = [self._translate(error) for error in result.errors]

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: errors are logged where they are translated, and only those that are ours."""


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Leave out what Strawberry adds to everything optional, `= null`: absent and null mean the same here."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            optional: list[GraphQLArgument | GraphQLInputField] = [*kind.fields.values()]
        elif isinstance(kind, GraphQLObjectType):
            optional = [argument for field in kind.fields.values() for argument in field.args.values()]
        else:
            continue
        for item in optional:
            if item.default_value is None:
                item.default_value = Undefined
