from .base_model import BaseModel
from .fragments import PipelineParts


class GetPipeline(BaseModel):
    pipeline: "GetPipelinePipeline"


GetPipelinePipeline = PipelineParts
GetPipeline.model_rebuild()
