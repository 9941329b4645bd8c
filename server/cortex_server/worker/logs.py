"""Everything that is logged in a worker as JSON lines with the request's ids.

The user's `print` and `logging` end up in the same stream as the injected logger.
"""

import io
import json
import logging
import sys
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
import structlog

from cortex_server.worker.call import current

Logger = structlog.typing.FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up(level: str, labels: dict[str, str]) -> Logger:
    """Send structlog, logging, stdout and stderr to the pipe of the supervisor."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _Ordered(labels),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(file=_Pipe(1)),
        cache_logger_on_first_use=True,
    )
    logger: Logger = structlog.get_logger()
    logging.basicConfig(level=_LEVELS[level], handlers=[_Handler(logger)], force=True)
    logging.captureWarnings(capture=True)
    sys.stdout = _Printed(logger, "stdout", 1)
    sys.stderr = _Printed(logger, "stderr", 2)
    sys.excepthook = partial(_log_uncaught, logger)
    threading.excepthook = lambda hook: _log_uncaught(logger, *hook[:3])
    return logger


def _log_uncaught(logger: Logger, *exc_info: Any) -> None:  # noqa: ANN401  # a triple
    logger.critical("uncaught exception", exc_info=exc_info)


class _Ordered:
    """Puts the fields in one order: when, how bad, what, where, then the rest."""

    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels

    def __call__(
        self, _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
        ids = {key: value for key, value in _ids().items() if key not in event}
        return {**first, **self._labels, **event, **ids}


def _ids() -> dict[str, str]:
    """Of the request that this thread or task works for, if there is one."""
    call = current.get()
    if call is None:
        return {}
    ids = {"request_id": call.request_id}
    return ids | {"trace_id": trace} if (trace := call.trace_id) else ids


def _json(event: Any, **_options: Any) -> bytes:  # noqa: ANN401  # whatever is logged
    option = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(event, default=_shown, option=option)
    except TypeError:  # cycles, long integers, broken text
        shown = {str(key): _shown(value) for key, value in event.items()}
        return json.dumps(shown, separators=(",", ":")).encode()


def _shown(value: Any) -> str:  # noqa: ANN401  # whatever is logged
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001  # the user's; logging must not fail a request
        return object.__repr__(value)


class _Pipe(io.FileIO):
    """Where lines go; whole, and nowhere when the supervisor and its log are gone."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "wb", closefd=False)

    def write(self, line: Any) -> int:  # noqa: ANN401  # bytes
        with suppress(OSError):
            written = super().write(line)
            while written < len(line):  # a signal came
                written += super().write(line[written:])
        return len(line)


class _Handler(logging.Handler):
    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        level = max(10, min(record.levelno // 10 * 10, 50))
        told = {"exc_info": record.exc_info} if record.exc_info else {}
        try:
            self._logger.log(level, record.getMessage(), logger=record.name, **told)
        except Exception:  # noqa: BLE001  # the user's message does not fit its arguments
            self.handleError(record)


class _Printed(io.TextIOWrapper):
    """A text stream whose lines become log lines."""

    def __init__(self, logger: Logger, stream: str, fd: int) -> None:
        super().__init__(_Pipe(fd), encoding="utf-8")
        self._logger = logger
        self._stream = stream
        self._begun = threading.local()  # requests print side by side

    def write(self, text: str) -> int:
        *lines, self._begun.line = (self._line() + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def flush(self) -> None:
        line, self._begun.line = self._line(), ""
        self._log(line)

    def _line(self) -> str:
        line: str = getattr(self._begun, "line", "")
        return line

    def _log(self, line: str) -> None:
        if line.strip():
            self._logger.info(line, stream=self._stream)
