from dataclasses import replace
from typing import Any

from stacks_cases import IRIS, iris, runtime

from cortex_stacks.api.pod.preparing import init_containers
from cortex_stacks.args import Blob, Compute, SyncAPIArgs

REMOTE = Blob(name="bundle.tar.gz", digest="a" * 64, url="s3://models/bundle")


def install(args: SyncAPIArgs) -> Any:
    container, *_ = init_containers(args)
    return container


def test_a_prebuilt_image_installs_nothing() -> None:
    assert init_containers(runtime(is_prebuilt=True)) == []


def test_a_full_lock_is_installed_as_it_stands() -> None:
    locked = runtime(requirements=("numpy==2.3.4",), is_locked=True)

    assert "--no-deps" in install(locked)["command"]
    assert "--no-deps" not in install(IRIS)["command"]


def test_the_password_of_an_index_is_in_no_command_and_no_variable() -> None:
    container = install(runtime(index_url="https://me:sesame@index.example/simple"))

    assert "sesame" not in str(container)
    assert "PIP_INDEX_URL" in str(container["env"])


def test_a_small_replica_has_enough_memory_to_install_packages() -> None:
    small = install(iris(compute=Compute(cpu=0.1, mem=64 << 20)))["resources"]

    assert small["limits"]["memory"] == "1Gi"
    assert small["requests"]["memory"] == "64Mi"


def test_a_bundle_at_a_url_is_fetched_after_the_packages_are_there() -> None:
    containers = init_containers(iris(bundle=REMOTE))

    assert [each["name"] for each in containers] == ["install", "fetch"]
    assert "s3://models/bundle" in containers[1]["command"]


def test_a_prebuilt_image_fetches_all_the_same() -> None:
    prebuilt = replace(IRIS.runtime, is_prebuilt=True)

    (fetch,) = init_containers(iris(bundle=REMOTE, runtime=prebuilt))

    assert fetch["name"] == "fetch"
    assert "PYTHONPATH" not in str(fetch["env"])
