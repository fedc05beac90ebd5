from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import ConflictParts


class ListConflicts(BaseModel):
    conflicts: "ListConflictsConflicts"


class ListConflictsConflicts(BaseModel):
    nodes: list["ListConflictsConflictsNodes"]
    page_info: "ListConflictsConflictsPageInfo" = Field(alias="pageInfo")


ListConflictsConflictsNodes = ConflictParts


class ListConflictsConflictsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


ListConflicts.model_rebuild()
ListConflictsConflicts.model_rebuild()
