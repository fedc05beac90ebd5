"""What credits are spent for: which fields may cost money."""

from typing import Self

import strawberry
from strawberry import UNSET

from enrichment import config as rules
from schema.base.enums import EntityType


@strawberry.type(description="The most credits for one field.")
class FieldPrice:
    field: str
    credits: int


@strawberry.type(description="Which fields of an entity type may cost credits.")
class EntityPayFor:
    entity_type: EntityType
    fields: list[str] | None = strawberry.field(description="Null: all. What a paid answer brings besides is used too.")
    most: list[FieldPrice] = strawberry.field(
        description="The most for a field: a question is asked where its price is within the sum for its fields."
    )

    @classmethod
    def of(cls, entity_type: EntityType, pay_for: rules.EntityPayFor) -> Self:
        return cls(
            entity_type=entity_type,
            fields=pay_for.fields,
            most=[
                FieldPrice(field=name, credits=credits)
                for name, credits in sorted(pay_for.most.items())
                if credits is not None
            ],
        )


@strawberry.input(description="The most credits for one field; null: any price.")
class FieldPriceInput:
    field: str
    credits: int | None


@strawberry.input(
    description="`fields` are replaced as a whole (null: all); fields that `most` does not name keep theirs."
)
class EntityPayForInput:
    entity_type: EntityType
    fields: list[str] | None = UNSET
    most: list[FieldPriceInput] | None = UNSET
