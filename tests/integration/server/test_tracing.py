import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.server.collector import Collector, attributes_of, collecting
from integration.server.replica import (
    GATE,
    Replica,
    receive_response,
    request_bytes,
    running,
)

from cortex_server.manifest import Batching, PostPredict, PredictorModule

ERROR = 2
SERVER = 2
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=x"}
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "10"}
SOURCE = (
    GATE
    + """
from opentelemetry import trace

tracer = trace.get_tracer("mine")

def given(): pass

class P:
    def predict(self, payload, query_params, headers):
        if "gate" in query_params:
            wait_at(query_params["gate"])
        with tracer.start_as_current_span("inner"):
            if payload == "bad":
                raise ValueError("bad")
        return dict(headers)

    def post_predict(self):
        with tracer.start_as_current_span("inner hook"):
            pass
"""
)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def replica(collector: Collector) -> Iterator[Replica]:
    given = PredictorModule(module="app", qualname="given")
    with running(
        SOURCE,
        env=collector.env | OFTEN,
        post_predict=PostPredict(hooks=(given,)),
        max_replica_concurrency=2,
        timeout=2.0,
    ) as replica:
        yield replica


def post(replica: Replica, name: str, payload: str = "good", **headers: str) -> int:
    """Predict; the span will have the name as its request id."""
    headers = {"x-request-id": name, **headers}
    return replica.client.post("/", json=payload, headers=headers).status_code


@pytest.mark.parametrize("way", ["short", "long"])
def test_a_prediction_is_a_child_of_its_caller_and_has_children(
    replica: Replica, collector: Collector, way: str
) -> None:
    plain = request_bytes(
        b"1",
        "content-type: application/json",
        f"x-request-id: {way}",
        *(f"{name}: {value}" for name, value in PARENT.items()),
        *(["connection: keep-alive"] if way == "long" else []),
    )
    with replica.connect() as connection:
        connection.sendall(plain)
        assert receive_response(connection)[0] == 200

    span = collector.span("test", request_id=way, status_code=200)
    predict = collector.span("predict", span)
    hook = collector.span("post_predict", span)
    family = [
        *(span, predict, hook),
        *(collector.span("inner", predict), collector.span("inner hook", hook)),
        collector.span("given", span),
    ]
    assert {each.trace_id.hex() for each in family} == {TRACE}
    assert span.kind == SERVER
    assert span.parent_span_id.hex() == CALLER
    assert span.trace_state == "vendor=x"
    assert span.start_time_unix_nano <= predict.start_time_unix_nano
    assert predict.end_time_unix_nano <= span.end_time_unix_nano


def test_resources_are_named_after_the_replica(
    replica: Replica, collector: Collector
) -> None:
    post(replica, "named")

    collector.span("test", request_id="named")
    revision = replica.client.get("/").json()["revision"]
    named = {"name": "test", "version": revision, "instance.id": "local"}
    wanted = {f"service.{part}": value for part, value in named.items()}
    assert wanted.items() <= collector.resource.items()


def test_the_user_and_the_log_see_the_span_in_the_place_of_the_caller(
    replica: Replica, collector: Collector
) -> None:
    headers = {"x-request-id": "seen", **PARENT}
    seen = replica.client.post("/", json="good", headers=headers).json()

    span = collector.span("test", request_id="seen")
    assert seen["traceparent"] == f"00-{TRACE}-{span.span_id.hex()}-01"
    assert seen["tracestate"] == "vendor=x"


def test_a_trace_begins_where_the_caller_has_none_and_is_in_the_log(
    replica: Replica, collector: Collector
) -> None:
    assert post(replica, "own", "bad") == 500

    span = collector.span("test", request_id="own")
    assert not span.parent_span_id
    line = replica.logged(event="predict failed", request_id="own")
    assert line["trace_id"] == span.trace_id.hex()


def test_an_exception_is_told_where_it_happened(
    replica: Replica, collector: Collector
) -> None:
    assert post(replica, "broken", "bad") == 500

    span = collector.span("test", request_id="broken", status_code=500)
    predict = collector.span("predict", span)
    assert (span.status.code, predict.status.code) == (ERROR, ERROR)
    assert attributes_of(predict.events[0])["message"] == "bad"


def test_a_call_that_is_not_sampled_is_not_sent(
    replica: Replica, collector: Collector
) -> None:
    unwanted = PARENT["traceparent"].removesuffix("01") + "00"
    assert post(replica, "unwanted", traceparent=unwanted) == 200
    post(replica, "wanted")

    collector.span("test", request_id="wanted")
    ids = [attributes_of(span).get("request_id") for span in collector.spans]
    assert "unwanted" not in ids


def test_refused_late_and_left_predictions_have_spans_too(
    replica: Replica, collector: Collector
) -> None:
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(
            replica.client.post, "/?gate=g", headers={"x-request-id": "late"}
        )
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        with replica.connect() as connection:
            connection.sendall(request_bytes(b"", "x-request-id: left"))
            replica.wait_for_metric("cortex_in_flight_requests", 2)
            assert post(replica, "refused") == 503
        assert late.result().status_code == 504
    replica.open_gate("g")

    for name, status in (("late", 504), ("left", 499), ("refused", 503)):
        span = collector.span("test", request_id=name, status_code=status)
        assert (span.status.code == ERROR) == (status >= 500)


