"""`/stats` and `/credits` over REST: what was done and what it cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from resolvers.credit.alerts import raise_alerts
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.rest_client import Rest, fault_paths, problem_code

pytestmark = pytest.mark.usefixtures("db")

TODAY = datetime.now(UTC).date()


@pytest.fixture
def shared(redis: ArqRedis) -> Any:
    return services(redis, StandIn(knows={"acme.com": {"industry": "Software", "city": "Berlin"}}, price=3))


@pytest.fixture
def rest(shared: Any) -> Rest:
    return Rest(shared)


async def enrich_two(shared: Any) -> None:
    ctx = context(shared)
    await send(ctx, "account", "A1", name="Acme", domain="acme.com", city="Paris")
    await send(ctx, "lead", "L1", email="ann@nobody.com")
    await work(shared)


def counts(listed: list[dict[str, Any]], key: str) -> dict[str, int]:
    return {entry[key]: entry["count"] for entry in listed if entry["count"]}


async def test_statistics_say_what_was_done(rest: Rest, shared: Any) -> None:
    await enrich_two(shared)
    stats = (await rest.get("/stats", role=Role.VIEWER)).json()
    assert (stats["records"], stats["matchRate"], stats["creditsUsed"]) == (2, 0.5, 3)
    assert counts(stats["jobsByStatus"], "status") == {"completed": 2}
    assert counts(stats["fieldOutcomes"], "reason")["written"] == 1
    assert stats["fillRateBefore"] < stats["fillRateAfter"]
    rates = {(rate["entityType"], rate["field"]): (rate["before"], rate["after"]) for rate in stats["fillRates"]}
    assert rates["account", "industry"] == (0.0, 1.0)
    (provider,) = stats["providers"]
    assert (provider["asked"], provider["matched"], provider["noMatch"], provider["credits"]) == (2, 1, 1, 3)
    assert (stats["conflictsOpen"], stats["conflictsResolved"]) == (1, 0)
    assert [(day["day"], day["jobs"], day["completed"]) for day in stats["byDay"]] == [(str(TODAY), 2, 2)]


async def test_statistics_of_nothing_have_no_rates(rest: Rest) -> None:
    stats = (await rest.get("/stats")).json()
    assert (stats["records"], stats["matchRate"], stats["fillRateBefore"], stats["byDay"]) == (0, None, None, [])
    assert counts(stats["jobsByStatus"], "status") == {}


async def test_credits_are_broken_down(rest: Rest, shared: Any) -> None:
    await enrich_two(shared)
    usage = (await rest.get("/credits", role=Role.VIEWER)).json()
    assert (usage["balance"], usage["reserved"], usage["used"], usage["remaining"]) == (997, 0, 3, 997)
    assert (usage["granted"], usage["monthlyLimit"], usage["wasted"]) == (1000, None, 0)
    assert usage["byProvider"] == [{"key": "standin", "credits": 3, "charges": 1}]
    assert usage["byEntityType"] == [{"key": "account", "credits": 3, "charges": 1}]
    assert usage["byTrigger"] == [{"key": "record_created", "credits": 3, "charges": 1}]
    assert usage["byDay"] == [{"day": str(TODAY), "credits": 3, "charges": 1}]
    assert usage["periodStart"] == f"{TODAY.replace(day=1)}T00:00:00Z"
    assert sum(entry["amount"] for entry in usage["entries"]) == usage["balance"]
    ids = [entry["id"] for entry in usage["entries"]]
    assert ids == sorted(ids, reverse=True)
    assert usage["alerts"] == []


async def test_thresholds_that_were_crossed_are_shown(rest: Rest, shared: Any) -> None:
    await configure(context(shared), credits={"monthlyLimit": 6, "alertThresholds": [0.5, 1.0]})
    await enrich_two(shared)
    await raise_alerts(shared, "acme")
    (alert,) = (await rest.get("/credits", role=Role.VIEWER)).json()["alerts"]
    assert alert.pop("raisedAt").endswith("Z")
    assert alert == {"month": f"{TODAY:%Y-%m}", "threshold": 0.5, "used": 3, "most": 6}
    assert (await rest.get("/credits", org="other")).json()["alerts"] == []


@pytest.mark.parametrize("path", ["/stats", "/credits"])
async def test_a_period_narrows_both(rest: Rest, shared: Any, path: str) -> None:
    await enrich_two(shared)
    past = (await rest.get(f"{path}?from=2020-01-01&to=2020-02-01T00:00:00%2B02:00")).json()
    assert past["byDay"] == []
    tomorrow = TODAY + timedelta(days=1)
    now = (await rest.get(f"{path}?from={TODAY}&to={tomorrow}T00:00:00Z")).json()
    assert [day["day"] for day in now["byDay"]] == [str(TODAY)]
    if path == "/credits":
        assert (past["periodStart"], past["periodEnd"]) == ("2020-01-01T00:00:00Z", "2020-01-31T22:00:00Z")
        assert (past["used"], past["balance"]) == (0, 997)


@pytest.mark.parametrize(
    ("query", "period"),
    [
        ("from=2100-02-10", ("2100-02-10T00:00:00Z", "2100-03-01T00:00:00Z")),
        ("to=2020-02-10", ("2020-02-01T00:00:00Z", "2020-02-10T00:00:00Z")),
        ("to=2020-03-01", ("2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z")),
    ],
)
async def test_half_a_period_of_another_month_is_completed_within_it(
    rest: Rest, query: str, period: tuple[str, str]
) -> None:
    usage = (await rest.get(f"/credits?{query}")).json()
    assert (usage["periodStart"], usage["periodEnd"], usage["used"]) == (*period, 0)


@pytest.mark.parametrize("path", ["/stats", "/credits"])
@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("from=yesterday", ["from"]),
        ("to=", ["to"]),
        ("from=x&to=y", ["from", "to"]),
        ("from=2026-02-01&to=2026-01-01", ["from"]),
        ("from=2026-01-01&from=2026-01-02", ["from"]),
    ],
)
async def test_a_period_that_cannot_be_is_named(rest: Rest, path: str, query: str, paths: list[str]) -> None:
    response = await rest.get(f"{path}?{query}")
    assert (response.status_code, problem_code(response), fault_paths(response)) == (400, "BAD_REQUEST", paths)


@pytest.mark.parametrize("path", ["/stats", "/credits"])
async def test_the_first_and_the_last_year_are_periods_too(rest: Rest, path: str) -> None:
    response = await rest.get(f"{path}?from=0001-01-01&to=9999-12-31T23:59:59.999999Z")
    assert response.status_code == 200


async def test_another_organization_has_its_own(rest: Rest, shared: Any) -> None:
    await enrich_two(shared)
    assert (await rest.get("/stats", org="other")).json()["records"] == 0
    assert (await rest.get("/credits", org="other")).json()["balance"] == 1000
