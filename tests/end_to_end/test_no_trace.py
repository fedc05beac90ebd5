"""After an erasure no value of the record stands anywhere: not in the database's bytes, Redis, files or logs."""

import asyncio
import json
from pathlib import Path

import httpx
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from enrichment.enums import EntityType, JobStatus, ResolutionAction
from models.conflict.queries import ConflictFilter
from models.db import connection
from models.job import Job
from providers.api import ProviderError
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.context import Role
from resolvers.cost.estimate import estimate_enrichment
from resolvers.erasure.api import erase_record
from resolvers.events.publisher import CHANNEL
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.paging import PageArgs
from resolvers.record.explain import explain
from resolvers.undo.api import undo_job
from service.auth.shared_secret import development_token
from service.installation_settings import load_settings
from tests.support.canaries import (
    ANSWER,
    EMAIL,
    EXTERNAL_ID,
    FIELDS,
    NOTE,
    SOUGHT,
    redis_texts,
    stored_texts,
    traces_in,
)
from tests.support.factories import StandIn, configure, context, send, services, work
from tests.support.processes import serving
from tests.support.standin_server import json_reply, standin_server
from tests.support.waiting import PATIENCE_SECONDS, wait_until

LEAD = EntityType.LEAD


def files_of(database_url: str) -> list[bytes]:
    """The raw bytes of SQLite's files."""
    path = database_url.removeprefix("sqlite://").split("?")[0]
    return [Path(name).read_bytes() for name in (path, f"{path}-wal", f"{path}-shm") if Path(name).exists()]


async def _collect_notices(redis: ArqRedis, notices: list[str]) -> None:
    async with redis.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        while True:
            message = await channel.get_message(timeout=1)
            if message is not None:
                notices.append(str(message))


async def test_no_trace_in_the_stores_and_the_logs(redis: ArqRedis, db: str) -> None:
    quoting = ProviderError("rejected", f"nobody is called {EMAIL} or Quetzallast", retryable=False)
    provider = StandIn(id="paid", price=2, remote=True, keeps_days=30, knows={"quetzalcompany.com": ANSWER})
    ctx = context(services(redis, provider))
    notices: list[str] = []
    listening = asyncio.create_task(_collect_notices(redis, notices))
    with capture_logs() as logs:
        await configure(ctx, cooldownHours=0)
        await send(ctx, "lead", "L-2", lastName="Ng", email="ng@other.com")
        await work(ctx.services)
        provider.fails.append(quoting)
        sent = await send(ctx, "lead", EXTERNAL_ID, **FIELDS)
        assert sent.job is not None
        await work(ctx.services)
        await retry_job(ctx, sent.job.id)
        await work(ctx.services)
        assert (await Job.get(id=sent.job.id)).status is JobStatus.COMPLETED
        for conflict in (await list_conflicts(ctx, ConflictFilter(external_id=EXTERNAL_ID), PageArgs())).items:
            choice = Resolution(ResolutionAction.ACCEPT_CANDIDATE, note=NOTE)
            await resolve_conflict(ctx, conflict.id, choice)
        selection = RecordSelection(LEAD, external_ids=(EXTERNAL_ID,))
        await estimate_enrichment(ctx, selection, force=True)
        await enrich_records(ctx, selection, force=True)
        await work(ctx.services)
        await explain(ctx, LEAD, EXTERNAL_ID, "title")
        await undo_job(ctx, sent.job.id)
        await send(ctx, "lead", EXTERNAL_ID, email="quetzal.second@quetzalwork.com")

        assert traces_in(await stored_texts()) == set(SOUGHT)
        if connection.dialect() == "sqlite":
            assert traces_in(files_of(db)) == set(SOUGHT)

        await erase_record(ctx, LEAD, EXTERNAL_ID, reason="Art. 17 GDPR")
        await work(ctx.services)
        assert (await send(ctx, "lead", EXTERNAL_ID, **FIELDS)).error is not None
        assert (await send(ctx, "contact", "C-1", email="quetzal.second@quetzalwork.com")).error is not None

    listening.cancel()
    assert traces_in(await stored_texts()) == set()
    if connection.dialect() == "sqlite":
        assert traces_in(files_of(db)) == set()
    assert notices != []
    assert traces_in([*notices, *await redis_texts(redis)]) == set()
    assert traces_in(map(str, logs)) == set()
    assert await Job.filter(record__external_id="L-2").count() == 1


