"""From the body of a request to the `payload` of a predictor."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from cortex_server.interface import InterfaceError
from cortex_server.worker.call import Call
from cortex_server.worker.charsets import CharsetError, text_of
from cortex_server.worker.hasty import hasty
from cortex_server.worker.problems import Problem, pointer

if TYPE_CHECKING:  # takes long, and not every predictor needs it
    from multidict import MultiDict
    from pydantic import TypeAdapter, ValidationError

    from cortex_server.worker.forms import Value

Decoder = Callable[[Call], Any]

_JSON, _PLAIN_JSON = "application/json", b"application/json"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_SHOWN_ERRORS = 100
_MANY = 1 << 16
"""Bytes of JSON in which wrong items are no longer told one by one."""
_BAD_REQUEST, _UNSUPPORTED, _UNPROCESSABLE = 400, 415, 422


def decoder_for(hint: Any) -> Decoder:  # noqa: ANN401  # a type hint
    """How to decode a body for a `payload` with this type hint, None for no hint.

    Raises:
        InterfaceError: Values of this type cannot be checked.
    """
    if hint is None or hint is Any:
        return by_content_type
    if hint is bytes:
        return lambda call: call.body
    if hint is str:
        return _text
    return _Typed(_adapter(hint))


def checker_for(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401  # a type hint
    """How to check a payload that is no JSON: values of Python, arrays of numpy."""
    return _Typed(_adapter(hint)).check


def _adapter(hint: Any) -> "TypeAdapter[Any]":  # noqa: ANN401  # a type hint
    from pydantic import PydanticUserError, TypeAdapter  # noqa: PLC0415  # takes long
    from pydantic.errors import PydanticUndefinedAnnotation  # noqa: PLC0415  # same
    from pydantic_core import SchemaError  # noqa: PLC0415  # same

    from cortex_server.worker.checkable import checkable  # noqa: PLC0415  # same

    try:
        adapter = TypeAdapter(checkable(hint))
        adapter.rebuild()  # names that are not defined are told now
    except (PydanticUserError, PydanticUndefinedAnnotation, SchemaError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0]
        msg = (
            f"`payload` is declared as {hint!r}, which cannot be checked ({reason});"
            " declare JSON types, a pydantic model, bytes or str, or no type at all"
        )
        raise InterfaceError(msg) from error
    return adapter


def by_content_type(call: Call) -> Any:  # noqa: ANN401  # the user's data
    """JSON, form, text or bytes, as the content type says."""
    if call.field(b"content-type") == _PLAIN_JSON:
        return _json(call.body)
    kind = _kind(call)
    if _is_json(kind):
        return _json(call.body)
    if kind in _FORMS:
        return _form(call)
    return _text(call) if kind.startswith("text/") else call.body


class _Typed:
    """Decodes and checks in one go."""

    def __init__(self, adapter: "TypeAdapter[Any]") -> None:
        from pydantic import ValidationError  # noqa: PLC0415  # takes long

        self._adapter = adapter
        self._hasty: Callable[[bytes], Any] | None = None
        self._wrong = ValidationError

    def __call__(self, call: Call) -> Any:  # noqa: ANN401  # the user's data
        kind = _kind(call)
        try:
            if _is_json(kind) or not kind:
                return self._checked(call.body)
            if kind in _FORMS and not _looks_like_json(call.body):
                return self._adapter.validate_python(dict(_form(call)))
        except self._wrong as error:
            raise _explained(error) from None
        detail = f"the payload must be {_JSON}, not {kind}; set the content-type header"
        raise Problem(_UNSUPPORTED, detail)

    def check(self, value: Any) -> Any:  # noqa: ANN401  # of that type
        """Check what has been decoded elsewhere."""
        try:
            return self._adapter.validate_python(value)
        except self._wrong as error:
            raise _explained(error) from None

    def _checked(self, body: bytes) -> Any:  # noqa: ANN401  # the user's data
        if len(body) <= _MANY:
            return self._adapter.validate_json(body)
        if self._hasty is None:
            self._hasty = hasty(self._adapter)
        return self._hasty(body)


def _looks_like_json(body: bytes) -> bool:
    """What `curl -d` sends without a header: JSON that is declared to be a form."""
    return body.lstrip()[:1] in (b"[", b"{", b'"')


def _explained(error: "ValidationError") -> Problem:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    first = errors[0]
    if first["type"] == "json_invalid":
        detail = first["msg"].removeprefix("Invalid JSON: ")
        return Problem(_BAD_REQUEST, f"the body is not valid JSON: {detail}")
    places = [
        {"pointer": pointer(each["loc"]), "detail": each["msg"]}
        for each in errors[:_SHOWN_ERRORS]
    ]
    worst = f"{places[0]['pointer']}: {places[0]['detail']}"
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    detail = f"the payload does not have the declared type: {worst}{more}"
    return Problem(_UNPROCESSABLE, detail, errors=places)


def _kind(call: Call) -> str:
    header = call.content_type
    if header == _JSON:
        return header
    return header.partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == _JSON or kind.endswith("+json")


def _json(body: bytes) -> Any:  # noqa: ANN401  # the user's data
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(_BAD_REQUEST, f"the body is not valid JSON: {error}") from None


def _text(call: Call) -> str:
    header = call.content_type.lower()
    charset = header.partition("charset=")[2].partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return text_of(call.body, charset)
    except CharsetError as error:
        raise Problem(_BAD_REQUEST, f"the body is {error}") from None


def _form(call: Call) -> "MultiDict[Value]":
    from cortex_server.worker.forms import FormError, form_of  # noqa: PLC0415  # rare

    try:
        return form_of(call.body, call.content_type)
    except FormError as error:
        detail = f"the body is not a complete form: {error}"
        raise Problem(_BAD_REQUEST, detail) from None
