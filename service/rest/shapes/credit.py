"""Credits as REST shows them: the account, its use of a period, and the newest lines of the ledger."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Self

from msgspec import Meta

from enrichment.enums import CreditKind, EntityType, JobTrigger
from models.credit import alert, entry, usage
from resolvers.credit import api as operations
from service.http.shape import Count, Id, Moment, Part, Shape, Share
from service.rest.shapes import job
from service.rest.shapes.example_moments import FINISHED


class UsageSlice(Shape, frozen=True):
    """A part of what was used."""

    key: str
    credits: Count
    charges: Count

    @classmethod
    def each(cls, parts: Iterable[usage.UsageSlice]) -> list[Self]:
        return [cls.copied(part) for part in parts]


class StatedUsage(Shape, frozen=True):
    """What a provider says that calls consumed, beside what was charged for the same calls."""

    provider: str
    calls: Annotated[Count, Meta(description="How many said what they consumed.")]
    stated: Annotated[float, Meta(description="Credits by the provider's own figures, maybe a fraction.")]
    charged: Count
    drift: Annotated[float, Meta(description="How much more the provider counts than was charged.")]


class MaybeChargedCall(Shape, frozen=True):
    """A call that its provider may have counted, though nothing was charged for it."""

    id: Annotated[Id, Meta(description="Of the line of the ledger that gave the credits back.")]
    provider: str
    entity_type: EntityType | None
    job_id: Id | None
    record_id: Id | None
    credits: Annotated[Count, Meta(description="What it may have cost at most.")]
    why: str
    at: Moment


class DailyUsage(Part, frozen=True):
    """One day."""

    day: date
    credits: Count
    charges: Count


class CreditAlert(Shape, frozen=True):
    """A share of the month's credits that was crossed; each is raised once a month."""

    month: Annotated[str, Meta(description="Such as `2026-11`.")]
    threshold: Share
    used: Annotated[Count, Meta(description="When it was crossed.")]
    most: Annotated[Count, Meta(description="What the share is of: the monthly limit, or else the month's grant.")]
    raised_at: Moment


class CreditEntry(Shape, frozen=True):
    """One line of the ledger."""

    id: Id
    kind: CreditKind
    amount: Annotated[int, Meta(description="Change of the balance.")]
    reserved_change: Annotated[int, Meta(description="Change of what is reserved.")]
    job_id: Id | None
    record_id: Id | None
    provider: str | None
    entity_type: EntityType | None
    trigger: JobTrigger | None
    note: str | None
    actor: str | None
    created_at: Moment


class Credits(Shape, frozen=True):
    """Credits of a period, by default the current month."""

    balance: Count
    reserved: Count
    used: Count
    wasted: Annotated[Count, Meta(description="Spent without anything being written.")]
    maybe_charged: Annotated[
        list[UsageSlice],
        Meta(description="Given back for calls without a usable answer that the provider may have counted."),
    ]
    maybe_charged_calls: Annotated[
        list[MaybeChargedCall], Meta(description="These calls one by one, the newest 100 of the period.")
    ]
    stated: Annotated[
        list[StatedUsage],
        Meta(description="By provider what it says that the period's calls consumed, where it says so."),
    ]
    granted: Count
    monthly_limit: Count | None
    remaining: Count
    period_start: Moment
    period_end: Moment
    by_provider: list[UsageSlice]
    by_entity_type: list[UsageSlice]
    by_trigger: list[UsageSlice]
    by_day: list[DailyUsage]
    projected_exhaustion_at: Moment | None
    alerts: Annotated[list[CreditAlert], Meta(description="Of the current month, the newest first.")]
    entries: Annotated[list[CreditEntry], Meta(description="The newest 20 lines of the ledger.")]

    @classmethod
    def of(
        cls, credits: operations.CreditUsage, entries: Iterable[entry.EntryRow], alerts: Iterable[alert.AlertRow]
    ) -> Self:
        """`entries` are the newest lines of the ledger, `alerts` those of this month."""
        return cls.copied(
            credits,
            maybe_charged=UsageSlice.each(credits.maybe_charged),
            maybe_charged_calls=[MaybeChargedCall.copied(call) for call in credits.maybe_charged_calls],
            stated=[StatedUsage.copied(part) for part in credits.stated],
            by_provider=UsageSlice.each(credits.by_provider),
            by_entity_type=UsageSlice.each(credits.by_entity_type),
            by_trigger=UsageSlice.each(credits.by_trigger),
            by_day=[DailyUsage.copied(day) for day in credits.by_day],
            alerts=[CreditAlert.copied(raised) for raised in alerts],
            entries=[CreditEntry.copied(line) for line in entries],
        )


EXAMPLE = Credits.example(
    balance=940,
    reserved=4,
    used=60,
    wasted=2,
    granted=1000,
    remaining=936,
    period_start=datetime(2026, 11, 1, tzinfo=UTC),
    period_end=datetime(2026, 12, 1, tzinfo=UTC),
    by_provider=[UsageSlice(key="directory_archive", credits=60, charges=30)],
    by_entity_type=[UsageSlice(key="account", credits=60, charges=30)],
    by_trigger=[UsageSlice(key="record_created", credits=60, charges=30)],
    by_day=[DailyUsage.example(credits=60, charges=30)],
    entries=[
        CreditEntry.example(
            id="01936f2a-7b00-7f00-8c00-5a6b7c8d9e0f",
            kind=CreditKind.CHARGE,
            amount=-2,
            reserved_change=-2,
            job_id=job.EXAMPLE.id,
            record_id=job.EXAMPLE.record_id,
            provider="directory_archive",
            entity_type=EntityType.ACCOUNT,
            trigger=JobTrigger.RECORD_CREATED,
            created_at=FINISHED,
        )
    ],
)
