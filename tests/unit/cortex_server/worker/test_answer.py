import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.answer import fields_of, is_status, line_of

TEXTS = st.text(st.characters(codec=None))


@given(headers=st.dictionaries(TEXTS, TEXTS))
def test_no_field_of_the_users_begins_another(headers: dict[str, str]) -> None:
    fields = fields_of(headers)

    wire = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    assert wire.encode("utf-8", "surrogateescape").count(b"\n") == len(fields)
    assert all(name.isascii() and " " not in name for name in fields)


@pytest.mark.parametrize(
    "name",
    [
        *("Content-Length", "content-type", "CONNECTION", "transfer-encoding"),
        *("x-request-id", "", "a b", "a:b", "a\r\nb", "ü", "a\n"),
    ],
)
def test_what_is_not_the_users_to_say_is_left_out(name: str) -> None:
    assert dict(fields_of({name: "1", "x-a": "2"})) == {"x-a": "2"}


def test_bytes_that_came_as_text_stay_what_they_were() -> None:
    assert line_of("\udcff") == "\udcff"
    assert line_of("\ud800") == "?"
    assert line_of(1) == "1"


@pytest.mark.parametrize(
    ("status", "fits"),
    [(200, True), (999, True), (199, False), (1000, False), ("200", False)],
)
def test_a_status_is_a_number_of_three_digits(status: object, *, fits: bool) -> None:
    assert is_status(status) is fits
