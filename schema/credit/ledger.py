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
    @strawberry.field(description="Compare the account with its ledger, line by line. Admins only.")
    async def verify_ledger(self, info: Info) -> LedgerCheck:
        check = await verify.verify_ledger(info.context)
        return LedgerCheck(
            adds_up=check.adds_up,
            entries=check.entries,
            balance=check.balance,
            reserved=check.reserved,
            faults=check.faults,
        )


@strawberry.type
class LedgerSubscription:
    @strawberry.subscription(
        description="The thresholds crossed this month, the newest first: at once, then when one more is crossed."
    )
    async def credits_changed(self, info: Info) -> AsyncIterator[list[CreditAlert]]:
        async with closing(alerts.watch_alerts(info.context)) as changes:
            async for views in changes:
                yield [CreditAlert.of(view) for view in views]
