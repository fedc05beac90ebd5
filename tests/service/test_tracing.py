"""A collector is sent one trace: the request, the job that it started, the call to a provider for that job."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from arq.connections import ArqRedis
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from resolvers.tracing import keep_parent, parents_of
from service import settings as settings_module
from service.app import create_app
from service.installation_settings import load_settings
from service.settings import BadSettings
from service.tracing import OpenTelemetry
from tests.support.factories import StandIn, services, work
from tests.support.rest_client import SECRET, Rest, StartedRuntime

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"  # the example of the standard


class Collector(BaseHTTPRequestHandler):
    """Takes traces as an OpenTelemetry collector does."""

    spans: list[Span]

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        self.spans += [span for of in sent.resource_spans for scope in of.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    spans: list[Span] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Collects", (Collector,), {"spans": spans}))
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield spans
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("given", [GIVEN, None, "nonsense"])
async def test_a_request_its_job_and_its_call_are_one_trace(
    redis: ArqRedis, collected: list[Span], given: str | None
) -> None:
    paid = StandIn(id="paid", remote=True, knows={"ann@acme.example": {"city": "Berlin"}})
    shared = services(redis, paid)
    runtime = StartedRuntime(shared, load_settings(jwt_secret=SECRET, tracing=True))
    assert isinstance(runtime.tracer, OpenTelemetry)
    shared.tracer = runtime.tracer
    rest = Rest(shared, app=create_app(runtime))
    lead = {"entityType": "lead", "externalId": "L1", "fields": {"email": "ann@acme.example"}}
    await rest.post("/records", json={"records": [lead]}, headers={"traceparent": given} if given else {})
    await work(shared)
    await runtime.tracer.close()

    by_name = {span.name: span for span in collected}
    request, job, call = (by_name[name] for name in ("POST /v1/auto-enrichment/records", "job", "provider call"))
    assert len({span.trace_id for span in (request, job, call)}) == 1
    assert (job.parent_span_id, call.parent_span_id) == (request.span_id, job.span_id)
    if given == GIVEN:
        assert (request.trace_id.hex(), request.parent_span_id.hex()) == tuple(GIVEN.split("-")[1:3])
    else:
        assert not request.parent_span_id
    said = {each.key: each.value.string_value or each.value.int_value for span in collected for each in span.attributes}
    assert (
        said.items()
        >= {
            "http.response.status_code": 200,
            "job.status": "completed",
            "outcome": "match",
            "provider": "paid",
            "organization": "acme",
        }.items()
    )
    assert "ann" not in str(said)


async def test_without_a_tracer_redis_keeps_nothing_of_traces(redis: ArqRedis) -> None:
    await keep_parent(redis, ["job"])
    assert await redis.keys("*") == []
    assert await parents_of(redis, ["job"]) == {}


def _parent_missing(name: str) -> None:
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("looked_for", [lambda _: None, _parent_missing])
def test_what_is_missing_for_traces_is_named(monkeypatch: pytest.MonkeyPatch, looked_for: Any) -> None:
    monkeypatch.setattr(settings_module, "find_spec", looked_for)
    with pytest.raises(BadSettings, match=r"pip install 'auto-enrichment\[tracing\]'"):
        load_settings(tracing=True)
