"""Everything that is logged in a worker as JSON lines with the request's ids.

The user's `print` and `logging` end up in the same stream as the injected logger.
"""

import io
import logging
import sys
import threading
from functools import partial
from typing import Any

import orjson
import structlog

Logger = structlog.typing.FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up(level: str, labels: dict[str, str]) -> Logger:
    """Send structlog, logging, stdout and stderr to the pipe of the supervisor."""
    pipe = io.open(1, "wb", buffering=0, closefd=False)  # noqa: UP020, SIM115  # lives on
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
        logger_factory=structlog.BytesLoggerFactory(file=pipe),
        cache_logger_on_first_use=True,
    )
    logger: Logger = structlog.get_logger()
    logging.basicConfig(level=_LEVELS[level], handlers=[_Handler(logger)], force=True)
    logging.captureWarnings(capture=True)
    sys.stdout = _Printed(logger, "stdout")
    sys.stderr = _Printed(logger, "stderr")
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
        return {**first, **self._labels, **event}


def _json(event: Any, **_options: Any) -> bytes:  # noqa: ANN401  # whatever is logged
    return orjson.dumps(
        event,
        default=repr,
        option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY,
    )


class _Handler(logging.Handler):
    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        level = max(10, min(record.levelno // 10 * 10, 50))
        try:
            self._logger.log(
                level,
                record.getMessage(),
                logger=record.name,
                **({"exc_info": record.exc_info} if record.exc_info else {}),
            )
        except OSError:
            return  # the supervisor is gone, and with it the log


class _Printed(io.TextIOBase):
    """A text stream whose lines become log lines."""

    encoding = "utf-8"

    def __init__(self, logger: Logger, stream: str) -> None:
        self._logger = logger
        self._stream = stream
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def flush(self) -> None:
        line, self._rest = self._rest, ""
        self._log(line)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self._stream == "stdout" else 2

    def _log(self, line: str) -> None:
        if line.strip():
            try:
                self._logger.info(line, stream=self._stream)
            except OSError:
                return  # the supervisor is gone, and with it the log
