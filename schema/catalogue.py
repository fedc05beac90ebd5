"""The field catalogue: what fields there are, and what values they take."""

from typing import Self

import strawberry

from enrichment.catalogue import Field, fields_of
from enrichment.field_guide import ValueType, guide_of
from resolvers.context import Role
from schema.base.context import Info
from schema.base.enums import EntityType, FieldUnit
from schema.base.scalars import JSON

strawberry.enum(
    ValueType,
    description="What a value is in JSON. WHOLE_NUMBER: or a text such as `51-200`, where only a range is known.",
)


@strawberry.type(description="A field of the CRM, and what its values look like.")
class FieldDefinition:
    name: str
    entity_types: list[EntityType]
    type: ValueType
    unit: str | None = strawberry.field(description="What a number counts: `employees`, `USD`.")
    format: str = strawberry.field(description="In plain words.")
    values: list[str] | None = strawberry.field(description="Those that are known; null: there is no list of them.")
    closed: bool = strawberry.field(description="Any other value than those of `values` is refused.")
    examples: list[JSON]
    enrichable: bool = strawberry.field(description="Providers may fill it, and completeness counts it.")
    identifying: bool = strawberry.field(description="It can tell which entity the record is.")
    part_of: FieldUnit | None = strawberry.field(description="The fields that are one thing, of which it is one.")

    @classmethod
    def of(cls, field: Field) -> Self:
        guide = guide_of(field.kind)
        return cls(
            name=field.name,
            entity_types=[kind for kind in EntityType if kind in field.entity_types],
            type=guide.type,
            unit=guide.unit,
            format=guide.format,
            values=None if guide.values is None else list(guide.values),
            closed=guide.closed,
            examples=[JSON(example) for example in guide.examples],
            enrichable=field.enrichable,
            identifying=field.identifying,
            part_of=field.unit,
        )


@strawberry.type
class CatalogueQuery:
    @strawberry.field(
        description="The fields that are known, of one entity type if asked. A field of persons and one of accounts of"
        " the same name are two."
    )
    def field_catalogue(self, info: Info, entity_type: EntityType | None = None) -> list[FieldDefinition]:
        info.context.require(Role.VIEWER)
        kinds = EntityType if entity_type is None else (entity_type,)
        known = dict.fromkeys(field for kind in kinds for field in fields_of(kind).values())
        return [FieldDefinition.of(field) for field in known]
