import pytest

from cortex_server.worker.call import Call


def call_with(**fields: bytes) -> Call:
    named = [(name.replace("_", "-").encode(), value) for name, value in fields.items()]
    return Call(b"", b"", named)


def test_the_callers_id_is_kept() -> None:
    assert call_with(x_request_id=b"0042").request_id == "0042"


@pytest.mark.parametrize("given", [b"", b"a b", b"\xff", b"x" * 201, b"a\tb"])
def test_an_id_that_is_unfit_is_replaced(given: bytes) -> None:
    made = call_with(x_request_id=given).request_id

    assert made.encode() != given
    assert len(made) == len("00000000-0000-0000-0000-000000000000")


def test_new_ids_differ_and_stay() -> None:
    calls = [call_with() for _ in range(1000)]

    ids = [call.id for call in calls]

    assert len(set(ids)) == len(ids)
    assert [call.id for call in calls] == ids


@pytest.mark.parametrize(
    ("given", "trace"),
    [
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        (b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", False),
        (b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", True),
        (b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", False),
        (b"00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        (b"nonsense", False),
        (b"", False),
    ],
)
def test_the_trace_is_the_one_of_traceparent(given: bytes, *, trace: bool) -> None:
    found = call_with(traceparent=given).trace_id

    assert found == ("4bf92f3577b34da6a3ce929d0e0e4736" if trace else "")


def test_headers_are_found_in_any_case_and_may_repeat() -> None:
    call = Call(b"", b"", [(b"x-a", b"1"), (b"x-a", "ü".encode()), (b"x-b", b"\xff")])

    assert call.headers.getall("X-A") == ["1", "ü"]
    assert call.headers["x-b"].encode("utf-8", "surrogateescape") == b"\xff"


def test_the_query_is_decoded_and_blank_values_kept() -> None:
    query = Call(b"", b"a=1&a=%C3%BC&b=&c=x+y", []).query_params

    assert list(query.items()) == [("a", "1"), ("a", "ü"), ("b", ""), ("c", "x y")]
