from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode, JobStatus, RecordOutcome


class UpsertRecords(BaseModel):
    upsert_records: "UpsertRecordsUpsertRecords" = Field(alias="upsertRecords")


class UpsertRecordsUpsertRecords(BaseModel):
    created: int
    changed: int
    unchanged: int
    refused: int
    results: list["UpsertRecordsUpsertRecordsResults"]


class UpsertRecordsUpsertRecordsResults(BaseModel):
    index: int
    outcome: RecordOutcome
    folded: bool
    job: Optional["UpsertRecordsUpsertRecordsResultsJob"]
    error: Optional["UpsertRecordsUpsertRecordsResultsError"]


class UpsertRecordsUpsertRecordsResultsJob(BaseModel):
    id: str
    status: JobStatus


class UpsertRecordsUpsertRecordsResultsError(BaseModel):
    error_code: ErrorCode = Field(alias="errorCode")
    message: str


UpsertRecords.model_rebuild()
UpsertRecordsUpsertRecords.model_rebuild()
UpsertRecordsUpsertRecordsResults.model_rebuild()
