"""Statistics by day, apart by provider and by entity type: the parts add up to the whole."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

FIGURES = ("jobs", "completed", "failed", "fieldsWritten", "fieldsVerified", "credits")


@pytest.mark.parametrize("within_a_day", [False, True])
async def test_parts_of_days_add_up(redis: ArqRedis, within_a_day: bool) -> None:
    knows = {"acme.com": {"industry": "Software"}, "ada@acme.com": {"title": "CEO", "city": "Berlin"}}
    shared = services(redis, StandIn("north", knows=knows, price=2), StandIn("south", knows={}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await send(ctx, "account", "A2", domain="bit.com")
    await send(ctx, "lead", "L1", email="ada@acme.com")
    await work(shared)
    given = {"from": (datetime.now(UTC) - timedelta(minutes=5)).isoformat()} if within_a_day else {}
    figures = " ".join(FIGURES)
    text = f"""query($from: DateTime) {{ stats(from: $from) {{ byDay {{ day {figures} }}
        byDayAndEntityType {{ day entityType {figures} }} providers {{ provider asked matched errors credits }}
        byDayAndProvider {{ day provider asked matched errors credits }} }} }}"""
    stats = (await Operations(shared, role=Role.VIEWER)(text, **given))["stats"]
    assert {day["entityType"]: day["jobs"] for day in stats["byDayAndEntityType"]} == {"ACCOUNT": 2, "LEAD": 1}
    assert summed(stats["byDayAndEntityType"], FIGURES) == summed(stats["byDay"], FIGURES)
    assert summed(stats["byDay"], FIGURES)["credits"] == 4
    of_providers = ("asked", "matched", "errors", "credits")
    assert {day["provider"] for day in stats["byDayAndProvider"]} == {"north", "south"}
    assert summed(stats["byDayAndProvider"], of_providers) == summed(stats["providers"], of_providers)
    other = (await Operations(shared, org="other")(text, **given))["stats"]
    assert (other["byDayAndProvider"], other["byDayAndEntityType"]) == ([], [])


def summed(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found.update({name: row[name] for name in names})
    return found
