from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class GetStats(BaseModel):
    stats: "GetStatsStats"


class GetStatsStats(BaseModel):
    id: str
    records: int
    match_rate: Optional[float] = Field(alias="matchRate")
    fill_rate_before: Optional[float] = Field(alias="fillRateBefore")
    fill_rate_after: Optional[float] = Field(alias="fillRateAfter")
    conflicts_open: int = Field(alias="conflictsOpen")
    credits_used: int = Field(alias="creditsUsed")


GetStats.model_rebuild()
