from datetime import datetime
from typing import Any, Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import (
    ConflictReason,
    ConflictStatus,
    EntityType,
    FieldPolicy,
    JobStatus,
    JobTrigger,
    MaybeCharged,
    QuestionOrder,
    ResolutionAction,
    RuleAction,
    Strategy,
)


class BackoffInput(BaseModel):
    initial_seconds: Optional[int] = Field(alias="initialSeconds", default=None)
    max_seconds: Optional[int] = Field(alias="maxSeconds", default=None)


class ConfigInput(BaseModel):
    """Only the given keys change; `providers` and `rules` are replaced as a whole."""

    enabled: Optional[bool] = None
    triggers: Optional["TriggersInput"] = None
    refresh: Optional["RefreshInput"] = None
    entity_types: Optional["EntityTypesInput"] = Field(
        alias="entityTypes", default=None
    )
    strategy: Optional[Strategy] = None
    consensus_size: Optional[int] = Field(alias="consensusSize", default=None)
    providers: Optional[list["ProviderRuleInput"]] = None
    field_policies: Optional[list["EntityFieldPoliciesInput"]] = Field(
        alias="fieldPolicies", default=None
    )
    min_confidence: Optional[float] = Field(alias="minConfidence", default=None)
    cooldown_hours: Optional[int] = Field(alias="cooldownHours", default=None)
    max_attempts: Optional[int] = Field(alias="maxAttempts", default=None)
    backoff: Optional["BackoffInput"] = None
    maybe_charged: Optional[MaybeCharged] = Field(alias="maybeCharged", default=None)
    credits: Optional["CreditRulesInput"] = None
    pay_for: Optional[list["EntityPayForInput"]] = Field(alias="payFor", default=None)
    company_questions: Optional[bool] = Field(alias="companyQuestions", default=None)
    order: Optional[QuestionOrder] = None
    value_floor: Optional[float] = Field(alias="valueFloor", default=None)
    min_chance: Optional[float] = Field(alias="minChance", default=None)
    rules: Optional[list["ReviewRuleInput"]] = None


class ConflictFilter(BaseModel):
    """Which conflicts: all that is given must hold. Without `status` the open ones."""

    entity_type: Optional[EntityType] = Field(alias="entityType", default=None)
    external_id: Optional[str] = Field(alias="externalId", default=None)
    record_id: Optional[str] = Field(alias="recordId", default=None)
    job_id: Optional[str] = Field(alias="jobId", default=None)
    field: Optional[str] = None
    "A field, which also finds the conflict of its unit; or `address`, `employment`."
    status: Optional[list[ConflictStatus]] = None
    reason: Optional[list[ConflictReason]] = None
    provider: Optional[str] = None
    search: Optional[str] = None
    "Part of a name, an e-mail, a domain or the external id of the record."
    created_after: Optional[datetime] = Field(alias="createdAfter", default=None)
    created_before: Optional[datetime] = Field(alias="createdBefore", default=None)


class CreditRulesInput(BaseModel):
    monthly_limit: Optional[int] = Field(alias="monthlyLimit", default=None)
    daily_limit: Optional[int] = Field(alias="dailyLimit", default=None)
    per_record_max: Optional[int] = Field(alias="perRecordMax", default=None)
    alert_thresholds: Optional[list[float]] = Field(
        alias="alertThresholds", default=None
    )


class EntityFieldPoliciesInput(BaseModel):
    """Fields that are not named keep their rules."""

    entity_type: EntityType = Field(alias="entityType")
    default: Optional["FieldPolicyRuleInput"] = None
    fields: Optional[list["NamedFieldPolicyInput"]] = None


class EntityPayForInput(BaseModel):
    """`fields` are replaced as a whole (null: all); fields that `most` does not name keep theirs."""

    entity_type: EntityType = Field(alias="entityType")
    fields: Optional[list[str]] = None
    most: Optional[list["FieldPriceInput"]] = None


class EntityTypesInput(BaseModel):
    lead: Optional[bool] = None
    contact: Optional[bool] = None
    account: Optional[bool] = None


class FieldPolicyRuleInput(BaseModel):
    policy: FieldPolicy
    min_confidence: Optional[float] = Field(alias="minConfidence", default=None)


