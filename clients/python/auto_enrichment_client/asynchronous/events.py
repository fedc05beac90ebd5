from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import BreakerState, EntityType, EventKind, JobStatus, StepOutcome


class Events(BaseModel):
    events: "EventsEvents"


class EventsEvents(BaseModel):
    cursor: str
    kind: EventKind
    at: datetime
    entity_type: Optional[EntityType] = Field(alias="entityType")
    record_id: Optional[str] = Field(alias="recordId")
    job_id: Optional[str] = Field(alias="jobId")
    conflict_id: Optional[str] = Field(alias="conflictId")
    fields: list[str]
    job_status: Optional[JobStatus] = Field(alias="jobStatus")
    steps: list["EventsEventsSteps"]
    provider: Optional[str]
    breaker_state: Optional[BreakerState] = Field(alias="breakerState")
    config_version: Optional[int] = Field(alias="configVersion")
    credits: Optional[int]


class EventsEventsSteps(BaseModel):
    provider: str
    result: StepOutcome


Events.model_rebuild()
EventsEvents.model_rebuild()
