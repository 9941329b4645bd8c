"""A request holds the models that it uses until it is over, streams included."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from cortex_server.worker.models.memory import Holder, Memory

Function = Callable[..., Any]

_current: ContextVar[Holder | None] = ContextVar("cortex_models", default=None)


def holder_of_request() -> Holder | None:
    """What the request at hand holds, None outside of one."""
    return _current.get()


def holding(function: Function, memory: Memory) -> Function:
    """The same method of a predictor, holding the models that each call asks for."""
    if inspect.isasyncgenfunction(function):
        return wraps(function)(_streams_async(function, memory))
    if inspect.isgeneratorfunction(function):
        return wraps(function)(_streams(function, memory))
    if inspect.iscoroutinefunction(function):
        return wraps(function)(_awaits(function, memory))
    return wraps(function)(_calls(function, memory))


@contextmanager
def _held_by(holder: Holder) -> Iterator[None]:
    token = _current.set(holder)
    try:
        yield
    finally:
        _current.reset(token)


def _calls(function: Function, memory: Memory) -> Function:
    def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # the user's
        holder = Holder()
        try:
            with _held_by(holder):
                return function(*arguments, **named)
        finally:
            memory.let_go(holder)

    return call


def _awaits(function: Function, memory: Memory) -> Function:
    async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # the user's
        holder = Holder()
        try:
            with _held_by(holder):
                return await function(*arguments, **named)
        finally:
            memory.let_go(holder)

    return call


def _streams(function: Function, memory: Memory) -> Function:
    def call(*arguments: Any, **named: Any) -> Generator[Any, None, None]:  # noqa: ANN401  # the user's
        holder, steps = Holder(), function(*arguments, **named)
        try:
            while True:
                with _held_by(holder):  # each step may run in another context
                    try:
                        item = next(steps)
                    except StopIteration:
                        return
                yield item
        finally:
            steps.close()
            memory.let_go(holder)

    return call


def _streams_async(function: Function, memory: Memory) -> Function:
    async def call(*arguments: Any, **named: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401  # the user's
        holder, steps = Holder(), function(*arguments, **named)
        try:
            while True:
                with _held_by(holder):
                    try:
                        item = await anext(steps)
                    except StopAsyncIteration:
                        return
                yield item
        finally:
            await steps.aclose()
            memory.let_go(holder)

    return call
