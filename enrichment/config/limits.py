"""Which providers are asked, how often again, and the most that may be spent on them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool

from enrichment.config.part import Confidence, Credits, Part


class ProviderRule(Part):
    """One provider in the waterfall.

    `daily_limit`: most credits a day (UTC) it may be paid. `min_match_rate`: the break-even guard: a provider is no
    longer asked whose share of matches (0-1) over its last `match_rate_over` calls is lower. `answer_days`: how many
    days a kept answer of it may be reused (None: as long as the provider says; 0: by jobs at the same time alone).
    """

    id: str
    enabled: StrictBool = True
    daily_limit: Credits | None = None
    min_match_rate: Confidence | None = None
    match_rate_over: Annotated[int, Field(ge=5, le=10_000, strict=True)] = 50
    answer_days: Annotated[int, Field(ge=0, le=3650, strict=True)] | None = None


class Backoff(Part):
    """How long a job waits after a failed attempt: it doubles from the first to the longest."""

    initial_seconds: Annotated[int, Field(ge=1, le=86_400, strict=True)] = 10
    max_seconds: Annotated[int, Field(ge=1, le=604_800, strict=True)] = 3600


class CreditRules(Part):
    """The most that may be spent: in a calendar month, in a day (both UTC), and by one job on its record.

    `alert_thresholds`: shares (above 0, to 1) of the monthly limit or grant, each of which raises one alert a month.
    """

    monthly_limit: Credits | None = None
    daily_limit: Credits | None = None
    per_record_max: Credits | None = None
    alert_thresholds: Annotated[list[Annotated[float, Field(gt=0, le=1, strict=True)]], Field(max_length=10)] = [
        0.8,
        1.0,
    ]


class MaybeCharged(StrEnum):
    """What happens to a paid lookup whose call ended without a reply."""

    HOLD = "hold"  # it is not asked again for a day, unless a person retries the job
    RETRY = "retry"  # it is asked again like any failed call, and may cost the provider's price twice
