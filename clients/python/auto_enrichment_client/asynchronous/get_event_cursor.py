from pydantic import Field

from .base_model import BaseModel


class GetEventCursor(BaseModel):
    event_cursor: str = Field(alias="eventCursor")
