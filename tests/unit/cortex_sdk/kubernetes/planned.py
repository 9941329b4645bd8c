"""Arguments of an API, as a plan has them."""

from dataclasses import replace

from stacks_cases import iris

from cortex_stacks.args import Blob, Drain, Runtime

PLAIN = iris(
    namespace="models",
    stack="0a1b2c3d.models.api.iris",
    revision="a1b2c3d4e5f6",
    manifest='{"name": "iris"}',
    bundle=Blob(name="bundle.tar.gz", digest="ab" * 32, data=b"files"),
    timeout=60,
    drain=Drain(withdraw=5, grace=90),
    runtime=Runtime(image="python:3.12-slim", requirements=("numpy==2.3.5",)),
    deployed_at="2026-11-27T10:00:00Z",
)
SECRET = replace(
    PLAIN,
    secrets={"API_TOKEN": "hunter2"},
    keys=("hunter4-hunter4-hunter4",),
    runtime=replace(PLAIN.runtime, index_url="https://me:hunter5@index.example"),
)
