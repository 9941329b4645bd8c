from dataclasses import replace
from typing import Any

import pytest
from fake_cluster import FakeCluster

from cortex_sdk import Kubernetes, NotFoundError, TrafficSplitter, UnsupportedError
from cortex_sdk._target import Replicas, Status
from cortex_sdk.errors import DeployError
from cortex_sdk.kubernetes import changing, splitter, watching
from cortex_sdk.kubernetes.opened import Opened
from cortex_sdk.kubernetes.platform.found import Found, Part
from cortex_stacks.args import SplitterArgs
from cortex_stacks.labels import labels
from cortex_stacks.splitter.manifests import resources

_ROUTE = ("gateway.networking.k8s.io/v1", "HTTPRoute")
FEATURES = frozenset(
    {
        "BackendTrafficPolicy",
        "HTTPRouteRequestMirror",
        "HTTPRouteRequestPercentageMirror",
        "HTTPRouteResponseHeaderModification",
    }
)
IRIS = SplitterArgs(
    name="iris",
    namespace="default",
    stack="01234567.default.splitter.iris",
    endpoint="/iris",
    weights={"a": 80, "b": 20},
    shadow={"c": 10},
    timeout=60.0,
    features=FEATURES,
)


@pytest.fixture
def cluster() -> FakeCluster:
    fake = FakeCluster()
    fake.know(*_ROUTE, "httproutes", namespaced=True)
    return fake


def opened(cluster: FakeCluster) -> Opened:
    nothing: Any = None
    return Opened(Kubernetes(), nothing, cluster.access)


def put(cluster: FakeCluster, args: SplitterArgs) -> None:
    route = resources(args)["route"]
    metadata = route["metadata"]
    cluster.add(
        *_ROUTE,
        args.name,
        args.namespace,
        labels=metadata["labels"],
        annotations=metadata["annotations"],
        spec=route["spec"],
    )


def there(version: str = "1.9.0") -> Found:
    return Found(
        kubernetes="1.36.3",
        gateway_api=Part("1.6.1", ""),
        envoy_gateway=Part(version, ""),
        keda=None,
        metrics=None,
        gateway=None,
    )


def refusal(features: frozenset[str], version: str = "1.9.0", **fields: Any) -> str:
    declared = TrafficSplitter("iris", apis={"a": 80, "b": 20}, **fields)
    args = splitter._args(opened(FakeCluster()), declared, [_current(), _current()])
    with pytest.raises(UnsupportedError) as caught:
        splitter._refuse(
            declared, replace(args, features=features), there(version), "prod"
        )
    return str(caught.value)


def _current(timeout: float = 60.0, *, idempotent: bool = False) -> Any:
    class Current:
        class args:  # noqa: N801  # as in the real one
            pass

    Current.args.timeout = timeout  # type: ignore[attr-defined]
    Current.args.idempotent = idempotent  # type: ignore[attr-defined]
    return Current


def status(name: str, state: Any = "live", reason: str = "") -> Status:
    replicas = Replicas(desired=1, live=1)
    return Status(name, "prod", f"http://h/{name}", state, reason, "abc", replicas)


def test_what_is_on_the_cluster_is_read_again(cluster: FakeCluster) -> None:
    put(cluster, IRIS)

    assert splitter.read(opened(cluster), "iris") == IRIS
    assert splitter.every(opened(cluster)) == [IRIS]
    assert splitter.read(opened(cluster), "other") is None


def test_a_route_of_somebody_else_is_no_splitter(cluster: FakeCluster) -> None:
    put(cluster, replace(IRIS, stack="89abcdef.default.splitter.iris"))

    assert splitter.read(opened(cluster), "iris") is None


def test_a_route_that_says_nothing_of_itself_is_passed_over(
    cluster: FakeCluster,
) -> None:
    cluster.add(*_ROUTE, "x", "default", labels=labels("x", "splitter", "s"))

    assert splitter.every(opened(cluster)) == []


def test_an_api_is_in_use_by_weight_and_by_copies(cluster: FakeCluster) -> None:
    put(cluster, IRIS)

    for api in ("a", "c"):
        assert splitter.users_of(opened(cluster), api) == ["iris"]
        with pytest.raises(DeployError, match="from the traffic splitter 'iris'"):
            changing._refuse_used(opened(cluster), api)
    assert splitter.users_of(opened(cluster), "d") == []


def test_what_only_apis_have_is_refused_by_name(cluster: FakeCluster) -> None:
    put(cluster, IRIS)

    for verb in (watching.deployment_of, changing._current):
        with pytest.raises(UnsupportedError, match=r"has no replicas .* ask a or b"):
            verb(opened(cluster), "iris")
        with pytest.raises(NotFoundError):
            verb(opened(cluster), "other")


def test_a_splitter_leads_to_apis_that_are_there(cluster: FakeCluster) -> None:
    cluster.add(
        "apps/v1", "Deployment", "iris-a", "default", labels=labels("x", "api", "s")
    )

    with pytest.raises(NotFoundError, match="did you mean 'iris-a'"):
        splitter._apis(opened(cluster), ["iris-aa"])


def test_it_waits_as_long_as_the_most_patient_of_its_apis() -> None:
    declared = TrafficSplitter("iris", apis={"a": 80, "b": 20})
    patient, hasty = _current(600.0, idempotent=True), _current(5.0)

    args = splitter._args(opened(FakeCluster()), declared, [hasty, patient])

    assert (args.timeout, args.idempotent) == (600.0, False)
    assert args.stack == "01234567.default.splitter.iris"


def test_what_a_gateway_cannot_do_is_named() -> None:
    said = refusal(frozenset(), shadow={"c": 10}, sticky={"cookie": "v"})

    assert "the gateway of prod does not support shadow (it needs HTTPRouteR" in said
    assert "sticky (it needs BackendTrafficPolicy)" in said


def test_an_older_envoy_gateway_does_not_choose_by_a_header() -> None:
    said = refusal(FEATURES, "1.8.3", sticky={"header": "x-user"})

    assert "sticky (it needs Envoy Gateway 1.9, and it is 1.8.3)" in said


def test_it_is_as_well_as_its_apis() -> None:
    apis = {"a": status("a"), "b": status("b", "error", "out of memory")}
    target = Kubernetes(url="https://api.example.com")

    found = splitter.status(target, IRIS, apis, ())

    assert found.endpoint == "https://api.example.com/iris"
    assert (found.status, found.reason) == ("error", "b is error: out of memory")
    assert str(found.traffic) == "80% a · 20% b · copies of 10% c"


def test_what_the_cluster_offers_is_no_part_of_its_revision() -> None:
    assert splitter.revision_of(IRIS) == splitter.revision_of(
        replace(IRIS, features=frozenset())
    )
    moved = replace(IRIS, weights={"a": 70, "b": 30})
    assert splitter.revision_of(IRIS) != splitter.revision_of(moved)
