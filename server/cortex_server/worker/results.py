"""From what a predictor returns to the response."""

from typing import Any

import orjson
from pydantic import BaseModel
from sanic.response import BaseHTTPResponse, HTTPResponse

_FAST = orjson.OPT_SERIALIZE_NUMPY
_LENIENT = orjson.OPT_NON_STR_KEYS


class NotJSONError(TypeError):
    """A predictor returned something that has no JSON form."""


def response_of(result: Any) -> BaseHTTPResponse:  # noqa: ANN401  # the user's data
    """The response for a result: bytes, text, JSON, or a response as it is.

    Raises:
        NotJSONError: It is none of these.
    """
    if isinstance(result, BaseHTTPResponse):
        return result
    if isinstance(result, bytes | bytearray | memoryview):
        return HTTPResponse(bytes(result), content_type="application/octet-stream")
    if isinstance(result, str):
        return HTTPResponse(result, content_type="text/plain; charset=utf-8")
    return HTTPResponse(_json(result), content_type="application/json")


def _json(result: Any) -> bytes:  # noqa: ANN401  # the user's data
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
    """Pydantic models, and arrays of kinds that orjson does not read itself."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", fallback=_plain)
    if hasattr(value, "tolist"):
        return value.tolist()
    kind = type(value)
    msg = f"{kind.__module__}.{kind.__qualname__} has no JSON form"
    raise TypeError(msg)
