"""What a predictor is told that asks for a model; uncaught, it is the response."""

from collections.abc import Iterable

from sanic.exceptions import (
    BadRequest,
    NotFound,
    SanicException,
    ServerError,
    ServiceUnavailable,
)

_SHOWN = 20
_RETRY_AFTER = {"Retry-After": "1"}


class LoadError(ServerError):
    """A model cannot be loaded now; the log says why, the caller need not know."""


def unknown_model(name: str, known: Iterable[str]) -> SanicException:
    """There is no model of that name."""
    return NotFound(f"there is no model {name!r}; there is {_list(known)}")


def unknown_version(name: str, number: int, known: Iterable[int]) -> SanicException:
    """The model has no such version."""
    numbers = _list(str(number) for number in known)
    return NotFound(f"the model {name!r} has no version {number}; it has {numbers}")


def unnamed(known: Iterable[str]) -> SanicException:
    """There are several models, and none was named."""
    return BadRequest(f"name one of the models: {_list(known)}")


def no_version(given: object) -> SanicException:
    """What was given as a version cannot be one."""
    return BadRequest(f'a version is a whole number or "latest", not {given!r}')


def all_in_use(limit: str) -> SanicException:
    """No model can make room for another one."""
    return ServiceUnavailable(
        f"all models in memory are in use, as many as {limit} allows; try again later",
        headers=_RETRY_AFTER,
    )


def _list(known: Iterable[str]) -> str:
    names = list(known)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more
