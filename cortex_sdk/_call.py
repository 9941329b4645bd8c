"""Calling an API over HTTP, as its users do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from cortex_sdk.errors import CortexError, PredictError, TargetError
from cortex_server.keys import RULE

KEY_VARIABLE = "CORTEX_API_KEY"
"""Names the API key that is sent where none is given."""

_JSON_LINES = "application/x-ndjson"


def call(
    endpoint: str,
    payload: Any,  # noqa: ANN401  # user's data
    *,
    timeout: float,
    key: str | None = None,
    host: str | None = None,
) -> Any:  # noqa: ANN401  # user's data
    """POST one payload and return the decoded answer.

    Args:
        endpoint: Where to.
        payload: Bytes, text or what JSON can say.
        timeout: Seconds to wait.
        key: API key; unset, `$CORTEX_API_KEY` if there is one.
        host: Host to name, where it is not the one in `endpoint`.

    Raises:
        CortexError: The payload is neither bytes nor text nor JSON.
        PredictError: The API answered with status 400 or above.
        TargetError: Nothing answers there, or not in time.
    """
    content, content_type = encoded(payload)
    return send(endpoint, content, content_type, timeout=timeout, key=key, host=host)


def stream(
    endpoint: str,
    payload: Any,  # noqa: ANN401  # user's data
    *,
    timeout: float,
    key: str | None = None,
    host: str | None = None,
) -> Iterator[Any]:
    """POST one payload and give what is answered, piece by piece; raises as `call`."""
    content, content_type = encoded(payload)
    with sent(
        endpoint, content, content_type, timeout=timeout, key=key, host=host
    ) as response:
        if is_stream(response):
            yield from pieces(response)
        else:
            response.read()
            yield decoded(response)


def send(
    endpoint: str,
    content: bytes,
    content_type: str,
    *,
    timeout: float,
    key: str | None = None,
    host: str | None = None,
) -> Any:  # noqa: ANN401  # user's data
    """POST a body as it is and return the decoded answer; raises as `call` does."""
    with sent(
        endpoint, content, content_type, timeout=timeout, key=key, host=host
    ) as response:
        response.read()
        return decoded(response)


@contextmanager
def sent(
    endpoint: str,
    content: bytes,
    content_type: str,
    *,
    timeout: float,
    key: str | None = None,
    host: str | None = None,
) -> Iterator[httpx.Response]:
    """POST a body as it is; the response can be read while it comes."""
    try:
        with httpx.stream(
            "POST",
            endpoint,
            content=content,
            headers={"content-type": content_type, **_host(host), **_credentials(key)},
            timeout=timeout,
            trust_env=False,
        ) as response:
            if response.is_error:
                response.read()
                raise _predict_error(response)
            yield response
    except httpx.TimeoutException as error:
        msg = f"{endpoint} did not answer within {timeout:g} seconds"
        raise TargetError(msg) from error
    except httpx.RemoteProtocolError as error:
        msg = f"the answer of {endpoint} broke off ({error}); see `cortex logs`"
        raise TargetError(msg) from error
    except httpx.TransportError as error:
        msg = f"nothing answers at {endpoint} ({error}); see `cortex get`"
        raise TargetError(msg) from error


def is_stream(response: httpx.Response) -> bool:
    """Whether the API sends the answer while it makes it."""
    return "content-length" not in response.headers


def pieces(response: httpx.Response) -> Iterator[Any]:
    """What comes when it comes: JSON line by line, text and bytes as they arrive."""
    kind = _kind(response)
    if kind == _JSON_LINES:
        yield from map(orjson.loads, _lines(response.iter_bytes()))
    elif kind.startswith("text/"):
        yield from response.iter_text()
    else:
        yield from response.iter_bytes()


def _host(host: str | None) -> dict[str, str]:
    return {"host": host} if host else {}


def _credentials(key: str | None) -> dict[str, str]:
    key = (key or os.environ.get(KEY_VARIABLE) or "").strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable():
        msg = f"the API key is none (`key` or {KEY_VARIABLE}): {RULE}"
        raise CortexError(msg)
    return {"authorization": f"Bearer {key}"}


def encoded(payload: Any) -> tuple[bytes, str]:  # noqa: ANN401  # user's data
    """Body and content type of a payload: bytes and text as such, the rest as JSON."""
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload), "application/octet-stream"
    if isinstance(payload, str):
        return payload.encode(), "text/plain; charset=utf-8"
    try:
        content = orjson.dumps(payload, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        msg = f"the payload cannot be sent as JSON ({error}); give bytes, text or JSON"
        raise CortexError(msg) from error
    return content, "application/json"


def decoded(response: httpx.Response) -> Any:  # noqa: ANN401  # user's data
    """Body of a response by its content type: JSON, text, or bytes."""
    kind = _kind(response)
    if kind == _JSON_LINES:
        return [orjson.loads(line) for line in response.content.splitlines()]
    if kind == "application/json" or kind.endswith("+json"):
        return response.json()
    return response.text if kind.startswith("text/") else response.content


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines as JSON needs them: httpx has more line ends than that."""
    begun: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for other in others:
            yield b"".join(begun)
            begun = [other]
    if last := b"".join(begun):
        yield last


def _kind(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0]


def _predict_error(response: httpx.Response) -> PredictError:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    said = problem.get("detail") or problem.get("title") or response.text[:200]
    msg = f"the API answered {response.status_code}: {said}"
    return PredictError(msg, response.status_code, problem)
