from pydantic import Field

from .base_model import BaseModel


class UndoResolutions(BaseModel):
    undo_resolutions: "UndoResolutionsUndoResolutions" = Field(alias="undoResolutions")


class UndoResolutionsUndoResolutions(BaseModel):
    restored: int
    left_alone: int = Field(alias="leftAlone")
    remaining: int


UndoResolutions.model_rebuild()
