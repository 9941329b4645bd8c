from typing import Any

from cortex_stacks.args import Cluster, SplitterArgs
from cortex_stacks.splitter import program

IRIS = SplitterArgs(
    name="iris",
    namespace="default",
    stack="1a2b3c4d.default.splitter.iris",
    endpoint="/iris",
    weights={"a": 80, "b": 20},
    timeout=600.0,
    features=frozenset({"BackendTrafficPolicy"}),
)


def test_all_objects_belong_to_one_component(recorder: Any) -> None:
    recorder.run(program(Cluster(), IRIS))

    requests = recorder.requests
    assert requests["iris"].type == "cortex:splitter:TrafficSplitter"
    for name in ("iris-route", "iris-traffic-policy"):
        assert requests[name].parent.endswith("::iris")


def test_the_policy_is_there_before_the_route_is_followed(recorder: Any) -> None:
    recorder.run(program(Cluster(), IRIS))

    (first,) = recorder.requests["iris-route"].dependencies
    assert first.endswith("::iris-traffic-policy")