class FieldPriceInput(BaseModel):
    """The most credits for one field; null: any price."""

    field: str
    credits: Optional[int] = None


class JobFilter(BaseModel):
    """Which jobs: all that is given must hold, and of a list any one."""

    entity_type: Optional[EntityType] = Field(alias="entityType", default=None)
    "One more of `entityTypes`."
    entity_types: Optional[list[EntityType]] = Field(alias="entityTypes", default=None)
    status: Optional[list[JobStatus]] = None
    trigger: Optional[list[JobTrigger]] = None
    external_id: Optional[str] = Field(alias="externalId", default=None)
    record_id: Optional[str] = Field(alias="recordId", default=None)
    created_after: Optional[datetime] = Field(alias="createdAfter", default=None)
    created_before: Optional[datetime] = Field(alias="createdBefore", default=None)
    finished_after: Optional[datetime] = Field(alias="finishedAfter", default=None)
    "Ended after this moment."
    finished_before: Optional[datetime] = Field(alias="finishedBefore", default=None)
    "Ended before this moment."


class NamedFieldPolicyInput(BaseModel):
    """The rule of one field; a null `policy` gives it back to the default."""

    field: str
    policy: Optional[FieldPolicy] = None
    min_confidence: Optional[float] = Field(alias="minConfidence", default=None)


class PartResolutionInput(BaseModel):
    """The decision about one field of an address or an employment."""

    field: str
    action: ResolutionAction
    candidate_id: Optional[str] = Field(alias="candidateId", default=None)
    value: Optional[Any] = None


class ProviderRuleInput(BaseModel):
    id: str
    enabled: Optional[bool] = None
    daily_limit: Optional[int] = Field(alias="dailyLimit", default=None)
    min_match_rate: Optional[float] = Field(alias="minMatchRate", default=None)
    match_rate_over: Optional[int] = Field(alias="matchRateOver", default=None)
    answer_days: Optional[int] = Field(alias="answerDays", default=None)


class RecordInput(BaseModel):
    """One record as the CRM has it. A field sent empty or null clears a value that the CRM sent before; a field left out stays."""

    entity_type: EntityType = Field(alias="entityType")
    external_id: str = Field(alias="externalId")
    "The CRM's own id."
    fields: Any
    "An object: values by field name."
    observed_at: Optional[datetime] = Field(alias="observedAt", default=None)
    "When the CRM saw this. Without it nobody knows how old the values are."
    observed_at_by_field: Optional[Any] = Field(alias="observedAtByField", default=None)
    "An object: when the CRM saw single fields, by field name, in ISO 8601."


class RefreshInput(BaseModel):
    credit_budget: Optional[int] = Field(alias="creditBudget", default=None)
    min_freshness: Optional[float] = Field(alias="minFreshness", default=None)
    max_per_day: Optional[int] = Field(alias="maxPerDay", default=None)


class ResolutionInput(BaseModel):
    """An `action`: a candidate (`candidateId`), the current value, or a value of one's own (`value`; of a unit an object by field). Or `parts` of a unit, each by itself; those that are not named keep their values."""

    action: Optional[ResolutionAction] = None
    candidate_id: Optional[str] = Field(alias="candidateId", default=None)
    value: Optional[Any] = None
    parts: Optional[list["PartResolutionInput"]] = None
    note: Optional[str] = None


class ReviewRuleInput(BaseModel):
    """A question about a field that is answered without a person."""

    entity_type: EntityType = Field(alias="entityType")
    field: str
    provider: Optional[str] = None
    action: RuleAction
    min_confidence: Optional[float] = Field(alias="minConfidence", default=None)


class TriggersInput(BaseModel):
    on_create: Optional[bool] = Field(alias="onCreate", default=None)
    on_update: Optional[bool] = Field(alias="onUpdate", default=None)
    refresh_after_days: Optional[int] = Field(alias="refreshAfterDays", default=None)


ConfigInput.model_rebuild()
EntityFieldPoliciesInput.model_rebuild()
EntityPayForInput.model_rebuild()
ResolutionInput.model_rebuild()
