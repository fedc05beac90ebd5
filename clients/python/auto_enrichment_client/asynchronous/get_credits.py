from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class GetCredits(BaseModel):
    credits: "GetCreditsCredits"


class GetCreditsCredits(BaseModel):
    id: str
    balance: int
    reserved: int
    used: int
    granted: int
    monthly_limit: Optional[int] = Field(alias="monthlyLimit")
    remaining: int
    period_start: datetime = Field(alias="periodStart")
    period_end: datetime = Field(alias="periodEnd")


GetCredits.model_rebuild()
