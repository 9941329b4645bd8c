import pytest

from cortex_server.worker.built_in.tensorflow import _signature_key


@pytest.mark.parametrize(
    ("known", "key", "chosen"),
    [
        (["a", "b"], "b", "b"),
        (["predict", "serving_default"], None, "serving_default"),
        (["a", "predict"], None, "predict"),
        (["a"], None, "a"),
    ],
)
def test_a_signature_is_chosen(known: list[str], key: str | None, chosen: str) -> None:
    assert _signature_key(known, key) == chosen


@pytest.mark.parametrize(
    ("known", "key"), [(["a"], "b"), (["a", "b"], None), ([], None)]
)
def test_a_signature_that_is_not_there_is_an_error(
    known: list[str], key: str | None
) -> None:
    with pytest.raises(ValueError, match=r"has the signatures .*; name one"):
        _signature_key(known, key)
