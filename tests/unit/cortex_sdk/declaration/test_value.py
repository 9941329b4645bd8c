import pickle

import pytest
from pydantic import ValidationError

from cortex_sdk import (
    CORS,
    Autoscaling,
    Compute,
    InvalidSpecError,
    Networking,
    SyncAPI,
    UpdateStrategy,
)


class Iris:
    def predict(self) -> int:
        return 1


def refusal(**fields: object) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Iris, **fields)
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    assert refusal(thread_per_process=2) == (
        "`SyncAPI` has no field `thread_per_process`; did you mean"
        " `threads_per_process`?"
    )


def test_an_unknown_field_of_a_nested_value_is_refused_with_the_nearest() -> None:
    assert refusal(autoscaling={"min_replica": 2}) == (
        "`Autoscaling` has no field `min_replica`; did you mean `min_replicas`?"
    )


def test_a_field_of_a_nested_value_is_shown_where_it_is() -> None:
    assert refusal(min_replicas=2) == (
        "`SyncAPI` has no field `min_replicas`; did you mean"
        " `autoscaling.min_replicas`?"
    )
    assert "did you mean `compute.mem`?" in refusal(memm="1Gi")


def test_a_field_is_nearer_than_one_of_that_name_further_down() -> None:
    assert "did you mean `timeout`?" in refusal(time_out=1)  # not post_predict.timeout


def test_an_unknown_field_without_a_near_one_is_refused_with_all() -> None:
    assert refusal(compute={"zzz": 1}) == (
        "`Compute` has no field `zzz`; it has cpu, mem, gpu, inf"
    )


def test_every_wrong_field_is_named_at_once() -> None:
    assert refusal(threads_per_process=0, log_level="loud") == (
        "`SyncAPI.log_level` must be 'debug', 'info', 'warning' or 'error', got 'loud';"
        " `SyncAPI.threads_per_process` must be at least 1, got 0"
    )


def test_a_nested_value_may_be_a_dict() -> None:
    api = SyncAPI(Iris, networking={"endpoint": "x", "cors": {"max_age": 1}})

    assert api.networking == Networking(endpoint="/x", cors=CORS(max_age=1))


def test_a_nested_value_may_be_nothing_else() -> None:
    assert (
        refusal(compute=5) == "`SyncAPI.compute` must be Compute(...) or a dict, got 5"
    )
    assert refusal(compute=Autoscaling()) == (
        "`SyncAPI.compute` must be Compute(...) or a dict, got Autoscaling()"
    )


def test_a_long_input_is_cut() -> None:
    assert len(refusal(log_level="x" * 1000)) < 200


def test_a_value_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Compute().cpu = 2


def test_equal_values_are_equal() -> None:
    assert Compute(cpu=1) == Compute(cpu="1")
    assert Compute(cpu=1) != Compute(cpu=2)
    assert SyncAPI(Iris) == SyncAPI(predictor=Iris, name="iris")


def test_a_value_survives_pickling() -> None:
    api = SyncAPI(Iris, compute={"cpu": 2})

    assert pickle.loads(pickle.dumps(api)) == api


def test_what_was_changed_is_told_by_dotted_name() -> None:
    api = SyncAPI(
        Iris,
        timeout=5,
        compute=Compute(cpu=0.2, gpu=1),
        autoscaling={"max_replicas": 7, "window": "60s"},
        networking={"cors": {}},
        monitoring={"model_type": "regression"},
    )

    assert api.changed() == {
        "predictor": Iris,
        "name": "iris",
        "timeout": 5,
        "compute.gpu": 1,
        "autoscaling.max_replicas": 7,
        "networking.cors": CORS(),
        "monitoring": api.monitoring,
    }


def test_a_default_that_is_set_is_not_changed() -> None:
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in SyncAPI.model_fields.items()
        if not field.is_required() and name != "name"
    }

    assert set(SyncAPI(Iris, **defaults).changed()) == {"predictor", "name"}
    assert UpdateStrategy(max_surge="25%").changed() == {}


def test_a_repr_has_only_what_was_changed() -> None:
    assert repr(Compute()) == "Compute()"
    assert repr(Compute(cpu=1, gpu=1)) == "Compute(cpu=1.0, gpu=1)"
    assert repr(SyncAPI(Iris)) == "SyncAPI(predictor=Iris, name='iris')"
    assert repr(SyncAPI("app:Iris", compute={"gpu": 1}, secrets={"A": "x"})) == (
        "SyncAPI(predictor='app:Iris', name='iris', compute=Compute(gpu=1))"
    )


def test_text_of_a_value_is_its_repr() -> None:
    assert f"{Compute(gpu=1)}" == "Compute(gpu=1)"
