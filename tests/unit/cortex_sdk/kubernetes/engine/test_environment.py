from pathlib import Path

import pytest

from cortex_sdk.kubernetes.engine import environment
from cortex_sdk.kubernetes.engine.environment import variables
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.engine.settings import EngineSettings

FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def made(home: Path, backend: str | None = None, **ours: str) -> dict[str, str]:
    settings = EngineSettings(home=home, backend=backend)
    return variables(settings, Folders(home), {"PULUMI_HOME": str(home), **ours})


def test_state_is_kept_in_files_of_the_home(tmp_path: Path) -> None:
    found = made(tmp_path)

    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/state"
    assert found[FILE] == str(tmp_path / "passphrase")


def test_a_passphrase_of_other_projects_is_not_for_our_state(tmp_path: Path) -> None:
    assert FILE in made(tmp_path, PULUMI_CONFIG_PASSPHRASE="theirs")


def test_a_named_backend_may_have_a_passphrase_of_the_users(tmp_path: Path) -> None:
    found = made(tmp_path, "s3://states", PULUMI_CONFIG_PASSPHRASE="theirs")

    assert found["PULUMI_BACKEND_URL"] == "s3://states"
    assert FILE not in found
    assert FILE in made(tmp_path, "s3://states")


def test_nothing_is_downloaded_where_the_provider_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment.importlib.metadata, "version", lambda _: "4.32.0")
    variable = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"

    assert variable not in made(tmp_path, PATH="")
    (tmp_path / "plugins" / "resource-kubernetes-v4.32.0").mkdir(parents=True)
    assert variable in made(tmp_path, PATH="")
