import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cortex_server.worker.tracing import endpoint_in, tracing_for

ALL = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
ADDRESS = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, None),
        ({ALL: ""}, None),
        ({ALL: ADDRESS}, ALL),
        ({ALL: ADDRESS, TRACES: ADDRESS}, TRACES),
        ({ALL: ADDRESS, "OTEL_SDK_DISABLED": "True"}, None),
        ({ALL: ADDRESS, "OTEL_SDK_DISABLED": "false"}, ALL),
        ({ALL: ADDRESS, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({ALL: ADDRESS, "OTEL_TRACES_EXPORTER": "console, otlp"}, ALL),
    ],
)
def test_traces_go_where_the_usual_variables_say(
    environ: dict[str, str], variable: str | None
) -> None:
    assert endpoint_in(environ) == variable


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the log hears, with an endpoint in the environment."""
    monkeypatch.setenv(ALL, ADDRESS)
    tracing_for.cache_clear()
    with structlog.testing.capture_logs() as lines:
        yield lines
    tracing_for.cache_clear()


def test_a_protocol_that_is_not_spoken_is_told_and_no_error(
    told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    assert tracing_for("iris", "abc", "one") is None
    (line,) = told
    assert line["event"] == (
        f"traces are off: `{ALL}` is set, but for the protocol grpc; only http/protobuf"
        " is spoken"
    )


@pytest.mark.parametrize(
    "missing", ["opentelemetry.exporter.otlp.proto.http", "opentelemetry.sdk.trace"]
)
def test_a_missing_extra_is_told_by_name_and_no_error(
    told: list[Any], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    assert tracing_for("iris", "abc", "one") is None
    assert tracing_for("iris", "abc", "one") is None
    (line,) = told
    assert line["event"] == (
        f"traces are off: `{ALL}` is set, but OpenTelemetry is not installed; install"
        " `cortex-sdk[otel]`"
    )
