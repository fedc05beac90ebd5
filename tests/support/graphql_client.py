"""Runs GraphQL operations as a caller, on the schema itself, without a transport."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from graphql import GraphQLError

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.root import ApiSchema

SCHEMA = ApiSchema()


class Operations:
    """What a user of an organization can do with these services."""

    def __init__(
        self, shared: Services, *, role: Role | None = Role.ADMIN, org: str = "acme", schema: ApiSchema = SCHEMA
    ) -> None:
        self.shared = shared
        self._context = GraphQLContext(shared, Caller(org, "ann", role) if role else None)
        self._schema = schema

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must succeed."""
        result = await self._schema.execute(query, variables, self._context)
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data

    async def codes(self, query: str, **variables: Any) -> set[str]:
        """The codes of an operation's errors; none if it succeeds."""
        result = await self._schema.execute(query, variables, self._context)
        return {(error.extensions or {})["code"] for error in result.errors or ()}

    async def errors(self, query: str, **variables: Any) -> list[GraphQLError]:
        """The errors of an operation that must have some."""
        result = await self._schema.execute(query, variables, self._context)
        assert result.errors, result.data
        return result.errors

    async def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the one error of an operation says: its extensions and its message."""
        (error,) = await self.errors(query, **variables)
        return {**(error.extensions or {}), "message": error.message}

    async def code(self, query: str, **variables: Any) -> str:
        """The code of an operation's one error."""
        code: str = (await self.refusal(query, **variables))["code"]
        return code

    @asynccontextmanager
    async def watch(self, query: str, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """The results of a subscription as they come."""
        results = await self._schema.stream(query, variables, self._context)
        async with aclosing(results):
            yield results
