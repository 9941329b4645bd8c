import json

from fakes import FakeTarget, Run

from cortex_sdk._target import Metrics, Replicas
from cortex_sdk._traffic import Traffic
from cortex_sdk.errors import TargetError


def test_lists_apis_in_aligned_columns(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris")
    target.with_api("a-long-name", status="updating", replicas=Replicas(3, 1))

    result = cortex("get")

    assert result.code == 0
    assert result.out.splitlines() == [
        "NAME          STATUS       REPLICAS   REVISION       ENDPOINT",
        "iris          ● live       1/1        a1b2c3d4e5f6   http://h/iris",
        "a-long-name   ● updating   1/3        a1b2c3d4e5f6   http://h/a-long-name",
    ]


def test_a_splitter_shows_where_requests_go(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris-a")
    target.with_api("iris", traffic=Traffic({"iris-a": 100}, {"iris-c": 10}))

    head, api, splitter = cortex("get").out.splitlines()
    alone = cortex("get", "iris").out

    assert (
        head == "NAME     STATUS   REPLICAS   REVISION       ENDPOINT          TRAFFIC"
    )
    assert api == "iris-a   ● live   1/1        a1b2c3d4e5f6   http://h/iris-a"
    assert splitter.endswith("http://h/iris     100% iris-a · copies of 10% iris-c")
    assert "traffic     100% iris-a\ncopies      10% iris-c\n" in alone


def test_a_long_endpoint_is_not_cut_off_in_a_pipe(
    cortex: Run, target: FakeTarget
) -> None:
    endpoint = "http://h/" + "long/" * 60
    target.with_api("iris", endpoint=endpoint)

    assert cortex("get").out.splitlines()[1].endswith(endpoint)


def test_a_reason_is_shown_in_its_first_line(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris", status="error", reason="out of memory\nmore")

    head, row = cortex("get").out.splitlines()

    assert head.endswith("REASON")
    assert row.endswith("out of memory")


def test_no_apis_is_told_apart_from_the_data(cortex: Run, target: FakeTarget) -> None:
    result = cortex("get")

    assert (result.code, result.out) == (0, "")
    assert result.err == "no APIs on local; deploy one: cortex deploy app.py\n"


def test_json_is_a_list(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris", reason="because")

    result = cortex("get", "-o", "json")

    assert json.loads(result.out) == [
        {
            "name": "iris",
            "target": "local",
            "endpoint": "http://h/iris",
            "status": "live",
            "reason": "because",
            "revision": "a1b2c3d4e5f6",
            "traffic": None,
            "replicas": {"desired": 1, "live": 1},
        }
    ]
    assert (
        json.loads(cortex("get", "iris", "-o", "json").out)
        == (json.loads(result.out)[0])
    )


def test_json_of_no_apis_is_an_empty_list(cortex: Run, target: FakeTarget) -> None:
    result = cortex("get", "-o", "json")

    assert (json.loads(result.out), result.err) == ([], "")


def test_one_api_is_shown_in_full(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris", reason="a replica restarts")
    target.counted = Metrics(
        requests={"200": 12, "404": 1},
        in_flight=2,
        latency={"p50": 0.0031, "p99": 1.5},
        hooks={"accepted": 0, "run": 0},
    )

    result = cortex("get", "iris")

    assert result.out.splitlines() == [
        "name        iris",
        "status      ● live",
        "reason      a replica restarts",
        "endpoint    http://h/iris",
        "replicas    1 of 1 live",
        "revision    a1b2c3d4e5f6",
        "target      local",
        "requests    12 × 200 · 1 × 404",  # noqa: RUF001  # means times
        "in flight   2",
        "latency     p50 3.1 ms · p99 1.5 s",
    ]


def test_an_api_without_a_replica_to_ask_is_shown_all_the_same(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris", status="error", replicas=Replicas(1, 0), revision="")
    target.counted = TargetError("no replica answers")

    result = cortex("get", "iris")

    assert result.code == 0
    assert result.out.splitlines()[-2:] == ["revision   none", "target     local"]


def test_a_mistyped_name_gets_the_nearest_one(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris").with_api("digits")

    result = cortex("get", "irsi")

    assert (result.code, result.out) == (1, "")
    assert result.err == "there is no API 'irsi' on local; did you mean 'iris'?\n"


def test_a_name_like_no_other_gets_the_way_to_all(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("digits")

    result = cortex("get", "xyz")

    assert result.err == "there is no API 'xyz' on local; see `cortex get`\n"
