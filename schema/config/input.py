"""Changes to the configuration: whatever is not sent stays as it is."""

from dataclasses import fields, is_dataclass
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from schema.base.enums import EntityType, FieldPolicy, MaybeCharged, QuestionOrder, RuleAction, Strategy
from schema.config.spending import EntityPayForInput


@strawberry.input
class TriggersInput:
    on_create: bool | None = UNSET
    on_update: bool | None = UNSET
    refresh_after_days: int | None = UNSET


@strawberry.input
class RefreshInput:
    credit_budget: int | None = UNSET
    min_freshness: float | None = UNSET
    max_per_day: int | None = UNSET


@strawberry.input
class EntityTypesInput:
    lead: bool | None = UNSET
    contact: bool | None = UNSET
    account: bool | None = UNSET


@strawberry.input
class ProviderRuleInput:
    id: strawberry.ID
    enabled: bool | None = UNSET
    daily_limit: int | None = UNSET
    min_match_rate: float | None = UNSET
    match_rate_over: int | None = UNSET
    answer_days: int | None = UNSET


@strawberry.input
class FieldPolicyRuleInput:
    policy: FieldPolicy
    min_confidence: float | None = UNSET


@strawberry.input(description="The rule of one field; a null `policy` gives it back to the default.")
class NamedFieldPolicyInput:
    field: str
    policy: FieldPolicy | None = UNSET
    min_confidence: float | None = UNSET


@strawberry.input(description="Fields that are not named keep their rules.")
class EntityFieldPoliciesInput:
    entity_type: EntityType
    default: FieldPolicyRuleInput | None = UNSET
    fields: list[NamedFieldPolicyInput] | None = UNSET


@strawberry.input
class BackoffInput:
    initial_seconds: int | None = UNSET
    max_seconds: int | None = UNSET


@strawberry.input
class CreditRulesInput:
    monthly_limit: int | None = UNSET
    daily_limit: int | None = UNSET
    per_record_max: int | None = UNSET
    alert_thresholds: list[float] | None = UNSET


@strawberry.input(description="A question about a field that is answered without a person.")
class ReviewRuleInput:
    entity_type: EntityType
    field: str
    provider: strawberry.ID | None = UNSET
    action: RuleAction
    min_confidence: float | None = UNSET


@strawberry.input(description="Only the given keys change; `providers` and `rules` are replaced as a whole.")
class ConfigInput:
    enabled: bool | None = UNSET
    triggers: TriggersInput | None = UNSET
    refresh: RefreshInput | None = UNSET
    entity_types: EntityTypesInput | None = UNSET
    strategy: Strategy | None = UNSET
    consensus_size: int | None = UNSET
    providers: list[ProviderRuleInput] | None = UNSET
    field_policies: list[EntityFieldPoliciesInput] | None = UNSET
    min_confidence: float | None = UNSET
    cooldown_hours: int | None = UNSET
    max_attempts: int | None = UNSET
    backoff: BackoffInput | None = UNSET
    maybe_charged: MaybeCharged | None = UNSET
    credits: CreditRulesInput | None = UNSET
    pay_for: list[EntityPayForInput] | None = UNSET
    company_questions: bool | None = UNSET
    order: QuestionOrder | None = UNSET
    value_floor: float | None = UNSET
    min_chance: float | None = UNSET
    rules: list[ReviewRuleInput] | None = UNSET

    def read(self) -> dict[str, Any]:
        """The given keys in the form of REST, in which `fieldPolicies` and `payFor` are objects."""
        changes: dict[str, Any] = _given(self)
        if self.field_policies:
            changes["fieldPolicies"] = _policies(self.field_policies)
        if isinstance(self.pay_for, list):
            changes["payFor"] = _pay_for(self.pay_for)
        return changes


def _given(part: Any) -> Any:
    if isinstance(part, list):
        return [_given(item) for item in part]
    if not is_dataclass(part):
        return part
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {to_camel_case(name): _given(value) for name, value in values.items() if value is not UNSET}


def _policies(sent: list[EntityFieldPoliciesInput]) -> dict[str, Any]:
    policies: dict[str, dict[str, Any]] = {}
    for part in sent:
        rules = policies.setdefault(part.entity_type.value, {})
        if part.default:
            rules["default"] = _given(part.default)
        for rule in part.fields or ():
            rules.setdefault("fields", {})[rule.field] = _rule(rule)
    return policies


def _pay_for(sent: list[EntityPayForInput]) -> dict[str, Any]:
    pay_for: dict[str, dict[str, Any]] = {}
    for part in sent:
        rules = pay_for.setdefault(part.entity_type.value, {})
        if part.fields is not UNSET:
            rules["fields"] = part.fields
        if part.most:
            rules["most"] = {limit.field: limit.credits for limit in part.most}
    return pay_for


def _rule(sent: NamedFieldPolicyInput) -> dict[str, Any] | None:
    if sent.policy is None:
        return None
    rule: dict[str, Any] = _given(sent)
    del rule["field"]
    return rule
