"""The whole configuration of an organization."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StrictBool

from enrichment.config.field_policies import FieldPolicies, Rule
from enrichment.config.field_rules import FieldRules, rules_by_field
from enrichment.config.limits import Backoff, CreditRules, MaybeCharged, ProviderRule
from enrichment.config.part import Confidence, Part, lower
from enrichment.config.review_rules import ReviewRule
from enrichment.config.spending import PayFor, QuestionOrder, ValueFloor, pay_for_what_is_used
from enrichment.config.triggers import EntityTypes, Refresh, Triggers
from enrichment.enums import EntityType, JobTrigger, Strategy

MAX_RULES = 500


class Config(Part):
    """The whole configuration.

    `consensus_size`: most providers asked for one field under `consensus`. `maybe_charged`: see MaybeCharged.
    `company_questions`: whether providers are asked about the company of a person by the account's question.
    `value_floor`: how many values a credit is expected to bring at least, and `min_chance` how likely (0-1) a match is
    to bring any; else a paid provider is not asked.
    """

    enabled: StrictBool = True
    triggers: Triggers = Triggers()
    refresh: Refresh = Refresh()
    entity_types: EntityTypes = EntityTypes()
    strategy: Annotated[Strategy, BeforeValidator(lower)] = Strategy.WATERFALL
    consensus_size: Annotated[int, Field(ge=2, le=10, strict=True)] = 3
    providers: Annotated[list[ProviderRule], Field(max_length=100)] = []
    field_policies: FieldPolicies = FieldPolicies()
    min_confidence: Confidence = 0.6
    cooldown_hours: Annotated[int, Field(ge=0, le=8760, strict=True)] = 24
    max_attempts: Annotated[int, Field(ge=1, le=50, strict=True)] = 5
    backoff: Backoff = Backoff()
    maybe_charged: Annotated[MaybeCharged, BeforeValidator(lower)] = MaybeCharged.HOLD
    credits: CreditRules = CreditRules()
    pay_for: PayFor = PayFor()
    company_questions: StrictBool = False
    order: Annotated[QuestionOrder, BeforeValidator(lower)] = QuestionOrder.PRIORITY
    value_floor: ValueFloor | None = None
    min_chance: Confidence | None = None
    rules: Annotated[list[ReviewRule], Field(max_length=MAX_RULES)] = []

    def as_json(self) -> dict[str, Any]:
        """The REST form. A default rule without a minimum of its own is shown as a bare string."""
        shown = self.model_dump(mode="json", by_alias=True)
        for policies in shown["fieldPolicies"].values():
            if policies["default"]["minConfidence"] is None:
                policies["default"] = policies["default"]["policy"]
        return shown

    @property
    def weighs_value(self) -> bool:
        """Whether what is asked depends on what sources are likely to bring."""
        return self.order is QuestionOrder.VALUE or self.value_floor is not None or self.min_chance is not None

    @cached_property
    def by_field(self) -> Mapping[EntityType, Mapping[str, FieldRules]]:
        """What `rule`, `minimum` and `rules_of` say of every field of the catalogue, looked up once."""
        return rules_by_field(self.field_policies, self.min_confidence, self.rules)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other parts, which looks the rules of its fields up anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("by_field", None)
        return copied

    def rule(self, entity_type: EntityType, field: str) -> Rule:
        return self.field_policies.of(entity_type).rule(field)

    def minimum(self, entity_type: EntityType, field: str) -> float:
        """The least confidence (0-1) with which a value is written to this field."""
        own = self.rule(entity_type, field).min_confidence
        return self.min_confidence if own is None else own

    def provider_rule(self, provider_id: str) -> ProviderRule | None:
        """What is set for this provider; None where the configuration does not list it."""
        return next((rule for rule in self.providers if rule.id == provider_id), None)

    def answer_days(self, provider_id: str, declared: int) -> int:
        """How many days a kept answer of this provider may be reused; `declared` is what the provider says itself."""
        rule = self.provider_rule(provider_id)
        return declared if rule is None or rule.answer_days is None else rule.answer_days

    def rules_of(self, entity_type: EntityType, field: str) -> list[ReviewRule]:
        """The rules about this field, in order."""
        return [rule for rule in self.rules if rule.field == field and rule.entity_type is entity_type]

    def starts_on(self, trigger: JobTrigger, entity_type: EntityType) -> bool:
        """Whether this trigger starts a job by itself."""
        wanted = {
            JobTrigger.RECORD_CREATED: self.triggers.on_create,
            JobTrigger.RECORD_UPDATED: self.triggers.on_update,
            JobTrigger.SCHEDULED_REFRESH: self.triggers.refresh_after_days is not None,
        }.get(trigger, True)
        return self.enabled and wanted and self.entity_types.allows(entity_type)


def default_config(provider_ids: Iterable[str], off: Collection[str] = ()) -> Config:
    """The configuration of a new organization; the providers in `off` are listed, but not asked."""
    return Config(
        providers=[ProviderRule(id=name, enabled=name not in off) for name in provider_ids],
        pay_for=pay_for_what_is_used(),
        company_questions=True,
        min_chance=0.9,
    )
