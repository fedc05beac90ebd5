"""Stored decision snapshots carry the version of their format, and what a version cannot read is left out."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis

from enrichment.decide.edition import LATEST, Edition
from enrichment.enums import EntityType
from enrichment.packed_json import pack
from enrichment.replay.snapshot_format import FORMAT, UnknownSnapshotFormat, parse_snapshot
from enrichment.replay.snapshot_json import read_snapshot
from enrichment.replay.stored import StoredSnapshot
from models.db.columns import from_micros
from models.db.statements import execute
from models.decision_log import snapshots_of_period
from resolvers.context import Context
from resolvers.cost.preview import preview_enrichment
from resolvers.job.enrich import RecordSelection
from resolvers.simulation.api import simulate_config
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

NEVER = {"fieldPolicies": {"account": {"default": "never"}}}


async def decided(redis: ArqRedis, *domains: str) -> Context:
    """Records that were enriched, each with one snapshot."""
    ctx = context(services(redis, StandIn(knows={domain: {"industry": "Software"} for domain in domains})))
    for domain in domains:
        await send(ctx, "account", domain, domain=domain)
        await work(ctx.services)
    return ctx


async def bodies() -> dict[str, dict[str, Any]]:
    found = await snapshots_of_period("acme", None, None, 1000)
    return {row.id: parse_snapshot(row.stored) for row in found}


async def store(snapshot_id: str, body: dict[str, Any]) -> None:
    """As JSON text, as versions before packing did."""
    await execute(
        "UPDATE decision_snapshot SET body = ?, packed = NULL WHERE id = ?", [orjson.dumps(body).decode(), snapshot_id]
    )


async def test_every_snapshot_is_stored_with_its_format(redis: ArqRedis) -> None:
    await decided(redis, "acme.com")
    [body] = (await bodies()).values()
    assert body["format"] == FORMAT == 3


def in_format_1(body: dict[str, Any]) -> dict[str, Any]:
    """What a version that wrote format 1 would have stored."""
    current = {name: [*encoded[:4], *encoded[6:]] for name, encoded in body["current"].items()}
    kept = {key: value for key, value in body.items() if key not in {"edition", "halfLives"}}
    return kept | {"format": 1, "current": current}


async def test_a_snapshot_without_a_format_is_read_as_one_of_format_0(redis: ArqRedis) -> None:
    ctx = await decided(redis, "acme.com")
    [(snapshot_id, body)] = (await bodies()).items()
    older = in_format_1(body)
    then = read_snapshot(parse_snapshot(orjson.dumps(older).decode()))
    assert older.pop("format") == 1
    await store(snapshot_id, older)
    assert read_snapshot(parse_snapshot(orjson.dumps(older).decode())) == then
    assert then.edition is Edition.ARRIVAL
    assert replace(then, edition=LATEST, state=replace(then.state, current={})) == replace(
        read_snapshot(parse_snapshot(orjson.dumps(body).decode())), state=replace(then.state, current={})
    )

    simulated = await simulate_config(ctx, NEVER)
    assert [(difference.field, difference.why) for difference in simulated.differences] == [("industry", "no_data")]
    assert simulated.not_replayed == []


async def test_a_snapshot_of_an_older_format_is_decided_by_the_rules_of_its_time(redis: ArqRedis) -> None:
    """Then an answer replaced under `overwrite` what had been observed after it."""
    ctx = await decided(redis, "acme.com")
    [(snapshot_id, body)] = (await bodies()).items()
    asked_at, year = body["askedAt"], 31_557_600_000_000  # microseconds
    body["fields"]["industry"] = "Banks"
    body["current"]["industry"] = ["crm", 1.0, asked_at - year, asked_at - year, True, None]
    name, value, confidence, _, *trust = body["said"][0]["found"][0]
    body["said"][0]["found"][0] = [name, value, confidence, asked_at - 2 * year, *trust]
    body["effects"] = [["industry", "written", "standin", confidence, asked_at - 2 * year, value]]

    overwrite = {"fieldPolicies": {"account": {"default": "overwrite"}}}
    await store(snapshot_id, in_format_1(body))
    assert (await simulate_config(ctx, overwrite)).differences == []
    await store(snapshot_id, body)
    [difference] = (await simulate_config(ctx, overwrite)).differences
    assert (difference.field, difference.why) == ("industry", "protected")


async def test_a_snapshot_of_before_units_is_decided_field_by_field(redis: ArqRedis) -> None:
    """Then the rest of an address was written beside a city that it does not belong to."""
    source = StandIn(knows={"acme.com": {"city": "Luxembourg", "country": "LU"}})
    ctx = context(services(redis, source))
    await send(ctx, "account", "A", domain="acme.com", city="Stockholm")
    await work(ctx.services)
    [(snapshot_id, body)] = (await bodies()).items()
    asked = {effect[0]: effect[6:] for effect in body["effects"]}
    assert asked == {
        "city": ["existing_differs", "address", True],
        "country": ["existing_differs", "address", False],
    }
    assert (await simulate_config(ctx, {})).differences == []

    [city, country] = [effect for effect in body["effects"] if effect[0] in asked]
    earlier = body | {"format": 2, "edition": Edition.OBSERVATION.value}
    seen_at = body["said"][0]["found"][0][3]
    earlier["effects"] = [city[:7], ["country", "written", "standin", country[3], seen_at, "Luxembourg"]]
    await store(snapshot_id, earlier)
    assert (await simulate_config(ctx, {})).differences == []


async def test_a_snapshot_keeps_the_ages_and_half_lives_that_were_decided_with(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn(knows={"acme.com": {"industry": "Software"}})))
    await send(ctx, "account", "A", domain="acme.com", city="Oakland")
    await execute(
        "INSERT INTO half_life (organization_id, entity_type, field, days, low_days, high_days, prior_days, changes,"
        " observed_days) SELECT id, 'account', 'industry', 321.04, 300, 400, 5000, 9, 900 FROM organization"
    )
    await send(ctx, "account", "A", domain="acme.com", city="Berlin")
    await work(ctx.services)
    [body] = (await bodies()).values()
    assert body["halfLives"] == {"industry": 321.0}
    snapshot = read_snapshot(parse_snapshot(orjson.dumps(body).decode()))
    assert snapshot.half_lives == {"industry": 321.0}
    city, domain = snapshot.state.current["city"], snapshot.state.current["domain"]
    assert (city.observed_at_known, city.edited_at) == (False, city.written_at)
    assert (domain.observed_at_known, domain.edited_at) == (False, None)


@pytest.mark.parametrize("newer", [FORMAT + 1, "2", None, True, -1])
def test_a_format_that_this_version_does_not_know_is_refused(newer: object) -> None:
    body = orjson.dumps({"format": newer, "layout": "unknown"}).decode()
    stored = StoredSnapshot("S", "R", "J", from_micros(1), body)
    for read in (stored.read, stored.summary):
        with pytest.raises(
            UnknownSnapshotFormat, match=f"decision snapshot of format {newer}; this version reads 0 to"
        ):
            read()


def test_a_snapshot_that_was_packed_with_an_unknown_dictionary_is_refused() -> None:
    stored = StoredSnapshot("S", "R", "J", from_micros(1), bytes([200]) + pack({"format": FORMAT})[1:])
    for read in (stored.read, stored.summary):
        with pytest.raises(UnknownSnapshotFormat, match="packed with dictionary 200; this version knows 1 to 1"):
            read()


async def test_a_version_from_before_packing_is_shown_a_format_that_it_does_not_know(redis: ArqRedis) -> None:
    await decided(redis, "acme.com")
    [row] = await snapshots_of_period("acme", None, None, 10)
    assert row.packed is not None
    with pytest.raises(UnknownSnapshotFormat, match="format packed"):
        parse_snapshot(row.body)


async def test_a_simulation_leaves_out_what_it_cannot_read_and_says_so(redis: ArqRedis) -> None:
    ctx = await decided(redis, "acme.com", "globex.com")
    newest = list(await bodies())[1]
    await store(newest, {"format": FORMAT + 1, "layout": "unknown"})
    simulated = await simulate_config(ctx, NEVER)
    assert simulated.not_replayed == [
        "1 of the decisions are left out: decision snapshot of format 4; this version reads 0 to 3"
    ]
    assert simulated.replayed.jobs == 1
    assert [simulated.external_ids[one.snapshot.record_id] for one in simulated.differences] == ["acme.com"]


async def test_a_preview_does_without_a_snapshot_that_it_cannot_read(redis: ArqRedis) -> None:
    ctx = await decided(redis, "acme.com")
    selection = RecordSelection(EntityType.ACCOUNT)
    known = await preview_enrichment(ctx, selection, force=True)
    assert dict(known.calls) == {}
    [snapshot_id] = await bodies()
    await store(snapshot_id, {"format": FORMAT + 1, "layout": "unknown"})
    unknown = await preview_enrichment(ctx, selection, force=True)
    assert dict(unknown.calls) == {"standin": 1}
