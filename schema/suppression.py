"""The suppression list: whom no provider is asked about."""

from datetime import datetime
from typing import Self

import strawberry

from models import suppression as models
from resolvers.paging import DEFAULT_SIZE
from resolvers.suppression import api as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import SuppressionKind
from schema.base.node import Node
from schema.base.paging import Connection, page_args


@strawberry.type(description="One entry of the suppression list. What it stands for is kept as a keyed hash alone.")
class Suppression(Node):
    id: strawberry.ID
    kind: SuppressionKind
    note: str | None
    added_at: datetime
    added_by: str | None

    @classmethod
    def of(cls, row: models.Suppression) -> Self:
        return copied(cls, row, kind=SuppressionKind(row.kind))


@strawberry.type(description="What was put on the suppression list.")
class SuppressPayload:
    added: int
    known: int = strawberry.field(description="Of what was named, what had been on the list before.")
    records: int = strawberry.field(description="Records that hold any of it now. They stay; `eraseRecord` removes.")


@strawberry.type(description="What was taken off the suppression list.")
class UnsuppressPayload:
    removed: int


@strawberry.type
class SuppressionQuery:
    @strawberry.field(description="The suppression list, without what it stands for.")
    async def suppressions(
        self,
        info: Info,
        kind: SuppressionKind | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Suppression]:
        page = await operations.list_suppressions(info.context, kind, page_args(info, first, after, last, before))
        return Connection[Suppression].of(page, Suppression.of)


@strawberry.type
class SuppressionMutation:
    @strawberry.mutation(
        description="Ask no provider about these from now on, whatever their spelling. A domain covers its hosts,"
        " websites and e-mail addresses; a sub-domain (`eu.acme.com`) itself and what is below it"
        " alone. `country` tells how to read a phone number without a country code."
    )
    async def suppress(
        self,
        info: Info,
        emails: list[str] | None = None,
        domains: list[str] | None = None,
        phones: list[str] | None = None,
        country: str | None = None,
        note: str | None = None,
    ) -> SuppressPayload:
        values = operations.Values(emails or (), domains or (), phones or (), country)
        outcome = await operations.suppress(info.context, values, note=note)
        return SuppressPayload(added=outcome.added, known=outcome.known, records=outcome.records)

    @strawberry.mutation(description="Take these off the suppression list, by value or by the ids that it shows.")
    async def unsuppress(
        self,
        info: Info,
        emails: list[str] | None = None,
        domains: list[str] | None = None,
        phones: list[str] | None = None,
        country: str | None = None,
        ids: list[strawberry.ID] | None = None,
    ) -> UnsuppressPayload:
        values = operations.Values(emails or (), domains or (), phones or (), country)
        return UnsuppressPayload(removed=await operations.unsuppress(info.context, values, ids=ids or ()))
