"""What a GraphQL operation runs with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import strawberry

from models.event.cursor import EventCursor
from resolvers.context import Context
from schema.base.loaders import Loaders
from schema.execution.plans import Plans


@dataclass(slots=True)
class MessageCursor:
    """The cursor in the log that the next message of a subscription says in its extensions; None: it says none.

    `position`: the cursor of the last event that a message was about, which its payload may say or not.
    """

    cursor: str | None = None
    position: str | None = None

    def set(self, cursor: EventCursor | None) -> None:
        """The next message says this cursor in its extensions."""
        self.cursor = None if cursor is None else str(cursor)
        self.position = self.cursor or self.position

    def at(self, cursor: EventCursor | None) -> None:
        """The next message is about the event with this cursor, and says so itself if at all."""
        if cursor is not None:
            self.position = str(cursor)


@dataclass(frozen=True, slots=True)
class Spent:
    """What an operation cost (`requested`), and what its caller has left; in `reset` seconds all of it again."""

    requested: int
    remaining: int
    reset: int

    @property
    def shown(self) -> dict[str, int]:
        """As `extensions.cost` of the answer."""
        return {"requested": self.requested, "remaining": self.remaining, "reset": self.reset}


class Meter(Protocol):
    """Counts what a caller's operations cost."""

    async def take(self, cost: int) -> Spent:
        """Count an operation. Raises RateLimited."""


@dataclass(slots=True)
class GraphQLContext(Context):
    """The context of operations (caller and services), with what belongs to one GraphQL operation.

    `connection_params` is what a WebSocket client sent to begin with. `takes_printed`: whoever encodes the answer takes
    lists that are encoded already (`msgspec.Raw`). `followed`: where a stream notes the positions of its messages, for
    whoever executes it. `meter`: where operations are counted; None: they are not, or have been already.
    """

    connection_params: Mapping[str, Any] | None = None
    takes_printed: bool = False
    loaders: Loaders = field(init=False)  # given to each operation as it begins
    plans: Plans | None = None  # of the operation's document

    meter: Meter | None = None
    spent: Spent | None = None  # by the operation

    message: MessageCursor = field(default_factory=MessageCursor)
    followed: MessageCursor | None = None
    resumed_after: str | None = (
        None  # the cursor of the last event that the client got, as it says beside its operation
    )

    def after(self, given: str | None) -> str | None:
        """The cursor after which a subscription begins: where the client was cut off, or what it gave as `after`."""
        return self.resumed_after or given

    def for_operation(self) -> Self:
        """A context of its own for each operation: a WebSocket has one for its whole life."""
        return type(self)(
            services=self.services,
            caller=self.caller,
            origin=self.origin,
            takes_printed=self.takes_printed,
            message=self.message,
            meter=self.meter,
            resumed_after=self.resumed_after,
        )

    def for_stream(self) -> Self:
        """A context for a subscription, whose messages have a cursor of their own each."""
        context = self.for_operation()
        context.message = self.followed or MessageCursor()
        return context


Info = strawberry.Info[GraphQLContext, None]
