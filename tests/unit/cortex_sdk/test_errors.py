import pickle

import pytest

from cortex_sdk import errors
from cortex_sdk.errors import CortexError, PredictError

PLAIN = [
    getattr(errors, name) for name in errors.__all__ if name != PredictError.__name__
]


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_an_error_keeps_its_traceback_when_it_is_pickled(
    kind: type[CortexError],
) -> None:
    error = pickle.loads(pickle.dumps(kind("what is wrong", "the frames")))

    assert type(error) is kind
    assert str(error) == "what is wrong"
    assert error.traceback == "the frames"
    assert kind("what is wrong").traceback == ""


def test_an_error_of_a_prediction_keeps_status_and_problem() -> None:
    error = pickle.loads(pickle.dumps(PredictError("no", 422, {"detail": "x"})))

    assert (str(error), error.status, error.problem) == ("no", 422, {"detail": "x"})


def test_the_tree_in_the_docstring_has_every_error() -> None:
    assert errors.__doc__
    for name in errors.__all__:
        assert name in errors.__doc__
