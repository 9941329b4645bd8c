import pytest

from cortex_server.worker.call import Call
from cortex_server.worker.items import MOST_KEPT, Writer, error_event, wants_events


def accepting(*values: bytes) -> Call:
    return Call(b"", b"", [(b"accept", value) for value in values])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((b"text/event-stream",), True),
        ((b"application/json, Text/Event-Stream;q=0.5",), True),
        ((b"application/json", b"text/event-stream"), True),
        ((b"*/*",), False),
        ((b"text/*",), False),
        ((b"text/event-stream-mine",), False),
        ((), False),
    ],
)
def test_events_are_for_who_names_them(
    values: tuple[bytes, ...], *, wanted: bool
) -> None:
    assert wants_events(accepting(*values)) is wanted


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_no_line_of_a_text_begins_a_field_of_its_own(end: str) -> None:
    writer = Writer(as_events=True, keeps=False)

    event = writer.write(f"a{end}event: mine\u2028")

    assert event == "data: a\ndata: event: mine\u2028\n\n".encode()


def test_the_first_item_says_what_it_all_is() -> None:
    writer = Writer(as_events=False, keeps=False)
    written = [writer.write(item) for item in ("a", 1, b"b")]

    assert written == [b"a", b"1\n", b"b"]
    assert writer.answer().content_type == "text/plain; charset=utf-8"


def test_a_hook_sees_a_limited_number_of_items() -> None:
    writer = Writer(as_events=False, keeps=True)
    for number in range(2 * MOST_KEPT):
        writer.write(number)

    assert writer.kept == list(range(MOST_KEPT))


def test_an_error_is_an_event_with_the_problem_as_its_data() -> None:
    assert error_event(b'{"status":500}') == b'event: error\ndata: {"status":500}\n\n'
