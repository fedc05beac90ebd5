"""The proof of the ledger, and the thresholds that the use of credits has crossed."""

from datetime import datetime

import strawberry

from resolvers import alerts, verify
from schema.context import Info


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

    @strawberry.field(description="The thresholds crossed this month, the newest first.")
    async def credit_alerts(self, info: Info) -> list[CreditAlert]:
        return [
            CreditAlert(
                month=alert.month,
                threshold=alert.threshold,
                used=alert.used,
                most=alert.most,
                raised_at=alert.raised_at,
            )
            for alert in await alerts.list_alerts(info.context)
        ]
