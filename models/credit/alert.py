"""Alerts: the shares of a month's credits whose use was crossed."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field
from models.db.rows import fetch, insert, projection, read_rows, select
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events


class CreditAlert(Model):
    """A share (0-1) of the month's credits that was crossed: raised once for each month and threshold.

    Where what the share is of was changed meanwhile, it is raised again, in place of the one before.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    month = fields.CharField(max_length=7)
    threshold = fields.FloatField()
    used = fields.BigIntField()
    most = fields.BigIntField()  # what the share is of: the monthly limit, or else the month's grant
    raised_at: datetime = Instant()

    class Meta:
        table = "credit_alert"


@projection(CreditAlert)
class AlertRow:
    """See CreditAlert."""

    id: str
    organization_id: str
    month: str
    threshold: float
    used: int
    most: int
    raised_at: datetime


@unit_of_work
async def add_alerts(tx: Transaction, alerts: Sequence[AlertRow]) -> list[AlertRow]:
    """Note these alerts; returns those that their month did not have yet for what they are a share of."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in ("id", "used", "most", "raised_at"))
    added = await insert(
        tx,
        alerts,
        then=f"ON CONFLICT (organization_id, month, threshold) DO UPDATE SET {changed}"
        f" WHERE credit_alert.most <> excluded.most RETURNING {select(AlertRow, 'credit_alert')}",
    )
    raised = read_rows(AlertRow, added)
    await add_events(tx, [_event(alert) for alert in raised])
    return raised


def _event(alert: AlertRow) -> NewEvent:
    kind = EventKind.CREDITS_EXHAUSTED if alert.used >= alert.most else EventKind.CREDITS_LOW
    data = {"share": alert.threshold, "credits": alert.used, "most": alert.most}
    return NewEvent(alert.organization_id, alert.raised_at, kind, data=data)


async def alerts_of(organization_id: str, month: str) -> list[AlertRow]:
    """The alerts of a month, the newest first."""
    sql = f"SELECT {select(AlertRow)} FROM credit_alert WHERE organization_id = ? AND month = ? ORDER BY id DESC"
    return await fetch(AlertRow, sql, [organization_id, month])
