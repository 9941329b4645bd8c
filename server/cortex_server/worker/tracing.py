"""Whether predictions are traced, as the usual OTEL_ variables say.

Nothing of OpenTelemetry is imported where they say nothing.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from cortex_server.worker.spans import Tracing

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


@cache
def tracing_for(api: str, revision: str, replica: str) -> "Tracing | None":
    """What traces predictions in this process, None where nothing does."""
    variable = endpoint_in(os.environ)
    if variable is None:
        return None
    if reason := _hindrance(os.environ):
        structlog.get_logger().error(f"traces are off: `{variable}` is set, {reason}")
        return None
    from cortex_server.worker.spans import Tracing  # noqa: PLC0415  # an extra

    return Tracing(api, revision, replica)


def endpoint_in(environ: Mapping[str, str]) -> str | None:
    """The variable that says where traces go to, None where they go nowhere."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")
    if is_off or "otlp" not in [exporter.strip() for exporter in exporters]:
        return None
    return next((name for name in _ENDPOINTS if environ.get(name)), None)


def _hindrance(environ: Mapping[str, str]) -> str | None:
    protocol = next(
        (environ[name] for name in _PROTOCOLS if environ.get(name)), _SPOKEN
    )
    if protocol != _SPOKEN:
        return f"but for the protocol {protocol}; only {_SPOKEN} is spoken"
    try:
        import opentelemetry.exporter.otlp.proto.http  # noqa: PLC0415  # is it there?
        import opentelemetry.sdk.trace  # noqa: F401, PLC0415  # same
    except ImportError:
        return "but OpenTelemetry is not installed; install `cortex-sdk[otel]`"
    return None
