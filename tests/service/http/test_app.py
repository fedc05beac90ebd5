"""What every request meets: ids, limits, safe headers, problems, health, and what a page may do."""

import re
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from arq.connections import ArqRedis
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from enrichment.compiled import form
from enrichment.enums import BreakerState, OpenReason
from models.db.columns import new_id
from models.provider_state import change_state
from resolvers.context import Role
from service.app import create_app
from service.auth.shared_secret import development_token
from service.http.metrics import Metrics
from service.http.middleware import BodyLimitMiddleware, ProblemMiddleware, RequestMiddleware
from service.installation_settings import load_settings, settings_class
from service.logs.logs import redact, redact_text
from service.runtime import CannotStart, Runtime
from service.settings import Settings
from tests.support.factories import context, send
from workers.heartbeat import beat

SECRET = "a-secret-of-more-than-thirty-two-bytes"
LIMIT = 4096


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:
    return load_settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=redis_url,
        jwt_secret=SECRET,
        max_body_bytes=LIMIT,
    )


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with Runtime(settings) as opened:
        yield opened


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, as a USER of an organization of its own."""
    token = development_token(runtime.settings, organization_id=new_id(), role=Role.USER, user="ann", ttl_seconds=60)
    transport = httpx.ASGITransport(create_app(runtime))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as opened:
        yield opened


async def test_the_lifespan_opens_and_closes_the_runtime(settings: Settings) -> None:
    runtime = Runtime(settings)
    app = create_app(runtime)
    async with app.router.lifespan_context(app):
        assert runtime.is_open
        assert (await runtime.services.redis.ping()) is True
    assert not runtime.is_open


async def test_a_harmless_request_id_is_kept_and_any_other_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "trace-1.2:3_4"})
    assert kept.headers["X-Request-Id"] == "trace-1.2:3_4"
    for given in ("", "a b", "x" * 129, "<script>", "a;b"):
        made = await client.get("/healthz", headers={"X-Request-Id": given})
        assert re.fullmatch(r"[0-9a-f-]{36}", made.headers["X-Request-Id"])


async def test_a_problem_names_the_request(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"X-Request-Id": "trace-1"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["requestId"] == "trace-1"


@pytest.mark.parametrize("path", ["/nowhere", "/v1/auto-enrichment", "/static/", "/static/../settings.py"])
async def test_a_path_that_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_wrong_method_is_told_every_method_of_the_path(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/auto-enrichment/config")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "PATCH", "PUT"} <= set(answer.headers["Allow"].split(", "))


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


@pytest.mark.parametrize("path", ["/v1/auto-enrichment/records", "/graphql"])
@pytest.mark.parametrize("has_length", [True, False])
async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient, path: str, has_length: bool) -> None:
    body: Any = b" " * (LIMIT + 1024) if has_length else chunks(LIMIT + 1024)
    answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "PAYLOAD_TOO_LARGE" in answer.text
    assert "max" in answer.text


async def test_a_body_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    body = b'{"records": []}'.ljust(LIMIT)
    answer = await client.post(
        "/v1/auto-enrichment/records", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200


async def test_answers_carry_safe_headers_and_are_not_kept(client: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/v1/auto-enrichment/config", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "no-" in headers["Cache-Control"]


async def test_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/", "/graphql", "/v1/docs"):
        page = await client.get(path, headers={"Accept": "text/html"})
        assert page.headers["Content-Type"].startswith("text/html")
        loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](.+?)[\"']", page.text)
        loaded = [url for url in loaded if not url.startswith("data:")]
        assert not [url for url in loaded if "//" in url]
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy or "default-src 'none'" in policy
        for url in loaded:
            found = await client.get(str(httpx.URL(f"http://test{path}").join(url)))
            assert found.status_code == 200, url


async def test_healthz_needs_no_token(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["status"], answer.json()["decisions"]) == (200, "ok", form())


async def test_readyz_names_what_is_out(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.services.redis.flushall()
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    checks = {name: check["status"] for name, check in answer.json()["checks"].items()}
    assert checks == {"database": "ok", "redis": "ok", "worker": "failed"}
    await beat(runtime.services.redis, "worker-1")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_readyz_says_when_the_disk_of_the_embedded_stores_is_nearly_full(
    settings: Settings, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = settings.model_copy(update={"database_url": None})
    async with Runtime(embedded, migrates=True) as runtime:
        await beat(redis, "worker-1")
        transport = httpx.ASGITransport(create_app(runtime))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get("/readyz")).json()["checks"]["disk"] == {"status": "ok"}
            monkeypatch.setattr("service.http.health.LEAST_FREE_BYTES", 10**18)
            answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "nearly full" in answer.json()["checks"]["disk"]["detail"]


async def test_metrics_count_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/v1/auto-enrichment/jobs/no-such-id")
    await client.get("/made/up/1")
    await client.request("BREW", "/made/up/2")
    text = (await client.get("/metrics")).text
    assert 'route="/v1/auto-enrichment/jobs/{' in text
    assert 'method="other",route="unmatched",status="404"' in text
    assert "no-such-id" not in text
    assert "made" not in text
    assert 'auto_enrichment_jobs{status="pending"}' in text


async def test_metrics_tell_of_the_queue_of_breakers_and_of_the_work(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    ctx = context(runtime.services)
    await send(ctx, "account", "A1", domain="acme.com")
    broken = partial(replace, state=BreakerState.OPEN, reason=OpenReason.BAD_KEY)
    await change_state("acme", "apollo", broken, runtime.services.now())
    runtime.services.measures.job_ended("completed", "created", 0.2, 3)
    runtime.services.measures.provider_answered("directory", "match", 12, 2)
    text = (await client.get("/metrics")).text
    measured = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}
    assert measured["auto_enrichment_queue_oldest_seconds"] >= 0
    assert measured['auto_enrichment_queue_worst_jobs{rank="1"}'] == 1
    assert measured['auto_enrichment_queue_worst_jobs{rank="2"}'] == 0
    assert measured['auto_enrichment_provider_breakers_open{provider="apollo",reason="bad_key"}'] == 1
    assert measured['auto_enrichment_jobs_ended_total{outcome="completed",trigger="created"}'] == 1
    assert measured['auto_enrichment_provider_answers_total{outcome="match",provider="directory"}'] == 1
    assert measured['auto_enrichment_credits_charged_total{provider="directory"}'] == 2
    assert measured["auto_enrichment_fields_written_total"] == 3


async def test_metrics_can_be_switched_off(settings: Settings) -> None:
    runtime = Runtime(settings.model_copy(update={"metrics": False}))
    transport = httpx.ASGITransport(create_app(runtime))
    async with runtime, httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_a_bad_token_is_told_so_and_no_token_how(client: httpx.AsyncClient) -> None:
    path = "/v1/auto-enrichment/config"
    bad = await client.get(path, headers={"Authorization": "Bearer a.b.c"})
    assert bad.status_code == 401
    assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
    del client.headers["Authorization"]
    none = await client.get(path)
    assert none.status_code == 401
    assert none.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error" not in none.headers["WWW-Authenticate"]


@contextmanager
def captured_requests() -> Iterator[list[MutableMapping[str, Any]]]:
    """The events of the access log."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as events:
        yield events


