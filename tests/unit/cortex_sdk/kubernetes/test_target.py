from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import InvalidSpecError, Kubernetes, SyncAPI, UnsupportedError
from cortex_sdk._target import Target
from cortex_sdk._targets import target_of
from cortex_sdk.kubernetes import refusals
from cortex_sdk.kubernetes.opened import cluster_of, gateway_of
from cortex_sdk.predictors import Onnx


class Double:
    def predict(self, payload: float) -> float:
        return 2 * payload


def test_it_is_a_target() -> None:
    target: Target = Kubernetes()

    assert target.name == "kubernetes"


def test_it_goes_by_its_context_unless_it_was_given_a_name() -> None:
    assert Kubernetes(context="prod").name == "prod"
    assert Kubernetes(context="prod").named("eu").name == "eu"


def test_a_table_of_the_configuration_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text(
        '[targets.prod]\ntype = "kubernetes"\ncontext = "c"\nnamespace = "models"\n'
        'platform = { service = "NodePort" }\n'
    )

    target = target_of("prod")

    assert isinstance(target, Kubernetes)
    assert (target.name, target.context, target.namespace) == ("prod", "c", "models")
    assert target.platform.service == "NodePort"


def test_a_wrong_field_of_a_table_is_named_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text(
        '[targets.prod]\ntype = "kubernetes"\nnamspace = "models"\n'
    )

    with pytest.raises(
        InvalidSpecError, match=r"\[targets\.prod\].*did you mean `namespace`"
    ):
        target_of("prod")


@pytest.mark.parametrize(
    "fields",
    [
        {"namespace": "Models"},
        {"gateway": "cortex"},
        {"gateway": "a/b/c"},
        {"hostnames": ["https://h"]},
        {"url": "h"},
        {"url": "http://h/?q"},
        {"storage": "file:///tmp/x"},
        {"pull_policy": "Sometimes"},
        {"pull_secrets": ["a b"]},
        {"scheduling_timeout": -1},
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_by_name(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpecError, match=next(iter(fields))):
        Kubernetes(**fields)


def test_an_index_is_not_shown_since_it_may_hold_a_password() -> None:
    target = Kubernetes(index_url="https://me:secret@pypi.internal/simple")

    assert "secret" not in repr(target)


def test_what_the_provider_gets_names_files_in_full() -> None:
    cluster = cluster_of(Kubernetes(context="c", kubeconfig="~/k"))

    assert (cluster.context, cluster.kubeconfig) == ("c", str(Path.home() / "k"))
    gateway = gateway_of(Kubernetes(gateway="infra/edge"))
    assert (gateway.namespace, gateway.name) == ("infra", "edge")


def test_no_replica_at_all_is_refused_with_the_reason() -> None:
    api = SyncAPI(Double, autoscaling={"min_replicas": 0})

    with pytest.raises(
        UnsupportedError, match=r"autoscaling\.min_replicas=0 .*hold the request"
    ):
        refusals.check(api, Kubernetes())


def test_replicas_to_begin_with_are_refused_by_name() -> None:
    api = SyncAPI(Double, autoscaling={"init_replicas": 2})

    with pytest.raises(UnsupportedError, match=r"autoscaling\.init_replicas=2"):
        refusals.check(api, Kubernetes())


def test_a_model_that_only_this_machine_has_is_refused_unless_the_image_has_it() -> (
    None
):
    api = SyncAPI(Onnx("/models/iris.onnx"))

    with pytest.raises(UnsupportedError, match=r"'/models/iris\.onnx'"):
        refusals.check(api, Kubernetes())
    refusals.check(api, Kubernetes(image="h/iris:1"))


def test_everything_else_is_honoured() -> None:
    refusals.check(
        SyncAPI(Double, compute={"gpu": 1}, autoscaling={"min_replicas": 3}),
        Kubernetes(),
    )


def test_stop_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="prod has no `stop`"):
        Kubernetes(context="prod").stop()
