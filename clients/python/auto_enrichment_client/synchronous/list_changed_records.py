from datetime import datetime
from typing import Any, Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import EntityType, EventKind


class ListChangedRecords(BaseModel):
    events: "ListChangedRecordsEvents"


class ListChangedRecordsEvents(BaseModel):
    nodes: list["ListChangedRecordsEventsNodes"]
    page_info: "ListChangedRecordsEventsPageInfo" = Field(alias="pageInfo")


class ListChangedRecordsEventsNodes(BaseModel):
    cursor: str
    kind: EventKind
    at: datetime
    record_id: Optional[str] = Field(alias="recordId")
    record: Optional["ListChangedRecordsEventsNodesRecord"]


class ListChangedRecordsEventsNodesRecord(BaseModel):
    id: str
    entity_type: EntityType = Field(alias="entityType")
    external_id: str = Field(alias="externalId")
    version: int
    fields: Any


class ListChangedRecordsEventsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


ListChangedRecords.model_rebuild()
ListChangedRecordsEvents.model_rebuild()
ListChangedRecordsEventsNodes.model_rebuild()
