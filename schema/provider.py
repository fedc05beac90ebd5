"""The sources of data that this installation has."""

from typing import Self

import strawberry

from resolvers import providers as operations
from schema.context import Info
from schema.enums import EntityType


@strawberry.type(description="The fields that a provider can give for one entity type.")
class ProviderFields:
    entity_type: EntityType
    fields: list[str]


@strawberry.type(description="One source of data, as the organization uses it.")
class Provider:
    id: strawberry.ID
    name: str
    enabled: bool
    position: int = strawberry.field(description="Its place in the waterfall from 1; 0: not in it.")
    price: int = strawberry.field(description="Credits for a match.")
    gives: list[ProviderFields]
    needs: str = strawberry.field(description="The least input, in plain words.")
    attribution: str
    asked: int
    matched: int
    match_rate: float | None = strawberry.field(description="From 0 to 1; null: never asked.")

    @classmethod
    def of(cls, view: operations.ProviderView) -> Self:
        return cls(
            id=strawberry.ID(view.id),
            name=view.name,
            enabled=view.enabled,
            position=view.position,
            price=view.price,
            gives=[ProviderFields(entity_type=kind, fields=names) for kind, names in view.gives.items()],
            needs=view.needs,
            attribution=view.attribution,
            asked=view.asked,
            matched=view.matched,
            match_rate=view.match_rate,
        )


@strawberry.type
class ProviderQuery:
    @strawberry.field(description="Every provider, in order of priority.")
    async def providers(self, info: Info) -> list[Provider]:
        return [Provider.of(view) for view in await operations.list_providers(info.context)]
