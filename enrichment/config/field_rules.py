"""The rules of each field, looked up once for a configuration: every decision on every record reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment.catalogue import fields_of
from enrichment.config.field_policies import FieldPolicies, Rule
from enrichment.config.review_rules import ReviewRule
from enrichment.enums import EntityType


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The rules of one field: `minimum` is the least confidence (0-1) to write, `reviews` are in order."""

    rule: Rule
    minimum: float
    reviews: tuple[ReviewRule, ...]


def rules_by_field(
    policies: FieldPolicies, min_confidence: float, rules: Sequence[ReviewRule]
) -> dict[EntityType, Mapping[str, FieldRules]]:
    """The rules of every field of the catalogue, by entity type and in catalogue order."""
    reviews: dict[tuple[EntityType, str], list[ReviewRule]] = {}
    for review in rules:
        reviews.setdefault((review.entity_type, review.field), []).append(review)
    found: dict[EntityType, Mapping[str, FieldRules]] = {}
    for entity_type in EntityType:
        of_type = policies.of(entity_type)
        fields: dict[str, FieldRules] = {}
        for name in fields_of(entity_type):
            rule = of_type.rule(name)
            own = rule.min_confidence
            fields[name] = FieldRules(
                rule, min_confidence if own is None else own, tuple(reviews.get((entity_type, name), ()))
            )
        found[entity_type] = fields
    return found
