import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
import structlog
from prometheus_client import CollectorRegistry

from cortex_server.manifest import Monitoring
from cortex_server.worker import monitoring
from cortex_server.worker.call import NOTHING
from cortex_server.worker.metrics import MOST_LABEL_VALUES, OTHER


@dataclass
class Answer:
    label: str


class Colour(enum.StrEnum):
    RED = "red"


class Hostile:
    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


Kind = Literal["classification", "regression"]


class Seen:
    """What a monitor has counted."""

    def __init__(self, kind: Kind, key: str | None = None) -> None:
        self._registry = CollectorRegistry()
        told = Monitoring(model_type=kind, key=key)
        self._monitor = monitoring.Monitor(told, self._registry)

    def see(self, *results: Any) -> None:
        for result in results:
            self._monitor.see(NOTHING, result)

    @property
    def samples(self) -> dict[str, float]:
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if not sample.name.endswith("_created")
        }


@pytest.fixture(autouse=True)
def nobody_reads_the_log() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as told:
        yield told


def seen(
    *results: Any,
    kind: Kind = "classification",
    key: str | None = None,
) -> dict[str, float]:
    made = Seen(kind, key)
    made.see(*results)
    return made.samples


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ("rose", "rose"),
        (3, "3"),
        (2.0, "2.0"),
        (True, "true"),
        (np.int64(3), "3"),
        (np.array(3), "3"),
        (np.str_("rose"), "rose"),
        (np.bool_(1), "true"),
        (Colour.RED, "red"),
    ],
)
def test_a_class_is_counted_by_its_name(result: Any, name: str) -> None:
    assert seen(result, result) == {f"cortex_predictions_total {name}": 2}


@pytest.mark.parametrize(
    "result", [2.5, None, [1], {"a": 1}, b"x", np.array([1]), float("nan")]
)
def test_what_is_no_class_is_counted_as_such(result: Any) -> None:
    assert seen(result) == {"cortex_predictions_unmonitored_total no_class": 1}


@pytest.mark.parametrize("result", [{"label": "a"}, Answer("a")])
def test_the_prediction_is_found_at_its_key(result: Any) -> None:
    assert seen(result, key="label") == {"cortex_predictions_total a": 1}


@pytest.mark.parametrize("result", [{"other": "a"}, Answer("a"), "text", None, [1]])
def test_a_result_without_the_key_is_counted_as_such(result: Any) -> None:
    assert seen(result, key="missing") == {
        "cortex_predictions_unmonitored_total no_key": 1
    }


def test_an_object_that_fails_is_no_error() -> None:
    assert seen(Hostile(), key="label") == {
        "cortex_predictions_unmonitored_total error": 1
    }


def test_classes_without_end_end_as_other() -> None:
    found = seen(*range(MOST_LABEL_VALUES + 7))

    assert len(found) == MOST_LABEL_VALUES + 1
    assert found[f"cortex_predictions_total {OTHER}"] == 7


def test_numbers_are_summed_up() -> None:
    numbers = [1, 2.5, -3, np.float32(0.5), np.array(4)]

    assert seen(*numbers, kind="regression") == {
        "cortex_prediction_value_count": 5,
        "cortex_prediction_value_sum": 5,
        "cortex_prediction_value_squares_total": 32.5,
        "cortex_prediction_value_min": -3,
        "cortex_prediction_value_max": 4,
    }


@pytest.mark.parametrize(
    "result", ["1", True, None, [1.0], float("nan"), float("inf"), 10**400]
)
def test_what_is_no_number_leaves_the_statistics_alone(result: Any) -> None:
    found = seen(1, result, kind="regression")

    assert found["cortex_prediction_value_count"] == 1
    assert found["cortex_prediction_value_sum"] == 1
    assert found["cortex_predictions_unmonitored_total no_number"] == 1


def test_the_log_hears_of_it_once_in_a_while(
    nobody_reads_the_log: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(monitoring, "monotonic", lambda: now)
    made = Seen("regression", "price")

    made.see({}, {}, {})
    now += 61
    made.see({})

    assert [line["event"] for line in nobody_reads_the_log] == [
        "prediction not monitored: the response, of type dict, has no key 'price'"
    ] * 2
