"""Calls and answers as the values of a frame; their bodies travel beside them."""

from typing import Any, NamedTuple

from multidict import CIMultiDict

from cortex_server.worker.answer import NO_FIELDS, Answer
from cortex_server.worker.call import Call

_AS_IT_IS = ("utf-8", "surrogateescape")

Values = list[Any]


def values_of_call(call: Call) -> Values:
    """All of a call but its body."""
    return [call.query, call.fields, call.model, call.id]


def call_of(values: Values, body: bytes) -> Call:
    """The call that has these values."""
    query, fields, model, known_as = values
    return Call(body, query, fields, tuple(model) if model else None, known_as)


def values_of_answer(answer: Answer) -> Values:
    """All of an answer but its body; only whether it is a stream or is followed."""
    fields = [(_raw(name), _raw(text)) for name, text in answer.fields.items()]
    kind, is_followed = _raw(answer.content_type), answer.after is not None
    return [answer.status, kind, fields, answer.stream is not None, is_followed]


class Head(NamedTuple):
    """An answer as it arrives."""

    answer: Answer
    is_stream: bool
    is_followed: bool


def head_of(values: Values, body: bytes) -> Head:
    """The answer that has these values."""
    status, kind, raw, is_stream, is_followed = values
    fields = NO_FIELDS
    if raw:
        fields = CIMultiDict((_text(name), _text(value)) for name, value in raw)
    answer = Answer(body, _text(kind), status, fields)
    return Head(answer, is_stream, is_followed)


def _raw(text: str) -> bytes:
    return text.encode(*_AS_IT_IS)


def _text(raw: bytes) -> str:
    return raw.decode(*_AS_IT_IS)
