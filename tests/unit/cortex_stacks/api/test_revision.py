from dataclasses import replace
from typing import Any

import pytest
from stacks_cases import IRIS, iris

from cortex_stacks.api.revision import revision_of
from cortex_stacks.args import (
    Blob,
    Compute,
    Drain,
    GatewayRef,
    Placement,
    Scaling,
)

RESTARTS = {
    "manifest": '{"name":"iris","timeout":1}',
    "bundle": Blob(name="bundle.tar.gz", digest="c" * 64, data=b"other"),
    "compute": Compute(cpu=0.3),
    "drain": Drain(withdraw=10.0, grace=100),
    "placement": Placement(node_selector={"disk": "ssd"}),
    "keys": ("key-of-sixteen-letters",),
    "secrets": {"TOKEN": "sesame"},
}
NO_RESTART = {
    "revision": "ffffffffffff",
    "stack": "other.default.api.iris",
    "endpoint": "/flowers",
    "scaling": Scaling(max_replicas=3),
    "max_surge": "1",
    "max_unavailable": "0",
    "gateway": GatewayRef(name="other"),
    "hostnames": ("models.example.com",),
    "deployed_at": "2027-01-01T00:00:00Z",
    "features": frozenset({"BackendTrafficPolicy"}),
    "idempotent": True,
    "manifest": '{ "name": "iris" }',
}
RUNTIME = {
    "image": "python:3.13-slim",
    "wheel": Blob(name="x.whl", digest="d" * 64, data=b""),
    "requirements": ("numpy",),
    "is_locked": True,
    "index_url": "https://index.example/simple",
    "pip_options": ("--pre",),
    "cache_claim": "cache",
    "pull_policy": "Always",
    "pull_secrets": ("registry",),
}


@pytest.mark.parametrize("field", RESTARTS)
def test_what_changes_pods_is_a_new_revision(field: str) -> None:
    assert revision_of(iris(**{field: RESTARTS[field]})) != revision_of(IRIS)


@pytest.mark.parametrize("field", RUNTIME)
def test_what_pods_run_is_part_of_the_revision(field: str) -> None:
    change: Any = {field: RUNTIME[field]}

    changed = iris(runtime=replace(IRIS.runtime, **change))

    assert revision_of(changed) != revision_of(IRIS)


@pytest.mark.parametrize("field", NO_RESTART)
def test_what_changes_no_pod_is_no_new_revision(field: str) -> None:
    assert revision_of(iris(**{field: NO_RESTART[field]})) == revision_of(IRIS)


def test_another_pickle_of_the_same_class_and_other_keys_are_no_new_revision() -> None:
    before = iris(pickle=b"1", keys=("one-key-of-sixteen",), secrets={"TOKEN": "a"})
    after = iris(pickle=b"2", keys=("another-of-sixteen",), secrets={"TOKEN": "b"})

    assert revision_of(before) == revision_of(after)
