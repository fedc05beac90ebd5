from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class ResolveMatchingConflicts(BaseModel):
    resolve_matching_conflicts: "ResolveMatchingConflictsResolveMatchingConflicts" = (
        Field(alias="resolveMatchingConflicts")
    )


class ResolveMatchingConflictsResolveMatchingConflicts(BaseModel):
    resolution_id: str = Field(alias="resolutionId")
    resolved: int
    remaining: int
    results: list["ResolveMatchingConflictsResolveMatchingConflictsResults"]


class ResolveMatchingConflictsResolveMatchingConflictsResults(BaseModel):
    id: str
    error: Optional["ResolveMatchingConflictsResolveMatchingConflictsResultsError"]


class ResolveMatchingConflictsResolveMatchingConflictsResultsError(BaseModel):
    error_code: ErrorCode = Field(alias="errorCode")
    message: str


ResolveMatchingConflicts.model_rebuild()
ResolveMatchingConflictsResolveMatchingConflicts.model_rebuild()
ResolveMatchingConflictsResolveMatchingConflictsResults.model_rebuild()
