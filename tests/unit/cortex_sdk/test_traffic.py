import pytest

from cortex_sdk import Sticky
from cortex_sdk._traffic import Traffic, has_no, in_use


@pytest.mark.parametrize(
    ("sticky", "said"),
    [
        (None, ""),
        (Sticky(header="x-user"), "header x-user"),
        (Sticky(cookie="v"), "cookie v"),
        (Sticky(cookie="v", lifetime="1m"), "cookie v for 60 s"),
    ],
)
def test_what_keeps_a_caller_is_said(sticky: Sticky | None, said: str) -> None:
    assert Traffic.of({"a": 100}, {}, (), sticky).sticky == said


def test_weights_alone_are_said_alone() -> None:
    assert str(Traffic({"a": 80, "b": 20})) == "80% a · 20% b"


def test_copies_are_told_apart() -> None:
    assert str(Traffic({"a": 100}, {"c": 10})) == "100% a · copies of 10% c"


def test_what_is_not_there_is_said_to_be_none() -> None:
    assert Traffic({"a": 100}).rows() == {
        "traffic": "100% a",
        "copies": "none",
        "rules": "none",
        "sticky": "none",
    }


def test_a_splitter_says_whom_to_ask() -> None:
    assert str(has_no("log", "all", ["a", "b"])) == (
        "'all' is a traffic splitter and has no log of its own; ask a or b"
    )


def test_an_api_in_use_says_by_whom() -> None:
    assert "'a' gets requests from the traffic splitter 'all';" in str(
        in_use("a", ["all"])
    )
