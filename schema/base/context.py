"""What a GraphQL operation runs with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import strawberry

from models.event.cursor import EventCursor
from resolvers.context import Context
from schema.base.loaders import Loaders
from schema.execution.plans import Plans


@dataclass(slots=True)
class MessageCursor:
    """The cursor in the log that the next message of a subscription says in its extensions; None: it says none."""

    cursor: str | None = None

    def set(self, cursor: EventCursor | None) -> None:
        self.cursor = None if cursor is None else str(cursor)


@dataclass(slots=True)
class GraphQLContext(Context):
    """The context of operations (caller and services), with what belongs to one GraphQL operation.

    `connection_params` is what a WebSocket client sent to begin with. `takes_printed`: whoever encodes the answer takes
    lists that are encoded already (`msgspec.Raw`).
    """

    connection_params: Mapping[str, Any] | None = None
    takes_printed: bool = False
    loaders: Loaders = field(init=False)  # given to each operation as it begins
    plans: Plans | None = None  # of the operation's document

    message: MessageCursor = field(default_factory=MessageCursor)

    def for_operation(self) -> Self:
        """A context of its own for each operation: a WebSocket has one for its whole life."""
        return type(self)(
            services=self.services,
            caller=self.caller,
            origin=self.origin,
            takes_printed=self.takes_printed,
            message=self.message,
        )

    def for_stream(self) -> Self:
        """A context for a subscription, whose messages have a cursor of their own each."""
        context = self.for_operation()
        context.message = MessageCursor()
        return context


Info = strawberry.Info[GraphQLContext, None]
