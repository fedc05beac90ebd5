from pydantic import Field

from .base_model import BaseModel
from .fragments import JobParts


class CancelJob(BaseModel):
    cancel_job: "CancelJobCancelJob" = Field(alias="cancelJob")


CancelJobCancelJob = JobParts
CancelJob.model_rebuild()
