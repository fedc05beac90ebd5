"""The sources of data this installation has, as the organization uses them."""

from dataclasses import dataclass

from enrichment.vocabulary import EntityType
from models.database import query
from resolvers.context import Context, Role
from resolvers.organizations import config_of, organization_of


@dataclass(frozen=True, slots=True)
class ProviderView:
    """One provider: what it gives and costs (credits a match), and how often it knew what it was asked.

    `position` is its place in the waterfall from 1, or 0 where the configuration does not name it.
    """

    id: str
    name: str
    enabled: bool
    position: int
    price: int
    gives: dict[EntityType, list[str]]
    needs: str
    attribution: str
    asked: int
    matched: int
    match_rate: float | None


async def list_providers(ctx: Context) -> list[ProviderView]:
    """Every provider, in order of the organization's priority, those it does not use last."""
    caller = ctx.require(Role.VIEWER)
    registry = ctx.services.registry
    config = config_of(await organization_of(caller.organization_id, registry, ctx.services.now()))
    rules = {rule.id: (place, rule.enabled) for place, rule in enumerate(config.providers, 1)}
    counts = {
        row["provider"]: (int(row["asked"]), int(row["matched"] or 0))
        for row in await query(
            "SELECT provider, COUNT(*) AS asked, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS matched"
            " FROM step WHERE organization_id = ? AND outcome IN ('match', 'no_match', 'error') GROUP BY provider",
            [caller.organization_id],
        )
    }
    views = []
    for provider in registry:
        info = provider.info
        place, enabled = rules.get(info.id, (0, False))
        asked, matched = counts.get(info.id, (0, 0))
        views.append(
            ProviderView(
                id=info.id,
                name=info.name,
                enabled=enabled,
                position=place,
                price=info.price,
                gives={kind: sorted(names) for kind, names in info.gives.items()},
                needs=info.needs,
                attribution=info.attribution,
                asked=asked,
                matched=matched,
                match_rate=matched / asked if asked else None,
            )
        )
    return sorted(views, key=lambda view: (view.position == 0, view.position))
