"""What a REST route is: how it is called, what it answers and refuses, and the function that does it.

The routes, `openapi.json` and the readable pages are all made from these descriptions. A shape is a class of
`service.rest.shapes`, a list of one (`list[Job]`) or a `Described`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role

PREFIX = "/v1/auto-enrichment"

Schema: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = Callable[[Context, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value in the query, the path or a header."""

    name: str
    description: str
    schema: Schema
    index: str = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A JSON body, by its shape, and examples of it by name."""

    shape: Any
    examples: Mapping[str, Any]
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswer:
    """What a call that succeeds answers, by its shape. `headers` are names of `openapi.HEADERS`."""

    description: str
    shape: Any
    example: Any
    status: int = 200
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOperation:
    """One method of one path below `PREFIX`. `refusals` are codes beyond those that every route has.

    `shown_once`: keys of the answer that are not kept for an Idempotency-Key.
    """

    method: str
    path: str
    handler: Handler
    id: str
    tag: str
    summary: str
    answer: RouteAnswer
    description: str = ""
    role: Role = Role.VIEWER
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    refusals: tuple[str, ...] = ()
    shown_once: tuple[str, ...] = ()

    @property
    def query_names(self) -> list[str]:
        """The query parameters that the operation has."""
        return [parameter.name for parameter in self.parameters if parameter.index == "query"]

    @property
    def full_path(self) -> str:
        return PREFIX + self.path

    def codes(self) -> tuple[str, ...]:
        """Every code this operation may be refused with, by status."""
        codes = {
            "UNAUTHENTICATED",
            "FORBIDDEN",
            "BAD_REQUEST",
            "RATE_LIMITED",
            "INTERNAL",
            "UNAVAILABLE",
            *self.refusals,
        }
        if self.method == "POST":
            codes |= {"IDEMPOTENCY_KEY_IN_USE", "IDEMPOTENCY_KEY_REUSED"}
        if self.body is not None:
            codes |= {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_FAILED"}
        return tuple(sorted(codes))
