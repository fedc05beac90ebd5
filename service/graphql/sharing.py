"""Subscriptions that ask the same with equal permissions: executed and encoded once, and sent to all who listen."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError
from strawberry.types.execution import PreExecutionError

from resolvers.context import Role
from resolvers.out_of_reach import is_out_of_reach
from schema.base.context import GraphQLContext, MessageCursor
from schema.base.errors import ErrorTranslator
from schema.root import ApiSchema
from service.graphql.listener import COMPLETE, Ending, Listener
from service.graphql.operation import Operation
from service.http.json import dump

AT_ONCE = 250  # listeners that are given a message before others have their turn
# Each message of these says how something is now; of others each counts.
_STATES = frozenset({"jobProgress", "pipelineChanged", "creditsChanged"})

_translated = ErrorTranslator(is_out_of_reach)


class Key(NamedTuple):
    """What is equal where a subscription is shared."""

    organization_id: str
    role: Role
    document: str
    name: str | None
    variables: bytes
    latest_only: bool


class SharedSubscription:
    """One execution, and all who listen to it. It ends with its last listener."""

    def __init__(self, schema: ApiSchema, operation: Operation, context: GraphQLContext, *, latest_only: bool) -> None:
        self.latest_only = latest_only
        self.executed = 0  # messages, each of which was encoded once
        self._schema = schema
        self._operation = operation
        self._position = MessageCursor()
        self._context = context.for_operation()
        self._context.followed = self._position
        self._context.meter = None  # each who listens was counted
        self._listeners: dict[Listener, None] = {}
        self._latest: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self, listener: Listener) -> None:
        """Give this listener every message from now on, and first the state as it is, where that has come already."""
        self._listeners[listener] = None
        if self.latest_only and self._latest is not None:
            listener.give(self._latest, None)

    def leave(self, listener: Listener) -> bool:
        """Give this listener nothing more. Whether nobody listens now."""
        self._listeners.pop(listener, None)
        if not self._listeners and self._task is not None:
            self._task.cancel()
        return not self._listeners

    def start(self, when_over: Callable[[], None]) -> None:
        """Begin to execute. `when_over` is called once it has ended by itself, before the listeners know."""
        self._task = asyncio.create_task(self._run(when_over))

    async def _run(self, when_over: Callable[[], None]) -> None:
        ending = COMPLETE
        try:
            ending = await self._execute()
        except Exception as error:
            ending = broken(error)
        when_over()
        for listener in self._listeners:
            listener.end(ending)

    async def _execute(self) -> Ending:
        operation = self._operation
        results = await self._schema.stream(
            operation.document, operation.variables, self._context, operation_name=operation.name
        )
        async with aclosing(results):
            async for result in results:
                if isinstance(result, PreExecutionError):
                    return Ending([error.formatted for error in result.errors or ()])
                await self._send(dump(payload_of(result)), self._position.position)
        return COMPLETE

    async def _send(self, payload: bytes, cursor: str | None) -> None:
        self.executed += 1
        self._latest = payload
        # Who joins meanwhile has the state already, or joins after the event.
        for number, listener in enumerate(list(self._listeners), start=1):
            if listener in self._listeners:
                listener.give(payload, cursor)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)


def broken(error: Exception) -> Ending:
    """How a subscription ends that this error has ended."""
    return Ending([_translated(GraphQLError(str(error), original_error=error)).formatted])


def payload_of(result: Any) -> dict[str, Any]:
    """The payload of a message with a result of an operation."""
    payload = {"data": result.data}
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return payload


class SharedSubscriptions:
    """The subscriptions of this process that may be shared, by what they ask and who may see it."""

    def __init__(self, schema: ApiSchema) -> None:
        self.running: dict[Key, SharedSubscription] = {}
        self._schema = schema

    def key_of(self, operation: Operation, context: GraphQLContext) -> Key | None:
        """What must be equal for an operation to be shared; None: it is executed for its client alone.

        Alone is executed what is no subscription or not in order, and what begins with the past: after a cursor.
        """
        found = self._schema.subscribed(operation.document, operation.name, operation.variables)
        if found is None or context.caller is None or context.after(found.arguments.get("after")) is not None:
            return None
        variables = orjson.dumps(operation.variables or {}, option=orjson.OPT_SORT_KEYS)
        caller = context.caller
        latest_only = found.field in _STATES
        return Key(caller.organization_id, caller.role, operation.document, operation.name, variables, latest_only)

    def of(self, key: Key, operation: Operation, context: GraphQLContext) -> SharedSubscription:
        """The subscription under this key, which begins where nobody listens to it yet."""
        shared = self.running.get(key)
        if shared is None:
            shared = SharedSubscription(self._schema, operation, context, latest_only=key.latest_only)
            self.running[key] = shared
            shared.start(lambda: self._forget(key, shared))
        return shared

    def leave(self, key: Key, shared: SharedSubscription, listener: Listener) -> None:
        """End this listener's part in it, and the execution with the last one's."""
        if shared.leave(listener):
            self._forget(key, shared)

    def _forget(self, key: Key, shared: SharedSubscription) -> None:
        if self.running.get(key) is shared:
            del self.running[key]
