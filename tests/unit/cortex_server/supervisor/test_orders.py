import json
import subprocess
import sys
from pathlib import Path

import pytest

from cortex_server.launch import Launch
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.supervisor.orders import Orders

PREDICTOR = PredictorModule(module="app", qualname="Iris")


def orders(folder: Path, content: bytes, *more: str) -> Orders:
    (folder / "m.json").write_bytes(content)
    places = {"--manifest": "m.json", "--bundle": "b.tar", "--root": "root"}
    given = [part for k, v in places.items() for part in (k, str(folder / v))]
    return Orders(Launch.parse([*given, "--replica", "r1", *more]))


def test_tells_what_a_worker_needs_and_where_it_all_comes_from(tmp_path: Path) -> None:
    manifest = Manifest(
        name="iris",
        bundle="0" * 64,
        predictor=PREDICTOR,
        env={"A": "1"},
        processes_per_replica=3,
    )
    secrets = tmp_path / "s.json"
    secrets.write_text(json.dumps({"B": "2"}))

    told = orders(tmp_path, manifest.json(), "--secrets", str(secrets))

    assert told.environment == {"A": "1", "B": "2"}
    assert told.predictor_processes == 3
    assert told.manifest == manifest
    assert told.labels == {"api": "iris", "revision": manifest.revision}
    assert told.log_labels == {**told.labels, "replica": "r1"}


def test_a_manifest_by_hand_may_leave_out_what_has_a_default(tmp_path: Path) -> None:
    least = {
        "name": "iris",
        "bundle": "0" * 64,
        "predictor": {"kind": "module", "module": "app", "qualname": "Iris"},
    }

    told = orders(tmp_path, json.dumps(least).encode())

    assert told.environment == {}
    assert told.predictor_processes == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"env": [], "processes_per_replica": 1}',
        b'{"env": {"A": 1}, "processes_per_replica": 1}',
        b'{"env": {}, "processes_per_replica": "2"}',
        b'{"env": {}, "processes_per_replica": true}',
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        orders(tmp_path, content)


def test_lines_of_the_log_are_labelled_as_far_as_it_goes(tmp_path: Path) -> None:
    told = orders(tmp_path, b'{"env": {}, "processes_per_replica": 1}')

    assert told.log_labels == {"replica": "r1"}


def test_a_worker_does_not_wait_for_what_checks_a_manifest() -> None:
    slow = {"msgspec", "dataclasses", "inspect", "hashlib", "structlog"}
    code = (
        "import sys, cortex_server.supervisor.process;"
        f"sys.exit(', '.join({slow} & sys.modules.keys()) or None)"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", code], check=False, capture_output=True
    )

    assert (done.returncode, done.stderr) == (0, b"")
