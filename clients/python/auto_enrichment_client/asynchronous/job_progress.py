from pydantic import Field

from .base_model import BaseModel
from .fragments import JobParts


class JobProgress(BaseModel):
    job_progress: "JobProgressJobProgress" = Field(alias="jobProgress")


JobProgressJobProgress = JobParts
JobProgress.model_rebuild()
