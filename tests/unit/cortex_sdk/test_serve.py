import json
import stat
import sys
from pathlib import Path

import pytest

from cortex_sdk._serve import Parts, fingerprint, prepare, unmet
from cortex_sdk.project.loading import load

APP = """
from cortex_sdk import SyncAPI

class Double:
    def predict(self, payload):
        return 2 * payload

api = SyncAPI(Double, networking={"endpoint": "/twice"})
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    return folder


def parts_of(project: Path) -> Parts:
    [api] = load(str(project / "app.py"))
    folder = project.parent / "parts"
    prepare(api, folder, b"key")
    return Parts.read(folder)


def test_the_parts_say_what_will_serve(project: Path) -> None:
    parts = parts_of(project)

    manifest = json.loads((parts.folder / "manifest.json").read_text())
    assert (parts.name, parts.endpoint) == ("double", "/twice")
    assert parts.project == project
    assert manifest["name"] == "double"
    assert len(parts.revision) == 12


def test_the_command_starts_a_replica_with_this_interpreter(project: Path) -> None:
    parts = parts_of(project)

    command = parts.command("--listen", "127.0.0.1:1")

    assert command == [
        *(sys.executable, "-P", "-m", "cortex_server"),
        *("--manifest", str(parts.folder / "manifest.json")),
        *("--bundle", str(parts.folder / "bundle.tar")),
        *("--root", str(parts.folder / "project")),
        *("--models", str(parts.folder.parent / "models")),
        *("--endpoint", "/twice"),
        *("--listen", "127.0.0.1:1"),
    ]


def test_secrets_go_into_a_file_for_this_user_alone(project: Path) -> None:
    (project / ".env").write_text("TOKEN=hush")

    parts = parts_of(project)

    secrets = parts.folder / "secrets.json"
    assert json.loads(secrets.read_text()) == {"TOKEN": "hush"}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(parts.folder.stat().st_mode) == 0o700
    assert "hush" not in (parts.folder / "manifest.json").read_text()
    assert str(secrets) in parts.command()


def test_the_fingerprint_changes_with_what_goes_along(project: Path) -> None:
    (project / ".cortexignore").write_text("*.bin")
    parts = parts_of(project)
    assert fingerprint(project) == parts.fingerprint

    (project / "__pycache__").mkdir(exist_ok=True)
    (project / "__pycache__" / "app.pyc").write_text("ignored")
    (project / "big.bin").write_text("ignored")
    assert fingerprint(project) == parts.fingerprint

    (project / ".env").write_text("A=1")
    with_env = fingerprint(project)
    assert with_env != parts.fingerprint

    (project / "app.py").write_text(APP + "\n")
    assert fingerprint(project) != with_env


def test_requirements_are_met_by_what_is_installed() -> None:
    lines = [
        "pytest",
        "PyTest>=1",
        "pytest<1",
        "no-such-package-anywhere",
        'no-such-package-anywhere; python_version < "3"',
        "--no-index",
        "https://example.org/a.whl",
    ]

    assert unmet(lines) == ["pytest<1", "no-such-package-anywhere"]


def test_a_project_that_cannot_be_listed_has_a_fingerprint_too(project: Path) -> None:
    (project / "away").symlink_to("/")

    assert "away" in fingerprint(project)
