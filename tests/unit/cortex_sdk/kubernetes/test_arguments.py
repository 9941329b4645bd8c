from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import Kubernetes, SyncAPI
from cortex_sdk.kubernetes.arguments import Parts, arguments
from cortex_sdk.kubernetes.packages.locked import Locked
from cortex_sdk.project.release import release_of
from cortex_stacks.args import Blob, SyncAPIArgs

CODE = """
class Echo:
    def predict(self, payload):
        return payload
"""
PARTS = Parts(
    bundle=Blob(name="bundle.tar.gz", digest="b" * 64, data=b"bundle"),
    wheel=Blob(name="cortex_sdk-1-py3-none-any.whl", digest="c" * 64, data=b"wheel"),
    locked=Locked(("sanic==25.12.1",), is_complete=True),
)


def made(
    folder: Path,
    target: Kubernetes | None = None,
    parts: Parts = PARTS,
    **settings: Any,
) -> SyncAPIArgs:
    (folder / "app.py").write_text(CODE)
    api = SyncAPI("app:Echo", project=str(folder), **settings)
    target = target or Kubernetes()
    return arguments(api, target, release_of(api, b"k" * 32), parts, "c.default.api.e")


def test_the_same_declaration_gives_the_same_arguments(tmp_path: Path) -> None:
    assert made(tmp_path) == made(tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        {"base_image": "python:3.11"},
        {"image": "h/iris:1"},
        {"index_url": "https://pypi.internal/simple"},
        {"node_selector": {"disk": "ssd"}},
        {"tolerations": [{"operator": "Exists"}]},
        {"pull_secrets": ["registry"]},
        {"cache_claim": "pip"},
    ],
    ids=str,
)
def test_what_changes_pods_is_another_revision(
    tmp_path: Path, target: dict[str, Any]
) -> None:
    changed = made(tmp_path, Kubernetes(**target))

    assert changed.revision != made(tmp_path).revision


def test_another_server_or_other_packages_are_another_revision(tmp_path: Path) -> None:
    wheel = replace(PARTS.wheel, digest="d" * 64)
    others = Locked(("sanic==25.12.0",), is_complete=True)
    revisions = {
        made(tmp_path).revision,
        made(tmp_path, parts=replace(PARTS, wheel=wheel)).revision,
        made(tmp_path, parts=replace(PARTS, locked=others)).revision,
    }

    assert len(revisions) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"autoscaling": {"min_replicas": 2, "window": "30s"}},
        {"networking": {"endpoint": "/other"}},
        {"idempotent": True},
    ],
    ids=str,
)
def test_what_restarts_nothing_is_no_other_revision(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    assert made(tmp_path, **settings).revision == made(tmp_path).revision


def test_a_replica_aims_at_what_it_can_do_at_once_unless_told(tmp_path: Path) -> None:
    threads = made(tmp_path, threads_per_process=4)
    told = made(tmp_path, autoscaling={"target_replica_concurrency": 3})

    assert (threads.scaling.target, told.scaling.target) == (4, 3)


def test_a_replica_gets_the_time_that_its_requests_may_take(tmp_path: Path) -> None:
    args = made(tmp_path, timeout=120)

    assert args.drain.grace >= args.drain.withdraw + 120


def test_a_prebuilt_image_installs_nothing(tmp_path: Path) -> None:
    runtime = made(tmp_path, Kubernetes(image="h/iris:1")).runtime

    assert (runtime.image, runtime.is_prebuilt) == ("h/iris:1", True)
    assert (runtime.wheel, runtime.requirements) == (None, ())


def test_pods_run_the_python_of_this_machine(tmp_path: Path) -> None:
    args = made(tmp_path)

    assert args.runtime.image == f"python:{args.python}-slim"
