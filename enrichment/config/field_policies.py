"""What enrichment may do to each field."""

from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from enrichment.config.part import Confidence, Part, lower
from enrichment.enums import EntityType, FieldPolicy


class Rule(Part):
    """What may be done to a field, and from which confidence on (None: the config's own minimum)."""

    policy: Annotated[FieldPolicy, BeforeValidator(lower)]
    min_confidence: Confidence | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_policy(cls, value: Any) -> Any:
        return {"policy": value} if isinstance(value, str) else value


class EntityPolicies(Part):
    """The rule of an entity type, and the fields that have their own."""

    default: Rule = Rule(policy=FieldPolicy.REVIEW)
    fields: dict[str, Rule] = {}

    def rule(self, field: str) -> Rule:
        return self.fields.get(field, self.default)


class FieldPolicies(Part):
    """The rules of each entity type."""

    lead: EntityPolicies = EntityPolicies()
    contact: EntityPolicies = EntityPolicies()
    account: EntityPolicies = EntityPolicies()

    def of(self, entity_type: EntityType) -> EntityPolicies:
        match entity_type:
            case EntityType.LEAD:
                return self.lead
            case EntityType.CONTACT:
                return self.contact
            case EntityType.ACCOUNT:
                return self.account
