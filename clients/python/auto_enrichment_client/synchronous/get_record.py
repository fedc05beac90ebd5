from typing import Any

from pydantic import Field

from .base_model import BaseModel
from .enums import EntityType


class GetRecord(BaseModel):
    record: "GetRecordRecord"


class GetRecordRecord(BaseModel):
    id: str
    external_id: str = Field(alias="externalId")
    entity_type: EntityType = Field(alias="entityType")
    version: int
    fields: Any
    completeness: float


GetRecord.model_rebuild()
