"""The check of the ledger, and the alerts for thresholds that the use of credits crossed."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Self

import strawberry

from models.credit.alert import AlertRow
from resolvers.credit import alerts, verify
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.streams import closing


@strawberry.type(description="Whether the ledger adds up, and everything that does not, in plain words.")
class LedgerCheck:
    adds_up: bool
    entries: int
    balance: int
    reserved: int
    faults: list[str]
    whole: bool = strawberry.field(
        description="Whether every line was looked at now; else those since the last proof, with what that had found."
    )
    proved_at: datetime | None = strawberry.field(description="When the last proof was made. Null: there is none yet.")
    proved_entries: int = strawberry.field(description="How many lines, from the first on, the last proof covers.")
    unproved: int = strawberry.field(description="How many lines there are since; they were looked at now.")
    whole_at: datetime | None = strawberry.field(
        description="When every line was last looked at because somebody asked for it, where that is known."
    )


@strawberry.type(description="A share of the month's credits that was crossed; told once.")
class CreditAlert:
    month: str
    threshold: float
    used: int
    most: int = strawberry.field(description="What the share is of: the monthly limit, or else the month's grant.")
    raised_at: datetime

    @classmethod
    def of(cls, view: AlertRow) -> Self:
        return copied(cls, view)


@strawberry.type
class LedgerQuery:
    @strawberry.field(
        description="Compare the account with its ledger, on from the last proof, or line by line from the first"
        " (`whole`). Admins only."
    )
    async def verify_ledger(self, info: Info, whole: bool | None = None) -> LedgerCheck:
        check = await verify.verify_ledger(info.context, whole=bool(whole))
        return LedgerCheck(
            adds_up=check.adds_up,
            entries=check.entries,
            balance=check.balance,
            reserved=check.reserved,
            faults=check.faults,
            whole=check.whole,
            proved_at=check.proved_at,
            proved_entries=check.proved_entries,
            unproved=check.unproved,
            whole_at=check.whole_at,
        )


@strawberry.type
class LedgerSubscription:
    @strawberry.subscription(
        description="The thresholds crossed this month, the newest first: at once, then when one more is crossed. With"
        " `after`, a cursor of the log (`0`: the oldest that is kept), once for each that was crossed after it."
        " Messages say theirs in `extensions.cursor`."
    )
    async def credits_changed(self, info: Info, after: str | None = None) -> AsyncIterator[list[CreditAlert]]:
        async with closing(alerts.watch_alerts(info.context, after=info.context.after(after))) as changes:
            async for views, cursor in changes:
                info.context.message.set(cursor)
                yield [CreditAlert.of(view) for view in views]
