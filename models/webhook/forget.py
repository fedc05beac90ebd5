"""Forgetting deliveries of webhooks: those of an erased record, and old ones."""

from datetime import datetime

from models.db.columns import first_id_of, to_micros
from models.db.statements import execute
from models.db.transaction import Transaction
from models.webhook.endpoint import lock_endpoints


async def erase_deliveries_of(tx: Transaction, organization_id: str, record_id: str, now: datetime) -> None:
    """Leave nothing of a record in deliveries but that they were; what waits is not sent.

    Locks the endpoints first, so that no worker adds a delivery of the record until the transaction ends.
    """
    if not await lock_endpoints(tx, organization_id):
        return
    await execute(
        "UPDATE webhook_delivery SET ended_at = COALESCE(ended_at, ?), due_at = NULL, status = 'erased',"
        " record_id = NULL, subject = '', data = '{}' WHERE organization_id = ? AND record_id = ?",
        [to_micros(now), organization_id, record_id],
        using=tx,
    )


async def prune_deliveries(organization_id: str, before: datetime, most: int) -> int:
    """Delete the first deliveries from before this moment, `most` at most. Returns how many."""
    chosen = "SELECT id FROM webhook_delivery WHERE organization_id = ? AND id < ? ORDER BY id LIMIT ?"
    return await execute(
        f"DELETE FROM webhook_delivery WHERE organization_id = ? AND id IN ({chosen})",
        [organization_id, organization_id, first_id_of(before), most],
    )
