"""Credits: what is left, what was used for what, and the ledger itself."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

import strawberry

from models.credit import usage
from models.credit.entry import EntryRow
from resolvers.credit import alerts, maybe_charged
from resolvers.credit import api as operations
from resolvers.paging import DEFAULT_SIZE
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import CreditKind, EntityType, JobTrigger
from schema.base.node import NO_BOUNDS, Bounds, Node, id_of_period
from schema.base.paging import Connection, page_args
from schema.base.references import JobReference, RecordReference, job_of, record_of
from schema.base.views import RowView, needs
from schema.base.wanted import printed_nodes
from schema.credit.ledger import CreditAlert


@strawberry.type(description="What was used for one provider, entity type or trigger.")
class UsageSlice:
    key: str
    credits: int
    charges: int = strawberry.field(description="How often.")

    @classmethod
    def of(cls, part: usage.UsageSlice) -> Self:
        return copied(cls, part)


@strawberry.type(description="What was used on one day (UTC).")
class DailyUsage:
    day: date
    credits: int
    charges: int

    @classmethod
    def of(cls, day: usage.DailyUsage) -> Self:
        return copied(cls, day)


@strawberry.type(description="What a provider says that calls consumed, beside what was charged for the same calls.")
class StatedUsage:
    provider: str
    calls: int = strawberry.field(description="How many said what they consumed.")
    stated: float = strawberry.field(description="Credits by the provider's own figures, maybe a fraction.")
    charged: int = strawberry.field(
        description="A figure is rounded up to whole credits and never above what was reserved; a price that the"
        " operator has set stays the charge."
    )
    drift: float = strawberry.field(description="How much more the provider counts than was charged.")

    @classmethod
    def of(cls, usage: usage.StatedUsage) -> Self:
        return copied(cls, usage)


@strawberry.type(description="A call that its provider may have counted, though nothing was charged for it.")
class MaybeChargedCall:
    id: strawberry.ID = strawberry.field(description="Of the line of the ledger that gave the credits back.")
    provider: str
    entity_type: EntityType | None = strawberry.field(description="Of which kind of record the question was.")
    job_id: strawberry.ID | None
    record_id: strawberry.ID | None
    credits: int = strawberry.field(description="What it may have cost at most.")
    why: str
    at: datetime = strawberry.field(description="When it became known that the call may have been charged.")

    @classmethod
    def of(cls, call: maybe_charged.MaybeChargedCall) -> Self:
        return copied(cls, call)

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)

    @strawberry.field(description="The record of `recordId`; null where there is none, or it is gone.")
    async def record(self, info: Info) -> RecordReference | None:
        return await record_of(info, self.record_id)


@strawberry.type(description="One line of the ledger; the balance is the sum of the amounts.")
class CreditEntry(Node):
    id: strawberry.ID
    kind: CreditKind
    amount: int
    reserved_change: int
    job_id: strawberry.ID | None
    record_id: strawberry.ID | None
    provider: str | None
    entity_type: EntityType | None
    trigger: JobTrigger | None
    note: str | None
    actor: str | None
    created_at: datetime

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)

    @strawberry.field(description="The record of `recordId`; null where there is none, or it is gone.")
    async def record(self, info: Info) -> RecordReference | None:
        return await record_of(info, self.record_id)


ENTRY: RowView[EntryRow, CreditEntry] = RowView(
    CreditEntry, resolved={"job": needs("job_id"), "record": needs("record_id")}
)


@strawberry.type(description="The account of the organization, and its use of a period.")
class CreditUsage(Node):
    id: strawberry.ID = strawberry.field(
        resolver=id_of_period("credits"), description="The organization's own, one for each period that is asked for."
    )
    balance: int
    reserved: int = strawberry.field(description="Held for calls that are under way.")
    used: int
    wasted: int = strawberry.field(description="Part of `used` that led to nothing being written.")
    granted: int
    monthly_limit: int | None
    remaining: int = strawberry.field(description="What may still be spent, by balance and limits.")
    period_start: datetime
    period_end: datetime
    by_provider: list[UsageSlice]
    by_entity_type: list[UsageSlice]
    by_trigger: list[UsageSlice]
    by_day: list[DailyUsage]
    maybe_charged: list[UsageSlice] = strawberry.field(
        description="By provider what was given back for calls without a usable answer that it may have counted all the"
        " same: its own count is at most that much higher."
    )
    maybe_charged_calls: list[MaybeChargedCall] = strawberry.field(
        description="These calls one by one, the newest 100 of the period."
    )
    stated: list[StatedUsage] = strawberry.field(
        description="By provider what it says that the period's calls consumed, where it says so."
    )
    projected_exhaustion_at: datetime | None = strawberry.field(description="At the present pace; null: not.")
    asked: strawberry.Private[Bounds]

    @classmethod
    def of(cls, usage: operations.CreditUsage, asked: Bounds = NO_BOUNDS) -> Self:
        return copied(
            cls,
            usage,
            by_provider=_slices(usage.by_provider),
            by_entity_type=_slices(usage.by_entity_type),
            by_trigger=_slices(usage.by_trigger),
            by_day=[DailyUsage.of(day) for day in usage.by_day],
            maybe_charged=_slices(usage.maybe_charged),
            maybe_charged_calls=[MaybeChargedCall.of(call) for call in usage.maybe_charged_calls],
            stated=[StatedUsage.of(part) for part in usage.stated],
            asked=asked,
        )

    @strawberry.field(description="The thresholds crossed this month, the newest first.")
    async def alerts(self, info: Info) -> list[CreditAlert]:
        return [CreditAlert.of(view) for view in await alerts.list_alerts(info.context)]

    @strawberry.field(description="The ledger, newest first.")
    async def entries(
        self,
        info: Info,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[CreditEntry]:
        args = page_args(info, first, after, last, before)
        page = await operations.list_credit_entries(info.context, args, printed_nodes(info, ENTRY))
        return Connection[CreditEntry].of(page, ENTRY)


def _slices(parts: Sequence[usage.UsageSlice]) -> list[UsageSlice]:
    return [UsageSlice.of(part) for part in parts]


@strawberry.type
class CreditQuery:
    @strawberry.field(description="The account, and its use of a period: the month so far unless said.")
    async def credits(
        self,
        info: Info,
        start: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        end: Annotated[datetime | None, strawberry.argument(name="to")] = None,
    ) -> CreditUsage:
        return CreditUsage.of(await operations.get_credits(info.context, start, end), (start, end))


@strawberry.type
class CreditMutation:
    @strawberry.mutation(description="Add credits that stay. The same `idempotencyKey` grants once.")
    async def grant_credits(
        self, info: Info, amount: int, idempotency_key: str, note: str | None = None
    ) -> CreditUsage:
        usage = await operations.grant_credits(info.context, amount=amount, note=note, idempotency_key=idempotency_key)
        return CreditUsage.of(usage)
