import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from fakes import Run
from unit.cortex_sdk.kubernetes.planned import PLAIN, SECRET

from cortex_sdk.kubernetes import outside
from cortex_stacks.args import SyncAPIArgs

APP = """
from cortex_sdk import SyncAPI

print("imported")

class Iris:
    def predict(self, payload):
        return payload

api = SyncAPI(Iris)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[SyncAPIArgs]:
    """What the next commands plan, in place of asking a cluster."""
    plans = [PLAIN]

    def planned(api: object, target: str | None) -> tuple[object, object]:
        args = plans[0]
        return SimpleNamespace(), SimpleNamespace(args=args, name=args.name)

    monkeypatch.setattr(outside, "planned", planned)
    return plans


def test_the_objects_are_the_only_output(
    cortex: Run, app: Path, plans: list[SyncAPIArgs]
) -> None:
    result = cortex("render", app)

    assert result.code == 0
    kinds = [each["kind"] for each in yaml.safe_load_all(result.out)]
    assert {"Deployment", "Service", "ScaledObject", "HTTPRoute"} <= set(kinds)
    assert result.err == "imported\n"


def test_what_is_left_out_is_said_beside_the_output(
    cortex: Run, app: Path, plans: list[SyncAPIArgs]
) -> None:
    plans[:] = [SECRET]

    result = cortex("render", app)

    assert "hunter" not in result.out + result.err
    assert "iris: the values of API_TOKEN are REPLACE-ME\n" in result.err
    assert "iris: the Secret iris-keys is left out" in result.err


def test_a_folder_gets_a_file_for_each_object(
    cortex: Run, app: Path, tmp_path: Path, plans: list[SyncAPIArgs]
) -> None:
    result = cortex("render", app, "-o", tmp_path / "out")

    files = sorted((tmp_path / "out").iterdir())
    assert result.out == ""
    assert f"✓ {len(files)} files are in {tmp_path / 'out'}\n" in result.err
    assert files[0].name == "01-serviceaccount-iris.yaml"
    assert yaml.safe_load(files[0].read_text())["kind"] == "ServiceAccount"


def test_files_are_replaced_only_by_force(
    cortex: Run, app: Path, tmp_path: Path, plans: list[SyncAPIArgs]
) -> None:
    out = tmp_path / "out"
    assert cortex("render", app, "-o", out).code == 0

    again = cortex("render", app, "-o", out)

    assert again.code == 1
    assert "--force replaces them" in again.err
    assert cortex("render", app, "-o", out, "--force").code == 0


def test_secrets_are_written_on_demand_and_for_this_user_alone(
    cortex: Run, app: Path, tmp_path: Path, plans: list[SyncAPIArgs]
) -> None:
    plans[:] = [SECRET]

    result = cortex("render", app, "-o", tmp_path / "out", "--secrets")

    files = list((tmp_path / "out").iterdir())
    assert any(file.name.endswith("secret-iris-keys.yaml") for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert "REPLACE-ME" not in result.err
