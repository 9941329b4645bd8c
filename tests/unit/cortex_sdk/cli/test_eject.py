from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import Run
from unit.cortex_sdk.kubernetes.planned import SECRET

from cortex_sdk.kubernetes import outside

APP = """
from cortex_sdk import SyncAPI

class Iris:
    def predict(self, payload):
        return payload

api = SyncAPI(Iris)
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and a plan for it in place of one for which a cluster was asked."""
    target = SimpleNamespace(kubeconfig=None, context="prod")
    plan = SimpleNamespace(args=SECRET, name="iris")
    monkeypatch.setattr(outside, "planned", lambda *_: (target, plan))
    monkeypatch.setattr(outside, "state_variables", lambda _: {"A": "b"})
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def test_a_project_is_in_a_folder_of_the_name_of_the_api(
    cortex: Run, app: Path
) -> None:
    result = cortex("eject", app)

    assert result.code == 0
    assert "✓ the project is in iris; its README.md has the commands\n" in result.err
    assert {"Pulumi.yaml", "__main__.py", "api.json", "README.md"} <= {
        path.name for path in app.with_name("iris").iterdir()
    }
    assert "context='prod'" in app.with_name("iris").joinpath("__main__.py").read_text()


def test_secrets_are_to_be_set_and_are_written_nowhere(cortex: Run, app: Path) -> None:
    result = cortex("eject", app, "--dir", "x")

    assert "to be set there: pulumi config set --secret keys < .api-keys" in result.err
    written = [path.read_bytes() for path in app.with_name("x").iterdir()]
    assert b"hunter" not in b"".join(written) + result.err.encode()


def test_files_are_replaced_only_by_force(cortex: Run, app: Path) -> None:
    assert cortex("eject", app).code == 0

    assert "--force replaces them" in cortex("eject", app).err
    assert cortex("eject", app, "--force").code == 0


def test_one_project_is_for_one_api(cortex: Run, app: Path) -> None:
    app.write_text(f"{APP}\nother = SyncAPI(Iris, name='other')\n")

    result = cortex("eject", app)

    assert result.code == 2
    assert "it declares iris, other; choose one" in result.err.replace("\n", " ")
