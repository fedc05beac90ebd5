"""Rules that answer, in place of a person, what would otherwise be a conflict."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from enrichment.config.part import Confidence, Part, lower
from enrichment.enums import EntityType
from enrichment.words import NameOf, field_words, source_name


class RuleAction(StrEnum):
    """What a rule does with a difference that a person would otherwise decide."""

    ACCEPT = "accept"  # write the provider's value
    KEEP = "keep"  # leave the current value


class ReviewRule(Part):
    """A difference in this field that is decided without a person. Rules apply in their order.

    `provider`: whose values it is about (None: any provider's). `min_confidence`: it does not apply to values that
    are less certain. A rule never replaces a value that a reviewer chose; the field's policy, its minimum confidence
    and what reviewers rejected hold as without it.
    """

    entity_type: Annotated[EntityType, BeforeValidator(lower)]
    field: str
    provider: str | None = None
    action: Annotated[RuleAction, BeforeValidator(lower)]
    min_confidence: Confidence | None = None

    def words(self, name_of: NameOf = source_name) -> str:
        """The rule in plain words; `name_of` names its provider."""
        field = field_words(self.field)
        sure = "" if self.min_confidence is None else f" from confidence {self.min_confidence:.2f} on"
        if self.action is RuleAction.ACCEPT:
            whose = f"{name_of(self.provider)}'s" if self.provider else "the most certain"
            return f"accept {whose} {field} of {self.entity_type.value}s{sure}"
        whom = name_of(self.provider) if self.provider else "any provider"
        return f"keep the {field} of {self.entity_type.value}s against {whom}{sure}"
