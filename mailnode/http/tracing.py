"""Spans for an OpenTelemetry collector, over HTTP: https://opentelemetry.io/docs/specs/otlp/.

Nobody imports this where `[traces]` is not configured: the libraries are an extra, `mailnode[otel]`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from mailnode.clock import Clock
from mailnode.config import TracesAt
from mailnode.traces import Span

_SECONDS_MAX = 5  # for the collector to take a batch; then it is dropped
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Tracing:
    """A thread of the library's sends what is told in batches; beyond its queue spans are dropped."""

    def __init__(self, at: TracesAt, hostname: str, clock: Clock) -> None:
        headers = {"authorization": at.authorization} if at.authorization else {}
        exporter = OTLPSpanExporter(at.endpoint, headers=headers, timeout=_SECONDS_MAX)
        self._processor: Any = BatchSpanProcessor(exporter)
        self._resource = Resource.create(
            {"service.name": "mailnode", "service.version": version("mailnode"), "host.name": hostname}
        )
        self._scope = InstrumentationScope("mailnode", version("mailnode"))
        self._clock = clock

    def tell(self, span: Span) -> None:
        whole = _context(span.transaction, span.transaction[8:])
        part = whole if span.whole else _context(span.transaction, self._clock.random(8))
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context=part,
                parent=None if span.whole else whole,
                resource=self._resource,
                attributes=dict(span.attributes),
                kind=SpanKind.SERVER if span.whole else SpanKind.INTERNAL,
                status=Status(StatusCode.OK if span.well else StatusCode.ERROR),
                start_time=span.began * 1000,
                end_time=span.ended * 1000,
                instrumentation_scope=self._scope,
            )
        )

    def stop(self) -> None:
        """What was told is sent first, if the collector takes it. Blocking."""
        self._processor.shutdown()


def _context(transaction: bytes, span: bytes) -> SpanContext:
    return SpanContext(int.from_bytes(transaction, "big"), int.from_bytes(span, "big"), False, _SAMPLED)
