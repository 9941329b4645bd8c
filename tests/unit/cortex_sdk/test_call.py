from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from cortex_sdk._call import call, decoded, encoded, is_stream, pieces
from cortex_sdk.errors import CortexError


def response(content: bytes, kind: str) -> httpx.Response:
    return httpx.Response(200, content=content, headers={"content-type": kind})


def test_bytes_and_text_are_sent_as_they_are() -> None:
    assert encoded(b"\x00") == (b"\x00", "application/octet-stream")
    assert encoded(memoryview(b"ab")) == (b"ab", "application/octet-stream")
    assert encoded("ä") == ("ä".encode(), "text/plain; charset=utf-8")


def test_the_rest_is_sent_as_json() -> None:
    assert encoded({"a": [1, None]}) == (b'{"a":[1,null]}', "application/json")
    assert encoded(None) == (b"null", "application/json")


def test_what_is_no_json_is_one_sentence() -> None:
    with pytest.raises(CortexError, match=r"^the payload cannot be sent as JSON .*set"):
        encoded({1, 2})


def test_an_answer_is_decoded_by_its_content_type() -> None:
    assert decoded(response(b"[1]", "application/json; charset=utf-8")) == [1]
    assert decoded(response(b"{}", "application/problem+json")) == {}
    assert decoded(response(b"hi", "text/plain")) == "hi"
    assert decoded(response(b"\x89", "image/png")) == b"\x89"


@pytest.mark.parametrize(
    ("kind", "chunks", "expected"),
    [
        (
            "application/x-ndjson",
            [b"1\n", b'{"a', b'":2}\n[]', b"\n"],
            [1, {"a": 2}, []],
        ),
        ("application/x-ndjson", ['"\u2028\x85"\n'.encode()], ["\u2028\x85"]),
        ("application/x-ndjson", [], []),
        ("text/plain; charset=utf-8", [b"gr\xc3", b"\xbcn"], ["gr", "\u00fcn"]),
        ("image/png", [b"\x89", b"P"], [b"\x89", b"P"]),
    ],
)
def test_a_stream_comes_in_pieces_of_its_content_type(
    kind: str, chunks: list[bytes], expected: list[object]
) -> None:
    headers = {"content-type": kind}
    streamed = httpx.Response(200, content=iter(chunks), headers=headers)

    assert is_stream(streamed)
    assert list(pieces(streamed)) == expected


def test_json_lines_that_are_not_read_along_are_a_list() -> None:
    assert decoded(response(b'1\n"a"\n', "application/x-ndjson")) == [1, "a"]
    assert not is_stream(response(b"x", "text/plain"))


def sent(monkeypatch: pytest.MonkeyPatch, key: str | None) -> httpx.Headers:
    """Headers of the request that a call with this key makes."""
    requests: list[httpx.Headers] = []

    def stream(*_: str, headers: dict[str, str], **__: object) -> Any:
        requests.append(httpx.Headers(headers))
        return nullcontext(response(b"1", "application/json"))

    monkeypatch.setattr(httpx, "stream", stream)
    call("http://x", 1, timeout=1, key=key)
    return requests[0]


@pytest.mark.parametrize(
    ("given", "variable", "expected"),
    [
        ("given", None, "Bearer given"),
        ("given", "variable", "Bearer given"),
        (None, " variable\n", "Bearer variable"),
        (None, None, None),
        (None, "", None),
    ],
)
def test_a_key_is_sent_that_is_given_or_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    variable: str | None,
    expected: str | None,
) -> None:
    monkeypatch.delenv("CORTEX_API_KEY", raising=False)
    if variable is not None:
        monkeypatch.setenv("CORTEX_API_KEY", variable)

    assert sent(monkeypatch, given).get("authorization") == expected


@pytest.mark.parametrize("key", ["hush\nhush", "hüsh"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(CortexError, match="16 to 512 visible ASCII") as caught:
        call("http://127.0.0.1:1", 1, timeout=1, key=key)

    assert key not in str(caught.value)
