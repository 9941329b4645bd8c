from typing import Any

import pytest

from cortex_sdk import (
    ApiKeys,
    Autoscaling,
    Batching,
    Compute,
    InvalidSpecError,
    Monitoring,
    Networking,
    PostPredict,
    SyncAPI,
    UnsupportedError,
    UpdateStrategy,
)


class Iris:
    def predict(self) -> int:
        return 1


def test_defaults() -> None:
    fields = {name: getattr(SyncAPI(Iris), name) for name in SyncAPI.model_fields}

    assert fields == {
        "predictor": Iris,
        "name": "iris",
        "config": {},
        "env": {},
        "secrets": {},
        "requirements": None,
        "project": None,
        "python_path": None,
        "log_level": "info",
        "log_requests": 0.0,
        "log_slow": 10.0,
        "processes_per_replica": 1,
        "threads_per_process": 1,
        "timeout": 600,
        "max_body_size": 100 * 2**20,
        "idempotent": False,
        "models": None,
        "batching": None,
        "post_predict": PostPredict(),
        "monitoring": None,
        "auth": None,
        "networking": Networking(),
        "compute": Compute(),
        "autoscaling": Autoscaling(),
        "update_strategy": UpdateStrategy(),
    }


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("log_level", "debug", "debug"),
        ("max_body_size", "1.5Mi", 3 * 2**19),
        ("max_body_size", 1, 1),
        ("log_level", "error", "error"),
        ("log_requests", 0.01, 0.01),
        ("log_slow", "500ms", 0.5),
        ("processes_per_replica", 100, 100),
        ("threads_per_process", 1000, 1000),
        ("timeout", "10m", 600),
        ("timeout", "5ms", 0.005),
        ("idempotent", True, True),
        (
            "monitoring",
            {"model_type": "regression"},
            Monitoring(model_type="regression"),
        ),
        ("auth", {"file": "keys"}, ApiKeys(file="keys")),
        ("networking", Networking(endpoint="/x"), Networking(endpoint="/x")),
    ],
)
def test_values_inside_the_rules_are_kept(
    field: str, given: object, kept: object
) -> None:
    assert getattr(SyncAPI(Iris, **{field: given}), field) == kept


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("log_level", "trace", "must be 'debug', 'info', 'warning' or 'error'"),
        ("processes_per_replica", 0, "must be at least 1"),
        ("processes_per_replica", 101, "must be at most 100"),
        ("threads_per_process", 0, "must be at least 1"),
        ("timeout", 0, "must be above 0"),
        ("timeout", "-1s", 'must be a duration such as 60, "60s", "1m30s"'),
        ("idempotent", "perhaps", "must be True or False"),
        ("project", 5, "must be text"),
        ("models", "models", "must be Models(...) or a dict"),
        ("auth", "keys", "must be ApiKeys(...) or a dict"),
        ("networking", "/iris", "must be Networking(...) or a dict"),
    ],
)
def test_values_outside_the_rules_are_refused(
    field: str, value: object, rule: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Iris, **{field: value})

    assert str(caught.value) == f"`SyncAPI.{field}` {rule}, got {value!r}"


class Together:
    def predict(self, payload: list[int]) -> list[int]:
        return payload


class Only:
    def predict_batch(self, payload: list[int]) -> Any:
        return payload


@pytest.mark.parametrize("predictor", [Together, Only, "app:Iris"])
def test_batching_may_be_given_as_a_dict(predictor: object) -> None:
    kept = Batching(max_batch_size=2, batch_interval=0.01)
    given = {"max_batch_size": 2, "batch_interval": "10ms"}

    assert SyncAPI(predictor, batching=given).batching == kept


def test_batching_is_refused_where_predict_takes_one_payload() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Iris, batching={"max_batch_size": 2, "batch_interval": 1})

    assert str(caught.value) == (
        "`SyncAPI`: `batching` gives `Iris.predict` a list of payloads, but its"
        " `payload` has no type: declare `payload: list[Item]`, or add a method"
        " `predict_batch`"
    )


def test_predict_batch_alone_is_refused_without_batching() -> None:
    class Lonely:
        def predict_batch(self, payload: list[int]) -> list[int]:
            return payload

    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Lonely)

    assert str(caught.value) == (
        "`SyncAPI`: predictor `Lonely` has `predict_batch` but no `predict`; declare"
        " `batching`, or add a `predict` that answers one request"
    )


def test_a_batch_larger_than_what_a_replica_takes_is_refused() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(
            Together,
            batching={"max_batch_size": 9, "batch_interval": 1},
            autoscaling={"max_replica_concurrency": 8},
        )

    assert str(caught.value) == (
        "`SyncAPI`: batching.max_batch_size must be at most"
        " autoscaling.max_replica_concurrency (8), the most requests that a replica"
        " has, not 9"
    )


def test_more_threads_than_a_replica_may_serve_are_refused() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Iris, processes_per_replica=100, threads_per_process=11)

    assert str(caught.value) == (
        "`SyncAPI`: autoscaling.max_replica_concurrency must be at least processes"
        " times threads (1100), not 1024"
    )


def test_a_goal_of_the_users_stands_above_processes_times_threads() -> None:
    SyncAPI(
        Iris,
        processes_per_replica=100,
        threads_per_process=11,
        autoscaling={"target_replica_concurrency": 5},
    )


@pytest.mark.parametrize(
    ("fields", "endpoint"),
    [
        ({}, "/iris"),
        ({"name": "other"}, "/other"),
        ({"networking": {"endpoint": "v1/iris"}}, "/v1/iris"),
    ],
)
def test_the_endpoint_defaults_to_the_name(
    fields: dict[str, Any], endpoint: str
) -> None:
    assert SyncAPI(Iris, **fields).endpoint == endpoint


def test_a_notebook_shows_name_endpoint_and_what_was_changed() -> None:
    api = SyncAPI(
        Iris,
        networking={"endpoint": "/v1/iris"},
        config={"text": "<b>&"},
        autoscaling={"max_replicas": 7},
        secrets={"TOKEN": "s3cret"},
        env={"A": "s3cret"},
    )

    shown = api._repr_html_()

    for part in (
        "<b>iris</b>",
        "/v1/iris",
        "autoscaling.max_replicas",
        "<code>7</code>",
        "<code>Iris</code>",
    ):
        assert part in shown
    assert "&lt;b&gt;&amp;" in shown
    for part in ("s3cret", "TOKEN", "min_replicas"):
        assert part not in shown


@pytest.mark.parametrize(
    "verb", ["deploy", "deployment", "status", "predict", "logs", "metrics", "delete"]
)
def test_a_verb_on_an_unknown_target_is_refused(verb: str) -> None:
    with pytest.raises(UnsupportedError, match="there is no target 'nowhere'"):
        getattr(SyncAPI(Iris), verb)(target="nowhere")
