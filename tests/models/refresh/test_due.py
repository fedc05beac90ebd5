"""How stale the due records are, as the database reckons it."""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.db.statements import query
from models.refresh.due import Due, halved, longest_ago, stalest
from tests.support.factories import Clock, StandIn, context, services
from tests.support.refreshes import enriched, known, seen_before

pytestmark = pytest.mark.usefixtures("db")


async def test_of_very_many_those_enriched_longest_ago_are_ranked(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, StandIn(knows=known(6)), now=clock)
    await enriched(context(shared), 6)
    await seen_before(clock, {"A0": 90, "A1": 80, "A2": 70, "A3": 70, "A4": 60, "A5": 10})
    moment = clock() - timedelta(days=30)
    due = Due("acme", moment, moment, tuple(EntityType))
    for most, wanted in ((100, 5), (1, 2), (2, 3), (3, 4), (4, 5)):
        narrowed = await longest_ago(due, most)
        rows = await stalest(narrowed, "", "~", now=moment, limit=9, prices={}, min_freshness=None)
        assert len(rows) == wanted, most


async def test_the_database_halves_as_exactly_as_it_ranks() -> None:
    for times in (0.0, 0.25, 0.999_999, 1.0, 2.5, 17.3, 59.9, 60.0):
        [row] = await query(f"SELECT {halved('times')} AS halved FROM (SELECT {times!r} AS times) AS given")
        assert float(row["halved"]) == pytest.approx(0.5**times, rel=1e-6)
