from datetime import datetime
from typing import Any, Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import (
    ConflictReason,
    ConflictStatus,
    EntityType,
    FieldUnit,
    JobStatus,
    JobTrigger,
    QuestionOrder,
    Recommendation,
    StepOutcome,
    Strategy,
)


class ConfigParts(BaseModel):
    id: str
    enabled: bool
    version: int
    strategy: Strategy
    consensus_size: int = Field(alias="consensusSize")
    min_confidence: float = Field(alias="minConfidence")
    cooldown_hours: int = Field(alias="cooldownHours")
    max_attempts: int = Field(alias="maxAttempts")
    company_questions: bool = Field(alias="companyQuestions")
    order: QuestionOrder
    providers: list["ConfigPartsProviders"]
    updated_at: datetime = Field(alias="updatedAt")


class ConfigPartsProviders(BaseModel):
    id: str
    enabled: bool


class ConflictParts(BaseModel):
    id: str
    entity_type: EntityType = Field(alias="entityType")
    field: str
    unit: Optional[FieldUnit]
    reason: ConflictReason
    status: ConflictStatus
    recommendation: Recommendation
    current: Optional["ConflictPartsCurrent"]
    candidates: list["ConflictPartsCandidates"]
    record: "ConflictPartsRecord"
    created_at: datetime = Field(alias="createdAt")


class ConflictPartsCurrent(BaseModel):
    value: Optional[Any]
    source: str
    confidence: float
    observed_at: datetime = Field(alias="observedAt")


class ConflictPartsCandidates(BaseModel):
    id: str
    value: Any
    provider: str
    confidence: float
    observed_at: datetime = Field(alias="observedAt")


class ConflictPartsRecord(BaseModel):
    id: str
    external_id: str = Field(alias="externalId")


class JobParts(BaseModel):
    id: str
    entity_type: EntityType = Field(alias="entityType")
    trigger: JobTrigger
    status: JobStatus
    progress: int
    attempts: int
    fields_updated: list[str] = Field(alias="fieldsUpdated")
    credits_used: int = Field(alias="creditsUsed")
    error: Optional["JobPartsError"]
    created_at: datetime = Field(alias="createdAt")
    finished_at: Optional[datetime] = Field(alias="finishedAt")
    record: "JobPartsRecord"
    steps: list["JobPartsSteps"]


class JobPartsError(BaseModel):
    code: str
    message: str
    retryable: bool


class JobPartsRecord(BaseModel):
    id: str
    external_id: str = Field(alias="externalId")
    entity_type: EntityType = Field(alias="entityType")


class JobPartsSteps(BaseModel):
    provider: str
    outcome: StepOutcome
    skipped_reason: Optional[str] = Field(alias="skippedReason")
    detail: str
    latency_ms: Optional[int] = Field(alias="latencyMs")
    credits_charged: int = Field(alias="creditsCharged")
    fields_found: list[str] = Field(alias="fieldsFound")


class PipelineParts(BaseModel):
    id: str
    paused: bool
    paused_at: Optional[datetime] = Field(alias="pausedAt")
    paused_by: Optional[str] = Field(alias="pausedBy")
    reason: Optional[str]
    pending: int
    in_progress: int = Field(alias="inProgress")
    oldest_pending_at: Optional[datetime] = Field(alias="oldestPendingAt")


ConfigParts.model_rebuild()
ConflictParts.model_rebuild()
JobParts.model_rebuild()
PipelineParts.model_rebuild()
