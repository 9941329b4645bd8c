"""`cortex predict`: one payload there, one answer back."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Name, Target
from cortex_sdk.cli.console import Output
from cortex_sdk.errors import CortexError

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_TYPES = {".json": "application/json", ".txt": _TEXT}


def predict(  # noqa: PLR0913, PLR0917  # options of a command
    name: Name,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="Payload; .json is sent as JSON, .txt as text, anything else as"
            " bytes; - reads standard input.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", "-d", metavar="TEXT", help="Payload as text, instead of a file."
        ),
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Content type of the payload."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.001, help="How long to wait.")
    ] = 600,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Send one payload to an API and print its answer.

    An API key is taken from the environment variable CORTEX_API_KEY.

    Example: cortex predict iris --data "[5.1, 3.5, 1.4, 0.2]"
    """
    from cortex_sdk import _call, _verbs  # noqa: PLC0415  # not for --help

    content, guessed = payload_of(file, data)
    there = _verbs.find(name, target)
    kind = content_type or guessed
    with (
        there.target.reach(name, there.endpoint) as at,
        _call.sent(at.url, content, kind, timeout=timeout, host=at.host) as response,
    ):
        if _call.is_stream(response):
            write_pieces(_call.pieces(response), output)
        else:
            response.read()
            write_answer(_call.decoded(response), output)


def payload_of(file: str | None, data: str | None = None) -> tuple[bytes, str]:
    """Content of a file, of standard input, or a text, and its content type."""
    if (file is None) == (data is None):
        msg = "give the payload either as a file or with --data"
        raise CortexError(msg)
    if data is not None:
        content = data.encode("utf-8", "surrogateescape")
        return content, _guess(content)
    return _read(str(file))


def _read(file: str) -> tuple[bytes, str]:
    if file == "-":
        content = sys.stdin.buffer.read() if sys.stdin else b""
        return content, _guess(content)
    path = Path(file)
    try:
        return path.read_bytes(), _TYPES.get(path.suffix.lower(), _BYTES)
    except OSError as error:
        msg = f"cannot read the payload {file!r}: {error.strerror}"
        raise CortexError(msg) from error


def _guess(content: bytes) -> str:
    try:
        json.loads(content)
    except UnicodeDecodeError:
        return _BYTES
    except ValueError:
        return _TEXT
    return _TYPES[".json"]


def write_answer(answer: Any, output: Output) -> None:  # noqa: ANN401  # user's data
    """Write an answer to standard output: text and bytes as they are, else JSON."""
    if isinstance(answer, bytes):
        _write_bytes(answer, output)
    elif isinstance(answer, str) and output is Output.TABLE:
        console.write(answer)
    else:
        console.write_json(answer)


def write_pieces(pieces: Iterable[Any], output: Output) -> None:
    """Write an answer while it comes: text and bytes as they are, else JSON lines."""
    piece: Any = "\n"
    for piece in pieces:
        if isinstance(piece, bytes):
            _write_bytes(piece, output)
        elif isinstance(piece, str) and output is Output.TABLE:
            console.write(piece, end="")
        else:
            console.write(json.dumps(piece, ensure_ascii=False))
    if output is Output.TABLE and isinstance(piece, str) and piece[-1:] != "\n":
        console.write("")


def _write_bytes(answer: bytes, output: Output) -> None:
    if output is Output.JSON:
        msg = f"the answer is {len(answer)} bytes, not JSON; leave out `-o json`"
        raise CortexError(msg)
    if console.is_terminal():
        msg = f"the answer is {len(answer)} bytes; send them to a file with `> FILE`"
        raise CortexError(msg)
    console.write_bytes(answer)
