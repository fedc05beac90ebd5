"""Traces by OpenTelemetry, which the extra `tracing` installs and which its own variables (OTEL_…) set up."""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from resolvers.tracing import Attributes, Kind, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as MadeSpan

NAME = "auto-enrichment"
_NAME_VARIABLE = "OTEL_SERVICE_NAME"
_CLOSE_SECONDS = 5.0  # to send what is left


class OpenTelemetry(Tracer):
    """Makes spans and sends them from a thread of its own. `exporter`: where to; default: by OTLP over HTTP."""

    def __init__(self, version: str, exporter: "SpanExporter | None" = None) -> None:
        # Of an optional extra, and a tenth of a second of every start.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace import Link, SpanKind, get_current_span  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        known = {SERVICE_NAME: os.environ.get(_NAME_VARIABLE) or NAME, SERVICE_VERSION: version}
        self._provider = TracerProvider(resource=Resource.create(known))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(NAME, version)
        self._extract = TraceContextTextMapPropagator().extract
        self._current, self._link = get_current_span, Link
        self._kinds = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER, "client": SpanKind.CLIENT}

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None, links: Sequence[str] = ()
    ) -> Span:
        """A span that begins now. A `parent` or link that is no traceparent counts as none."""
        made = self._tracer.start_span(
            name,
            self._extract({"traceparent": parent} if parent else {}),
            self._kinds[kind],
            dict(attributes),
            [self._link(self._current(self._extract({"traceparent": link})).get_span_context()) for link in links],
        )
        return _Span(made)

    async def close(self) -> None:
        """Send what is left, within a few seconds."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.to_thread(self._provider.shutdown)
        except TimeoutError:
            pass


class _Span(Span):
    def __init__(self, made: "MadeSpan") -> None:
        self._made = made
        context = made.get_span_context()
        self._traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    @property
    def traceparent(self) -> str:
        return self._traceparent

    def note(self, attributes: Attributes) -> None:
        self._made.set_attributes(dict(attributes))

    def end(self, name: str | None = None) -> None:
        if self._made.is_recording():
            if name is not None:
                self._made.update_name(name)
            self._made.end()
