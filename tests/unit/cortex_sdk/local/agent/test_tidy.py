import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex_sdk.local.agent import tidy
from cortex_sdk.local.agent.state import ApiState, Reach, Release, ReplicaRecord
from cortex_sdk.local.home import Home

REACH = Reach(endpoint="/iris")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    home.make()
    yield home
    shutil.rmtree(home.run)  # elsewhere if tmp_path is deep


def make(path: Path, changed_at: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (changed_at, changed_at))
    return path


def state_of(home: Home, release: Release) -> ApiState:
    make(home.api("iris").state)
    return ApiState(name="iris", reach=REACH).came_through(release, REACH)


def test_files_of_forgotten_releases_go(home: Home) -> None:
    state = state_of(home, Release(revision="a", python="python", bundle="d1"))
    folder = home.api("iris")
    kept = [make(folder.manifest("a")), make(folder.secrets("a"))]
    gone = [make(folder.manifest("b")), make(folder.secrets("b"))]

    tidy.api_folder(folder, state)

    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_the_newest_logs_of_ended_replicas_stay(home: Home) -> None:
    state = state_of(home, Release(revision="a", python="python", bundle="d1"))
    state = state.with_replica(
        ReplicaRecord(id="running", revision="a", pid=1, started=0)
    )
    folder = home.api("iris")
    running = make(folder.log("running"), changed_at=0)
    logs = [make(folder.log(f"r{n}"), changed_at=n) for n in range(12)]
    rotated = make(folder.log("r0").with_name("r0.log.1"))

    tidy.api_folder(folder, state)

    assert running.exists()
    assert [log.exists() for log in logs] == [False] * 2 + [True] * 10
    assert not rotated.exists()


def test_shared_files_that_no_release_needs_go(home: Home) -> None:
    python = home.environments / "e1" / "bin" / "python"
    release = Release(revision="a", python=str(python), bundle="d1", identity="c1")
    kept = [
        make(home.bundle("d1")),
        make(home.bundles / "d1" / "app.py"),
        make(home.class_file("c1")),
        make(python),
        make(home.environments / "e1.lock"),
    ]
    gone = [
        make(home.bundle("d2")),
        make(home.class_file("c2")),
        make(home.environments / "e2.lock"),
    ]

    tidy.shared(home, [state_of(home, release)])

    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_what_a_delete_left_behind_goes(home: Home) -> None:
    log = make(home.api("deleted").log("r1"))
    os.utime(home.api("deleted").root, (0, 0))

    tidy.shared(home, [])

    assert not log.exists()


def test_shared_files_of_a_deploy_that_is_about_to_come_stay(home: Home) -> None:
    new = home.bundle("d2")
    new.parent.mkdir()
    new.touch()

    tidy.shared(home, [])

    assert new.exists()


def test_nothing_shared_goes_while_an_api_is_not_understood(home: Home) -> None:
    make(home.api("unreadable").state)
    bundle = make(home.bundle("d1"))

    tidy.shared(home, [])

    assert bundle.exists()


def test_run_folders_of_nobody_go(home: Home) -> None:
    mine, other = home.replica("a-1").root, home.replica("a-2").root
    mine.mkdir()
    other.mkdir()

    tidy.run_folders(home, {"a-1"})

    assert (mine.exists(), other.exists()) == (True, False)


@pytest.mark.parametrize("has_keys", [True, False])
def test_keys_go_when_everybody_may_call(home: Home, *, has_keys: bool) -> None:
    release = Release(revision="a", python="python", bundle="d1", has_keys=has_keys)
    keys = make(home.api("iris").keys)

    tidy.api_folder(home.api("iris"), state_of(home, release))

    assert keys.exists() is has_keys
