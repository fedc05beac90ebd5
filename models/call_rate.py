"""How often a match of a provider cost an organization more than the plain price."""

from models.db.rows import fetch, query_row


@query_row
class _ExtraCharges:
    tried: int
    came: int


async def extra_charges(organization_id: str, provider: str, price: int) -> tuple[int, int]:
    """How many charges might have been above the plain `price`, and how many of them were."""
    found = await fetch(
        _ExtraCharges,
        "SELECT COUNT(*) AS tried, COALESCE(SUM(CASE WHEN -charged.amount > ? THEN 1 ELSE 0 END), 0) AS came"
        " FROM credit_entry charged JOIN credit_entry reserved ON reserved.id = charged.settles"
        " WHERE charged.organization_id = ? AND charged.provider = ? AND charged.kind = 'charge'"
        " AND reserved.reserved_change > ?",
        [price, organization_id, provider, price],
    )
    return found[0].tried, found[0].came
