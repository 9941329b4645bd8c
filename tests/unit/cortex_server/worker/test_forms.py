from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.forms import MOST_FIELDS, File, FormError, form_of

URLENCODED = "application/x-www-form-urlencoded"
KIND = "multipart/form-data; boundary=B"


def part(disposition: str, body: bytes = b"1", *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--B\r\n" + "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join([*parts, b"--B--\r\n"])


def fields(body: bytes, kind: str = KIND) -> list[tuple[str, Any]]:
    return list(form_of(body, kind).items())


@given(
    files=st.lists(
        st.tuples(
            st.text('abcä ";=%\r\n', min_size=1, max_size=8),
            st.binary(max_size=50) | st.sampled_from([b"\r\n--", b"--B", b"\r\n--B-"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_a_client_packs_comes_out(files: list[tuple[str, bytes]]) -> None:
    sent = httpx.Request(
        "POST",
        "http://h/",
        data={"note": "ü\r\n"},
        files=[("file", (name, body, "a/b")) for name, body in files],
        headers={"content-type": KIND},
    )

    note, *found = fields(sent.read(), KIND)

    assert note == ("note", "ü\r\n")
    expected = [File(_escaped(name), "a/b", body) for name, body in files]
    assert found == [("file", file) for file in expected]


def _escaped(name: str) -> str:
    """As browsers write it, and httpx with them."""
    for plain, escaped in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(plain, escaped)
    return name


def test_a_boundary_inside_a_file_is_none() -> None:
    body = b"\r\n--A\r\n--Bx--B--\r\n\r\n-B\r\n"[:-4] + b"\x00"

    assert fields(multipart(part('name="f"; filename="x"', body))) == [
        ("f", File("x", "text/plain", body))
    ]


def test_a_form_without_a_field_is_empty() -> None:
    assert fields(b"--B--\r\n") == []
    assert fields(b"", URLENCODED) == []


def test_a_name_of_a_file_is_taken_as_it_is_and_begins_no_header() -> None:
    ((_, file),) = fields(multipart(part('name="f"; filename="../etc/passwd"')))
    ((_, split),) = fields(multipart(part('name="f"; filename="a\r\nContent-Type: b')))

    assert file == File("../etc/passwd", "text/plain", b"1")
    assert "\r" not in split.name
    assert "\n" not in split.name


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("multipart/form-data", multipart(part('name="a"')), "names no boundary"),
        (KIND, multipart(part('name="a"'))[:-6], "last boundary is missing"),
        (KIND, part('name="a"'), "last boundary is missing"),
        (KIND, b"", "last boundary is missing"),
        (KIND, multipart(part('filename="a"')), "no name"),
        (KIND, multipart(part('name="a"', b"\xff")), "not text in utf-8"),
        (KIND + "x", multipart(part('name="a"')), ""),
        ("multipart/form-data; boundary=" + "B" * 5000, multipart(), "not built"),
        (
            KIND,
            multipart(part('name="a"', b"x", "Content-Type: text/plain; charset=idna")),
            "no encoding of text",
        ),
        (KIND, multipart(*[part('name="a"')] * (MOST_FIELDS + 1)), "more than 10000"),
        (URLENCODED, b"a=1&" * (MOST_FIELDS + 1), "more than 10000"),
        (URLENCODED, b"\xff", "not built"),
        (KIND, multipart(part('name="a"', b"1", *["X-A: 1"] * 1000)), "not built"),
        (KIND, multipart(part('name="a"', b"1", "X-A: " + "1" * 100_000)), "not built"),
    ],
)
def test_what_is_no_form_is_told(kind: str, body: bytes, reason: str) -> None:
    with pytest.raises(FormError, match=f"(?i){reason}"):
        form_of(body, kind)


@given(body=st.binary(max_size=200))
def test_no_bytes_are_more_than_no_form(body: bytes) -> None:
    for content in (body, b"--B\r\n" + body + b"\r\n--B--\r\n"):
        try:
            form_of(content, KIND)
        except FormError:
            continue
