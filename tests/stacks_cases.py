"""Arguments of an API, for tests of what it becomes on a cluster."""

from dataclasses import replace
from typing import Any

from cortex_stacks.args import Blob, Compute, Drain, Runtime, Scaling, SyncAPIArgs

WHEEL = Blob(name="cortex_sdk-0.1.0-py3-none-any.whl", digest="b" * 64, data=b"wheel")
BUNDLE = Blob(name="bundle.tar.gz", digest="a" * 64, data=b"archive")
IRIS = SyncAPIArgs(
    name="iris",
    namespace="default",
    stack="1a2b3c4d.default.api.iris",
    endpoint="/iris",
    revision="0123456789ab",
    python="3.12",
    manifest='{"name":"iris"}',
    bundle=BUNDLE,
    timeout=600.0,
    compute=Compute(cpu=0.2),
    scaling=Scaling(),
    drain=Drain(withdraw=10.0, grace=645),
    runtime=Runtime(image="python:3.12-slim", wheel=WHEEL),
    deployed_at="2026-01-31T12:00:00Z",
)


def iris(**changes: Any) -> SyncAPIArgs:
    """The API `iris`, with some arguments changed."""
    return replace(IRIS, **changes)


def runtime(**changes: Any) -> SyncAPIArgs:
    """The same, with some settings of what its pods run changed."""
    return iris(runtime=replace(IRIS.runtime, **changes))
