from .base_model import BaseModel
from .fragments import JobParts


class GetJob(BaseModel):
    job: "GetJobJob"


GetJobJob = JobParts
GetJob.model_rebuild()