def _files_below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def _described(folder: Path, address: str) -> Path:
    fields = {name: name for name in ANSWER}
    described = {
        "id": "inhouse",
        "name": "In-house",
        "entityTypes": ["lead"],
        "request": {"url": f"{address}/person?mail={{email}}"},
        "fields": fields,
        "price": 2,
        "confidence": 0.9,
    }
    path = folder / "inhouse.json"
    path.write_text(json.dumps(described), "utf-8")
    return path


def _wait_until_ended(client: httpx.Client, job_id: str) -> None:
    wait_until(lambda: client.get(f"/jobs/{job_id}").json()["finishedAt"], "the job did not end")


def test_no_trace_of_a_real_service_over_http(tmp_path: Path) -> None:
    with standin_server() as server:
        server.script("/person", json_reply({"error": "try later"}, 503), json_reply(ANSWER))
        settings = {
            "AUTO_ENRICHMENT_LOG_LEVEL": "debug",
            "AUTO_ENRICHMENT_DESCRIBED_PROVIDERS": str(_described(tmp_path, server.url)),
            "AUTO_ENRICHMENT_SHUTDOWN_SECONDS": "1",
        }
        with serving(data_dir=tmp_path / "data", settings=settings) as service:
            address = service.address()
            given = load_settings(data_dir=tmp_path / "data", jwt_secret=None)
            token = development_token(given, organization_id="acme", role=Role.ADMIN, user="ann", ttl_seconds=600)
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(
                base_url=f"{address}/v1/auto-enrichment", headers=headers, timeout=PATIENCE_SECONDS
            ) as client:
                client.patch("/config", json={"backoff": {"initialSeconds": 1, "maxSeconds": 1}})
                sent = {"entityType": "lead", "externalId": EXTERNAL_ID, "fields": FIELDS}
                broken = {"entityType": "lead", "externalId": "L-2", "fields": {"email": f"{EMAIL} {EMAIL}x"}}
                results = client.post("/records", json={"records": [sent, broken]}).json()["results"]
                _wait_until_ended(client, results[0]["jobId"])
                conflicts = client.get("/conflicts", params={"status": "open"}).json()
                assert conflicts
                for conflict in conflicts:
                    body = {"action": "custom_value", "value": f"{FIELDS['title']} again", "note": NOTE}
                    client.put(f"/conflicts/{conflict['id']}/resolve", json=body)
                assert httpx.get(f"{address}/healthz").status_code == 200
                # What goes wrong must not tell of it either.
                client.get(f"/records/lead/{EXTERNAL_ID}")
                client.get(f"/record/lead/{EXTERNAL_ID}")
                client.get(f"/jobs/{EXTERNAL_ID}")
                client.post("/records", content=json.dumps(FIELDS)[:-5])
                httpx.post(
                    f"{address}/graphql",
                    headers=headers,
                    json={"query": f'{{ record(entityType: LEAD, externalId: "{EXTERNAL_ID}x") {{ id nope }} }}'},
                )
                assert len(server.calls_to("/person")) >= 2
                assert traces_in(_files_below(tmp_path / "data")) == set(SOUGHT)

                erased = client.delete(f"/records/lead/{EXTERNAL_ID}", params={"reason": "Art. 17 GDPR"})
                others = [{"entityType": "lead", "externalId": "L-2"}]  # its cell cannot be read, and holds the address
                assert (erased.status_code, erased.json()["others"]) == (200, others)
                assert client.delete(f"/records/lead/{EXTERNAL_ID}").status_code == 404
                client.delete("/records/lead/L-2")
                [again] = client.post("/records", json={"records": [sent]}).json()["results"]
                assert again["error"]["code"] == "ERASED"
                assert traces_in(_files_below(tmp_path / "data")) == set()
            assert service.stop() == 0
        assert traces_in(_files_below(tmp_path / "data")) == set()
        assert "/v1/auto-enrichment/records/{entityType}/{externalId}" in service.text
        assert "debug" in service.text  # the level is on
        assert traces_in([service.text]) == set()
