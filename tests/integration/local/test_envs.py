import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from integration.local.project import Project

from cortex_sdk import InvalidSpecError
from cortex_sdk.local import envs
from cortex_sdk.local.target import LocalTarget

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
WHEEL = (
    "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": METADATA.format(name=name, version=version),
        f"{info}/WHEEL": WHEEL,
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, content)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index on loopback, so that nothing depends on a network."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, "cortex_flower", "1.0", "COLOR = 'red'\n")
    wheel(folder, "cortex_flower", "2.0", "COLOR = 'blue'\n")
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        monkeypatch.setattr(envs, "_uv", lambda: None)
    elif envs._uv() is None:
        pytest.skip("uv is not installed")
    return str(request.param)


def deploy(project: Project, index: str, *requirements: str) -> str:
    return project.deploy(
        "import cortex_flower, sys; return [cortex_flower.COLOR, sys.executable]",
        requirements=["--no-index", f"--find-links {index}", *requirements],
    ).endpoint


@pytest.mark.usefixtures("installer")
def test_a_declared_package_is_there(project: Project, index: str) -> None:
    endpoint = deploy(project, index, "cortex_flower==1.0")

    color, python = httpx.post(endpoint).json()

    assert color == "red"
    assert python != sys.executable
    assert "installing requirements" in project.said


@pytest.mark.usefixtures("installer")
def test_a_package_that_cannot_be_had_is_one_sentence_that_names_it(
    project: Project, index: str, local: LocalTarget
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        deploy(project, index, "cortex_flower", "cortex_weed>=3")

    assert "the requirement 'cortex_weed>=3' cannot be installed: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert local.list() == []


def test_an_environment_is_made_once(project: Project, index: str) -> None:
    deploy(project, index, "cortex_flower==1.0")
    project.said.clear()

    deploy(project, index, "cortex_flower==1.0")

    assert "installing requirements" not in project.said


def test_another_version_is_another_revision(project: Project, index: str) -> None:
    deploy(project, index, "cortex_flower==1.0")

    endpoint = deploy(project, index, "cortex_flower==2.0")

    assert httpx.post(endpoint).json()[0] == "blue"
