from pydantic import Field

from .base_model import BaseModel
from .fragments import PipelineParts


class ResumePipeline(BaseModel):
    resume_pipeline: "ResumePipelineResumePipeline" = Field(alias="resumePipeline")


ResumePipelineResumePipeline = PipelineParts
ResumePipeline.model_rebuild()
