"""From what a predictor returns to the response."""

from typing import Any

import orjson
from sanic.response import HTTPResponse

from cortex_server.worker.answer import JSON, Answer, fields_of, is_status, line_of

_UNKNOWN = "application/octet-stream"
_FAST = orjson.OPT_SERIALIZE_NUMPY
_MISSING = ("NAType", "NaTType")
"""What pandas puts where there is no value."""
_LENIENT = orjson.OPT_NON_STR_KEYS


class NotJSONError(TypeError):
    """A predictor returned something that has no JSON form."""


def answer_of(result: Any) -> Answer | None:  # noqa: ANN401  # the user's data
    """The answer for a result: bytes, text, JSON, or a response of Sanic's as it is.

    None for an iterator, whose items are answered one after another.

    Raises:
        NotJSONError: It is none of these.
    """
    kind = type(result)
    if kind is dict or kind is list or kind is int or kind is float:
        return Answer(json_of(result))
    if isinstance(result, HTTPResponse):
        return answer_of_response(result)
    if isinstance(result, bytes | bytearray | memoryview):
        return Answer(bytes(result), _UNKNOWN)
    if isinstance(result, str):
        return Answer(result.encode(), "text/plain; charset=utf-8")
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return None
    return Answer(json_of(result), JSON)


def answer_of_response(response: HTTPResponse) -> Answer:
    """The answer for a response of Sanic's: as it is."""
    if not is_status(response.status):
        msg = f"`predict` returned a response with status {response.status!r}"
        raise ValueError(msg)
    body: Any = response.body or b""  # may be text if it was set later
    if isinstance(body, str):
        body = body.encode()
    kind = response.headers.get("content-type") or response.content_type or _UNKNOWN
    fields = fields_of(response.headers)
    return Answer(body, line_of(kind), response.status, fields)


def json_of(result: Any) -> bytes:  # noqa: ANN401  # the user's data
    """A result as JSON; raises NotJSONError where it has no such form."""
    try:
        return orjson.dumps(result, option=_FAST, default=_plain)
    except TypeError:
        return _lenient_json(result)


def _lenient_json(result: Any) -> bytes:  # noqa: ANN401  # the user's data
    """The slower way that takes any key and array, and says why it could not."""
    try:
        return orjson.dumps(result, option=_LENIENT, default=_plain)
    except TypeError as error:
        kind = type(result).__name__
        msg = f"`predict` returned a {kind} that cannot be written as JSON: {error}"
        raise NotJSONError(msg) from None


def _plain(value: Any) -> Any:  # noqa: ANN401  # the user's data
    """Pydantic models, tables of pandas, arrays that orjson does not read itself."""
    kind = type(value)
    if hasattr(value, "model_dump"):  # pydantic's
        return value.model_dump(mode="json", fallback=_plain)
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict("records")
    if hasattr(value, "tolist"):
        return value.tolist()
    if kind.__name__ in _MISSING:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    msg = f"{kind.__module__}.{kind.__qualname__} has no JSON form"
    raise TypeError(msg)
