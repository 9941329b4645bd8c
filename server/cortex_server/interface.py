"""What a predictor must look like: the methods, and the arguments each may ask for.

Both sides check the same rules: the SDK where the class is declared, the server
when it has loaded it. Arguments are given by name, and only those asked for.
"""

import difflib
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_REQUEST = ("payload", "query_params", "headers", "request_id", "metrics", "logger")
_START = ("config", "metrics", "logger")
ARGUMENTS = {
    "__init__": _START,
    "warm_up": _START,
    "predict": _REQUEST,
    "post_predict": ("response", "config", *_REQUEST),
}
"""The arguments that each method of a predictor may take, in any order."""


class InterfaceError(ValueError):
    """A class is no predictor; the message says what is wrong, and with which part."""


@dataclass(frozen=True, slots=True)
class Method:
    """What the server needs to know to call one method of a predictor."""

    name: str
    arguments: frozenset[str]
    is_async: bool
    payload_type: Any = None
    """The type hint of `payload`, None where there is none."""

    @property
    def wants_payload(self) -> bool:
        """Whether the body has to be decoded for this method."""
        return "payload" in self.arguments


@dataclass(frozen=True, slots=True)
class Interface:
    """The methods of a predictor that the server calls."""

    init: Method
    predict: Method
    post_predict: Method | None
    warm_up: Method | None = None

    def asks_for(self, argument: str) -> bool:
        """Whether any method takes it."""
        methods = (self.init, self.warm_up, self.predict, self.post_predict)
        return any(method and argument in method.arguments for method in methods)


def interface_of(cls: type) -> Interface:
    """Check a predictor class and describe it.

    Raises:
        InterfaceError: It is no class, has no `predict`, or asks for an argument that
            nobody can give.
    """
    if not inspect.isclass(cls):
        msg = f"a predictor must be a class, got {cls!r}"
        raise InterfaceError(msg)
    if not callable(getattr(cls, "predict", None)):
        near = difflib.get_close_matches("predict", vars(cls), 1)
        hint = f"; `{near[0]}` looks like it, rename it" if near else ""
        msg = f"predictor `{cls.__name__}` has no method `predict`{hint}"
        raise InterfaceError(msg)
    return Interface(
        init=_method(cls, "__init__", cls.__init__),
        predict=_method(cls, "predict", cls.predict),  # type: ignore[attr-defined]  # checked above
        post_predict=_optional(cls, "post_predict"),
        warm_up=_optional(cls, "warm_up"),
    )


def _optional(cls: type, name: str) -> Method | None:
    function = getattr(cls, name, None)
    return _method(cls, name, function) if function else None


def hook_of(function: Callable[..., Any]) -> Method:
    """Check a function that is to follow responses, and describe it.

    Raises:
        InterfaceError: It is no function of Python, or asks for an argument that nobody
            can give.
    """
    if not inspect.isfunction(function):
        msg = f"a hook must be a function (`def` or `async def`), got {function!r}"
        raise InterfaceError(msg)
    where = f"`{function.__qualname__}`"
    _check_hook(function, where)
    parameters = _parameters(function, where)
    for parameter in parameters:
        _check_parameter(parameter, ARGUMENTS["post_predict"], where)
    arguments = frozenset(parameter.name for parameter in parameters)
    return Method(
        name=function.__qualname__,
        arguments=arguments,
        is_async=inspect.iscoroutinefunction(function),
        payload_type=_payload_type(function, where) if "payload" in arguments else None,
    )


def _check_hook(function: Callable[..., Any], where: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = f"{where} runs after the response, so it must not `yield`"
        raise InterfaceError(msg)


def _method(cls: type, name: str, function: Callable[..., Any]) -> Method:
    where = f"`{cls.__name__}.{name}`"
    if name == "post_predict":
        _check_hook(function, where)
    arguments = _arguments(cls, name, where)
    return Method(
        name=name,
        arguments=frozenset(arguments),
        is_async=inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function),
        payload_type=_payload_type(function, where) if "payload" in arguments else None,
    )


def _arguments(cls: type, name: str, where: str) -> list[str]:
    declared = inspect.getattr_static(cls, name)
    if declared is object.__init__:
        return []
    is_static = isinstance(declared, staticmethod)
    parameters = _parameters(getattr(cls, name), where)
    if not is_static and not isinstance(declared, classmethod):
        if not parameters:
            msg = f"{where} must take `self` as its first argument"
            raise InterfaceError(msg)
        parameters = parameters[1:]
    for parameter in parameters:
        _check_parameter(parameter, ARGUMENTS[name], where)
    return [parameter.name for parameter in parameters]


def _parameters(function: object, where: str) -> list[inspect.Parameter]:
    if not callable(function):
        msg = f"{where} must be a method"
        raise InterfaceError(msg)
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError as error:
        msg = f"{where} must be written in Python, so that its arguments are known"
        raise InterfaceError(msg) from error


def _check_parameter(
    parameter: inspect.Parameter, allowed: tuple[str, ...], where: str
) -> None:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        msg = (
            f"{where} takes `{parameter}`, but arguments are given by name:"
            f" name those of {_list(allowed)} that it needs"
        )
        raise InterfaceError(msg)
    if parameter.name not in allowed:
        near = difflib.get_close_matches(parameter.name, allowed, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"it may take {_list(allowed)}"
        msg = f"{where} has an unknown argument `{parameter.name}`; {hint}"
        raise InterfaceError(msg)


def _payload_type(function: Callable[..., Any], where: str) -> Any:  # noqa: ANN401  # a hint
    try:
        return typing.get_type_hints(function, include_extras=True).get("payload")
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        msg = f"{where}: the type of `payload` cannot be resolved: {error}"
        raise InterfaceError(msg) from error


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