async def test_a_request_is_one_log_line_without_its_query_or_token(client: httpx.AsyncClient) -> None:
    with captured_requests() as events:
        await client.get("/v1/auto-enrichment/stats?from=secret", headers={"X-Request-Id": "trace-1"})
    (event,) = [event for event in events if event["event"] == "request"]
    assert (event["method"], event["path"], event["request_id"]) == ("GET", "/v1/auto-enrichment/stats", "trace-1")
    assert event["organization"]
    assert "secret" not in str(event)
    assert client.headers["Authorization"] not in str(event)


def failing_app() -> Starlette:
    async def fail(_: Request) -> Response:
        raise RuntimeError("dsn postgres://enrich:hunter2@db/enrich")

    async def break_off(_: Request) -> Response:
        async def content() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("half way")

        return StreamingResponse(content())

    middleware = [
        Middleware(RequestMiddleware, metrics=Metrics("0"), tracer=None),
        Middleware(ProblemMiddleware),
        Middleware(BodyLimitMiddleware, max_bytes=LIMIT),
    ]
    return Starlette(routes=[Route("/fail", fail), Route("/half", break_off)], middleware=middleware)


async def test_a_defect_is_answered_with_a_problem_that_shows_nothing() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(failing_app()), base_url="http://test") as client:
        with captured_requests() as events:
            answer = await client.get("/fail")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "hunter2" not in answer.text
    assert [event["status"] for event in events if event["event"] == "request"] == [500]


async def test_an_answer_that_breaks_off_is_not_passed_for_whole() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(failing_app()), base_url="http://test") as client:
        with captured_requests(), pytest.raises(RuntimeError, match="half way"):
            await client.get("/half")


@pytest.mark.parametrize(
    "text",
    [
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln refused",
        "authorization: bearer c2ln",
        "cannot reach redis://user:c2ln@host:6379/0",
    ],
)
def test_log_lines_hide_tokens_and_passwords(text: str) -> None:
    assert "c2ln" not in redact_text(text)
    event = redact(None, "info", {"event": text, "nested": {"list": [text]}, "api_key": "c2ln", "ms": 1})
    assert "c2ln" not in str(event)
    assert event["ms"] == 1


async def test_an_old_schema_is_refused_with_what_to_do(tmp_path: Path, settings: Settings) -> None:
    empty = settings.model_copy(update={"database_url": SecretStr(f"sqlite://{tmp_path / 'empty.db'}")})
    with pytest.raises(CannotStart, match="auto-enrichment migrate"):
        await Runtime(empty).open()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"database_url": "postgresql://enrich:hunter2@127.0.0.1:1/enrich"}, "DATABASE_URL"),
        ({"redis_url": "redis://:hunter2@127.0.0.1:1/0"}, "REDIS_URL"),
        ({"provider_prices": {"nobody": 1}}, "PROVIDER_PRICES"),
        ({"directory_file": "/no/such/file.csv"}, "file.csv"),
    ],
)
async def test_what_keeps_the_service_from_starting_is_named(
    settings: Settings, changes: dict[str, Any], named: str
) -> None:
    given = {name: value for name, value in settings if value is not None}
    runtime = Runtime(settings_class()(**{**given, **changes}))
    with pytest.raises(CannotStart, match=named) as refusal:
        await runtime.open()
    assert "hunter2" not in str(refusal.value)
    assert not runtime.is_open


@pytest.mark.parametrize("path", ["/static/graphiql/page.js", "/v1/openapi.json"])
async def test_files_and_descriptions_are_packed_and_not_sent_twice(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path, headers={"Accept-Encoding": "gzip"})
    assert (first.status_code, first.headers["content-encoding"]) == (200, "gzip")
    again = await client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
