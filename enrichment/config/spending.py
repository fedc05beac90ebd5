"""What credits are spent for: which fields may cost money, in which order paid sources are asked, and when not."""

from collections.abc import Set
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from enrichment.catalogue import fields_of
from enrichment.config.part import Credits, Part
from enrichment.enums import EntityType

# What few records have, or few users read: a new organization pays for none of it by itself.
_SELDOM_WORTH_PAYING: dict[EntityType, frozenset[str]] = {
    EntityType.LEAD: frozenset({"avatarUrl", "twitterHandle", "street"}),
    EntityType.CONTACT: frozenset({"avatarUrl", "twitterHandle", "street"}),
    EntityType.ACCOUNT: frozenset(
        {"logoUrl", "twitterUrl", "facebookUrl", "street", "tags", "stockSymbol", "parentCompany"}
    ),
}


class QuestionOrder(StrEnum):
    """In which order sources are asked."""

    PRIORITY = "priority"  # that of `providers`
    VALUE = "value"  # free ones first, then by what a value that is likely accepted costs


class EntityPayFor(Part):
    """The fields of an entity type that may cost credits (None: all), and the most that is paid for one of them.

    What a paid answer brings besides is used all the same. `most`: credits by field; a question is asked where its
    price is within the sum of what its fields may cost, a field without an entry any price.
    """

    fields: list[str] | None = None
    most: dict[str, Credits | None] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_list(cls, value: Any) -> Any:
        return {"fields": value} if isinstance(value, list) else value

    def among(self, names: Set[str]) -> frozenset[str]:
        """Those of these fields that may cost credits."""
        return frozenset(names) if self.fields is None else frozenset(names).intersection(self.fields)

    def affords(self, names: Set[str], price: int) -> bool:
        """Whether these fields, which may cost credits, are together worth the price."""
        limits = [self.most.get(name) for name in names]
        known = [limit for limit in limits if limit is not None]
        return bool(limits) and (len(known) < len(limits) or price <= sum(known))


class PayFor(Part):
    """Which fields may cost credits, by entity type."""

    lead: EntityPayFor = EntityPayFor()
    contact: EntityPayFor = EntityPayFor()
    account: EntityPayFor = EntityPayFor()

    def of(self, entity_type: EntityType) -> EntityPayFor:
        fields: EntityPayFor = getattr(self, entity_type.value)
        return fields


# How many accepted values a credit is expected to bring at least.
ValueFloor = Annotated[float, Field(ge=0, le=100, strict=True, allow_inf_nan=False)]


def pay_for_what_is_used() -> PayFor:
    """What a new organization pays for."""
    return PayFor(
        **{
            kind.value: EntityPayFor(
                fields=[
                    known.name
                    for known in fields_of(kind).values()
                    if known.enrichable and known.name not in _SELDOM_WORTH_PAYING[kind]
                ]
            )
            for kind in EntityType
        }
    )
