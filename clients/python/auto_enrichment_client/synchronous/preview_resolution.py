from pydantic import Field

from .base_model import BaseModel


class PreviewResolution(BaseModel):
    preview_resolution: "PreviewResolutionPreviewResolution" = Field(
        alias="previewResolution"
    )


class PreviewResolutionPreviewResolution(BaseModel):
    count: int
    accepts: int
    keeps: int
    sets: int
    refused: int
    by_field: list["PreviewResolutionPreviewResolutionByField"] = Field(alias="byField")


class PreviewResolutionPreviewResolutionByField(BaseModel):
    field: str
    count: int


PreviewResolution.model_rebuild()
PreviewResolutionPreviewResolution.model_rebuild()
