import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fakes import FakeTarget, Run

from cortex_sdk import _call
from cortex_sdk.cli.predict import payload_of
from cortex_sdk.errors import CortexError

ANSWERS: dict[str, tuple[str, bytes | Iterator[bytes]]] = {
    "bytes": ("image/png", b"bytes"),
    "text": ("text/plain", b"hello\tyou"),
    "json": ("application/json", b'[1,"\xc3\xa4"]'),
    "lines": ("application/x-ndjson", iter([b'[1,"\xc3', b'\xa4"]\n{', b"}\n"])),
    "words": ("text/plain", iter([b"good ", b"morning"])),
    "parts": ("image/png", iter([b"by", b"tes"])),
}


class FakeStdin:
    """A pipe with something in it."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)

    def isatty(self) -> bool:
        return False


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, str, float]]:
    """What would have gone over the network; each time the answer is its content."""
    calls: list[tuple[str, bytes, str, float]] = []

    @contextmanager
    def send(
        endpoint: str, content: bytes, kind: str, *, timeout: float, host: str | None
    ) -> Iterator[httpx.Response]:
        calls.append((endpoint, content, kind, timeout))
        answered, answer = ANSWERS.get(content.decode(), ANSWERS["json"])
        headers = {"content-type": answered}
        yield httpx.Response(200, content=answer, headers=headers)

    monkeypatch.setattr(_call, "sent", send)
    return calls


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.json", "application/json"),
        ("a.JSON", "application/json"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.png", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_suffix_says_the_content_type(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"[1]")

    assert payload_of(str(tmp_path / name)) == (b"[1]", kind)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"[1, 2]", "application/json"),
        (b"hello", "text/plain; charset=utf-8"),
        (b"\x89PNG\xff", "application/octet-stream"),
    ],
)
def test_standard_input_is_json_if_it_parses(
    monkeypatch: pytest.MonkeyPatch, content: bytes, kind: str
) -> None:
    monkeypatch.setattr(sys, "stdin", FakeStdin(content))

    assert payload_of("-") == (content, kind)


def test_sends_the_file_to_the_endpoint(
    cortex: Run,
    target: FakeTarget,
    tmp_path: Path,
    sent: list[tuple[str, bytes, str, float]],
) -> None:
    target.with_api("iris")
    (tmp_path / "a.json").write_text("[5.1]")

    result = cortex("predict", "iris", tmp_path / "a.json", "--timeout", 3)

    assert result.code == 0
    assert result.out == '[\n  1,\n  "ä"\n]\n'
    assert sent == [("http://h/iris", b"[5.1]", "application/json", 3.0)]


def test_the_option_overrides_the_content_type(
    cortex: Run,
    target: FakeTarget,
    tmp_path: Path,
    sent: list[tuple[str, bytes, str, float]],
) -> None:
    target.with_api("iris")
    (tmp_path / "a.json").write_text("[5.1]")

    cortex("predict", "iris", tmp_path / "a.json", "--content-type", "text/csv")

    assert sent[0][2] == "text/csv"


@pytest.mark.usefixtures("sent")
def test_text_and_bytes_are_written_as_they_are(
    cortex: Run, target: FakeTarget, tmp_path: Path
) -> None:
    target.with_api("iris")
    (tmp_path / "t").write_text("text")
    (tmp_path / "b").write_text("bytes")

    assert cortex("predict", "iris", tmp_path / "t").out == "hello\tyou\n"
    assert cortex("predict", "iris", tmp_path / "b").out == "bytes"
    assert cortex("predict", "iris", tmp_path / "t", "-o", "json").out == (
        '"hello\\tyou"\n'
    )


@pytest.mark.usefixtures("sent")
def test_bytes_are_no_json(cortex: Run, target: FakeTarget, tmp_path: Path) -> None:
    target.with_api("iris")
    (tmp_path / "b").write_text("bytes")

    result = cortex("predict", "iris", tmp_path / "b", "-o", "json")

    assert (result.code, result.out) == (1, "")
    assert result.err == "the answer is 5 bytes, not JSON; leave out `-o json`\n"


def test_a_payload_that_is_not_there_is_named(cortex: Run, target: FakeTarget) -> None:
    result = cortex("predict", "iris", "nowhere.json")

    assert result.code == 1
    assert result.err == (
        "cannot read the payload 'nowhere.json': No such file or directory\n"
    )


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("answer", "out"),
    [
        ("lines", '[1, "ä"]\n{}\n'),
        ("words", "good morning\n"),
        ("parts", "bytes"),
    ],
)
def test_a_stream_is_written_piece_by_piece(
    cortex: Run, target: FakeTarget, tmp_path: Path, answer: str, out: str
) -> None:
    target.with_api("iris")
    (tmp_path / "t").write_text(answer)

    assert cortex("predict", "iris", tmp_path / "t").out == out


@pytest.mark.parametrize(
    ("data", "kind"),
    [("[1]", "application/json"), ("word", "text/plain; charset=utf-8")],
)
def test_a_payload_can_be_given_as_text(data: str, kind: str) -> None:
    assert payload_of(None, data) == (data.encode(), kind)


@pytest.mark.parametrize(("file", "data"), [(None, None), ("a.json", "[1]")])
def test_a_payload_is_given_once(file: str | None, data: str | None) -> None:
    with pytest.raises(CortexError, match="either as a file or with --data"):
        payload_of(file, data)
