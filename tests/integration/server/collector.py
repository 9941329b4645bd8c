"""A receiver of OpenTelemetry spans over HTTP, on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from integration.server.replica import wait_for
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


class Collector(ThreadingHTTPServer):
    """Keeps what exporters send; one that hangs takes requests and answers none."""

    daemon_threads = True

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.resource: dict[str, str] = {}
        self.spans: list[Any] = []
        self.end = threading.Event()
        if not hangs:
            self.end.set()

    @property
    def env(self) -> dict[str, str]:
        """What an API needs in its environment to send its spans here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_port}"}

    def span(self, name: str, parent: Any = None, **attributes: Any) -> Any:
        """The span of a name with this parent and attributes, waited for."""

        def found() -> Any:
            return [
                span
                for span in list(self.spans)
                if span.name == name
                and (parent is None or span.parent_span_id == parent.span_id)
                and attributes.items() <= attributes_of(span).items()
            ]

        (span,) = wait_for(f"a span {name} with {attributes}", found)
        return span


def attributes_of(span: Any) -> dict[str, Any]:
    """Attributes by the last part of their names."""
    return {
        each.key.rpartition(".")[2]: getattr(
            each.value, each.value.WhichOneof("value") or "string_value"
        )
        for each in span.attributes
    }


@contextmanager
def collecting(*, hangs: bool = False) -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector(hangs=hangs)
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.end.set()
        collector.shutdown()
        collector.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.end.wait()
        message = ExportTraceServiceRequest.FromString(body)
        for group in message.resource_spans:
            self.server.resource = {
                each.key: each.value.string_value for each in group.resource.attributes
            }
            for scope in group.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """No news."""