STREAMS = """
class P:
    {kind} predict(self):
        yield "a"
        yield "b"
        {end}
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("end", ["", "raise ValueError('broken off')"])
def test_the_spans_of_a_stream_end_with_it(kind: str, end: str) -> None:
    source, headers = STREAMS.format(kind=kind, end=end), {"x-request-id": "streamed"}
    with (
        collecting() as collector,
        running(source, env=collector.env | OFTEN) as replica,
    ):
        if end:
            with pytest.raises(Exception, match=r"closed|incomplete"):
                replica.client.post("/", headers=headers)
        else:
            assert "b" in replica.client.post("/", headers=headers).text

        span = collector.span("test", request_id="streamed")
        predict = collector.span("predict", span)
        assert predict.end_time_unix_nano <= span.end_time_unix_nano
        assert (predict.status.code == ERROR) == bool(end)


def test_coroutines_side_by_side_keep_to_their_own_spans() -> None:
    source = SOURCE.replace("def predict", "async def predict").replace(
        "wait_at(query", "await await_at(query"
    )
    with (
        collecting() as collector,
        running(source, env=collector.env | OFTEN) as replica,
        ThreadPoolExecutor(4) as pool,
    ):
        held = [
            pool.submit(
                replica.client.post, "/?gate=g", headers={"x-request-id": str(number)}
            )
            for number in range(4)
        ]
        replica.wait_for_metric("cortex_in_flight_requests", 4)
        replica.open_gate("g")
        assert [each.result().status_code for each in held] == [200] * 4
        replica.terminate()
        assert replica.wait() == 0

    by_trace: dict[bytes, list[str]] = {}
    for span in collector.spans:
        by_trace.setdefault(span.trace_id, []).append(span.name)
    names = sorted(["test", "predict", "inner", "post_predict", "inner hook"])
    assert [sorted(each) for each in by_trace.values()] == [names] * 4


@pytest.mark.parametrize("kind", ["", "async "])
def test_a_batch_has_a_trace_of_its_own_with_links_to_its_predictions(
    kind: str,
) -> None:
    wait = "await await_at" if kind else "wait_at"
    source = f"""{GATE}
class P:
    {kind}def predict_batch(self, payload):
        {wait}("open")
        return payload
"""
    with (
        collecting() as collector,
        running(
            source,
            env=collector.env | OFTEN,
            batching=Batching(max_batch_size=8, batch_interval=1.0),
        ) as replica,
        ThreadPoolExecutor(4) as pool,
    ):
        first = pool.submit(post, replica, "first")
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        names = [str(number) for number in range(3)]
        others = [pool.submit(post, replica, name) for name in names]
        replica.wait_for_metric("cortex_in_flight_requests", 4)
        replica.open_gate("open")
        assert [each.result() for each in [first, *others]] == [200] * 4

        spans = [collector.span("test", request_id=name) for name in names]
        alone = collector.span("test", request_id="first")
        assert collector.span("predict_batch", alone).links == []
        (batch,) = [each for each in collector.spans if each.links]
        assert {link.span_id for link in batch.links} == {s.span_id for s in spans}
        assert not batch.parent_span_id


def test_a_trace_goes_on_in_another_process() -> None:
    late = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with (
        collecting() as collector,
        running(SOURCE, env=collector.env | late, processes_per_replica=2) as replica,
    ):
        assert post(replica, "shared", **PARENT) == 200
        replica.terminate()
        assert replica.wait() == 0

        span = collector.span("test", request_id="shared")
        assert span.parent_span_id.hex() == CALLER
        predict = collector.span("predict", span)
        collector.span("inner", predict)
        collector.span("post_predict", span)


def test_what_was_not_sent_yet_is_sent_when_the_replica_ends() -> None:
    late = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with collecting() as collector:
        with running(SOURCE, env=collector.env | late) as replica:
            post(replica, "last")
            assert not collector.spans
            replica.terminate()
            assert replica.wait() == 0

        assert collector.span("test", request_id="last")


@pytest.mark.parametrize("how", ["closed", "hangs"])
def test_a_collector_that_fails_hurts_no_request_and_no_end(how: str) -> None:
    with collecting(hangs=True) as collector:
        env = collector.env | OFTEN
        if how == "closed":
            with socket.create_server(("127.0.0.1", 0)) as server:
                address = f"http://127.0.0.1:{server.getsockname()[1]}"
            env["OTEL_EXPORTER_OTLP_ENDPOINT"] = address
        with running(SOURCE, env=env) as replica:
            assert [post(replica, str(number)) for number in range(50)] == [200] * 50
            began = time.monotonic()
            replica.terminate()
            assert replica.wait() == 0
            assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "env",
    [
        {},
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_SDK_DISABLED": "true",
        },
    ],
)
def test_nothing_of_it_is_there_where_nobody_asks(env: dict[str, str]) -> None:
    source = """
import sys
class P:
    def predict(self, headers):
        return [name for name in sys.modules if "opentelemetry" in name], dict(headers)
"""
    with running(source, env=env) as replica:
        modules, headers = replica.client.post("/", headers=PARENT).json()

        assert modules == []
        assert PARENT.items() <= headers.items()
