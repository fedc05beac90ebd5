from pydantic import Field

from .base_model import BaseModel
from .fragments import PipelineParts


class PausePipeline(BaseModel):
    pause_pipeline: "PausePipelinePausePipeline" = Field(alias="pausePipeline")


PausePipelinePausePipeline = PipelineParts
PausePipeline.model_rebuild()
