from pydantic import Field

from .base_model import BaseModel
from .fragments import JobParts


class RetryJob(BaseModel):
    retry_job: "RetryJobRetryJob" = Field(alias="retryJob")


RetryJobRetryJob = JobParts
RetryJob.model_rebuild()
