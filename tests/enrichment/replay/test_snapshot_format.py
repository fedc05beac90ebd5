"""Stored decision snapshots carry the version of their format, and what a version cannot read is left out."""

from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from enrichment.replay.snapshot_json import FORMAT, UnknownSnapshotFormat, parse_snapshot, read_snapshot
from enrichment.replay.stored import StoredSnapshot
from models.db.columns import from_micros
from models.db.statements import execute, query
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
    found = await query("SELECT id, body FROM decision_snapshot ORDER BY decided_at, id")
    return {row["id"]: orjson.loads(row["body"]) for row in found}


async def store(snapshot_id: str, body: dict[str, Any]) -> None:
    await execute("UPDATE decision_snapshot SET body = ? WHERE id = ?", [orjson.dumps(body).decode(), snapshot_id])


async def test_every_snapshot_is_stored_with_its_format(redis: ArqRedis) -> None:
    await decided(redis, "acme.com")
    [body] = (await bodies()).values()
    assert body["format"] == FORMAT == 1


async def test_a_snapshot_without_a_format_is_read_as_one_of_format_0(redis: ArqRedis) -> None:
    ctx = await decided(redis, "acme.com")
    [(snapshot_id, body)] = (await bodies()).items()
    today = read_snapshot(parse_snapshot(orjson.dumps(body).decode()))
    assert body.pop("format") == 1
    await store(snapshot_id, body)
    assert read_snapshot(parse_snapshot(orjson.dumps(body).decode())) == today

    simulated = await simulate_config(ctx, NEVER)
    assert [(difference.field, difference.why) for difference in simulated.differences] == [("industry", "no_data")]
    assert simulated.not_replayed == []


@pytest.mark.parametrize("newer", [FORMAT + 1, "2", None, True, -1])
def test_a_format_that_this_version_does_not_know_is_refused(newer: object) -> None:
    body = orjson.dumps({"format": newer, "layout": "unknown"}).decode()
    stored = StoredSnapshot("S", "R", "J", from_micros(1), body)
    for read in (stored.read, stored.summary):
        with pytest.raises(
            UnknownSnapshotFormat, match=f"decision snapshot of format {newer}; this version reads 0 to"
        ):
            read()


async def test_a_simulation_leaves_out_what_it_cannot_read_and_says_so(redis: ArqRedis) -> None:
    ctx = await decided(redis, "acme.com", "globex.com")
    newest = list(await bodies())[1]
    await store(newest, {"format": FORMAT + 1, "layout": "unknown"})
    simulated = await simulate_config(ctx, NEVER)
    assert simulated.not_replayed == [
        "1 of the decisions are left out: decision snapshot of format 2; this version reads 0 to 1"
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
