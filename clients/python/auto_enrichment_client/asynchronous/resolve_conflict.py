from pydantic import Field

from .base_model import BaseModel
from .fragments import ConflictParts


class ResolveConflict(BaseModel):
    resolve_conflict: "ResolveConflictResolveConflict" = Field(alias="resolveConflict")


ResolveConflictResolveConflict = ConflictParts
ResolveConflict.model_rebuild()
