"""How often an organization's calls of providers matched, and how often a match cost more than the plain price."""

from models.db.rows import fetch, query_row


@query_row
class _CallsOfProvider:
    provider: str
    tried: int
    came: int


@query_row
class _ExtraCharges:
    tried: int
    came: int


async def matches_by_provider(organization_id: str) -> dict[str, tuple[int, int]]:
    """By provider: how many calls were answered, and how many of these answers matched."""
    found = await fetch(
        _CallsOfProvider,
        "SELECT provider, COUNT(*) AS tried, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS came FROM step"
        " WHERE organization_id = ? AND outcome IN ('match', 'no_match') GROUP BY provider",
        [organization_id],
    )
    return {row.provider: (row.tried, row.came) for row in found}


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
