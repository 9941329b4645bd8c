import httpx
import pytest

from cortex_sdk._call import decoded, encoded
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
