from pathlib import Path

import pytest

from cortex_sdk import SyncAPI, TrafficSplitter
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.outside import planned, state_variables
from cortex_sdk.kubernetes.target import Kubernetes


class Iris:
    def predict(self, payload: object) -> object:
        return payload


def test_a_target_that_is_no_cluster_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))

    with pytest.raises(UnsupportedError, match="the target 'local' is no cluster"):
        planned(SyncAPI(Iris), "local")


def test_a_splitter_is_refused_by_name() -> None:
    splitter = TrafficSplitter(name="flowers", apis={"iris": 80, "rose": 20})

    with pytest.raises(UnsupportedError, match="flowers is a TrafficSplitter"):
        planned(splitter, "local")


def test_the_state_is_that_of_deploys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))

    assert state_variables(Kubernetes()) == {
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/pulumi/state",
        "PULUMI_CONFIG_PASSPHRASE_FILE": f"{tmp_path}/pulumi/passphrase",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    }


def test_the_passphrase_of_a_named_backend_is_the_users_own() -> None:
    found = state_variables(Kubernetes(backend="s3://state"))

    assert found["PULUMI_BACKEND_URL"] == "s3://state"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found
