"""What a predictor must look like: the methods, and the arguments each may ask for.

Both sides check the same rules: the SDK where the class is declared, the server
when it has loaded it. Arguments are given by name, and only those asked for.
"""

import difflib
import inspect
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

PER_REQUEST = ("payload", "query_params", "headers", "request_id")
"""The arguments that belong to one request: with batching they become lists."""

_REQUEST = (*PER_REQUEST, "models", "metrics", "logger")
_START = ("config", "models", "metrics", "logger")
ARGUMENTS = {
    "__init__": _START,
    "warm_up": _START,
    "load_model": ("path", "name", "version"),
    "predict": _REQUEST,
    "predict_batch": _REQUEST,
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
    returns: Any = None
    """The type hint of what it returns, None where there is none."""
    doc: str = ""
    """Its docstring."""

    @property
    def wants_payload(self) -> bool:
        """Whether the body has to be decoded for this method."""
        return "payload" in self.arguments


@dataclass(frozen=True, slots=True)
class Interface:
    """The methods of a predictor that the server calls."""

    init: Method
    predict: Method
    """With batching it answers several requests; its `payload_type` is that of one."""
    post_predict: Method | None
    warm_up: Method | None = None
    load_model: Method | None = None

    def asks_for(self, argument: str, hooks: Iterable[Method] = ()) -> bool:
        """Whether any method takes it, or any of the functions that follow."""
        own = (self.init, self.warm_up, self.predict, self.post_predict)
        methods = (*own, *hooks)
        return any(method and argument in method.arguments for method in methods)


def interface_of(cls: type, *, is_batched: bool = False) -> Interface:
    """Check a predictor class and describe it.

    Args:
        cls: The class.
        is_batched: Whether one call of it answers several requests.

    Raises:
        InterfaceError: It is no class, has no `predict`, or asks for an argument that
            nobody can give.
    """
    if not inspect.isclass(cls):
        msg = f"a predictor must be a class, got {cls!r}"
        raise InterfaceError(msg)
    return Interface(
        init=_method(cls, "__init__", cls.__init__),
        predict=_batched(cls) if is_batched else _single(cls),
        post_predict=_optional(cls, "post_predict"),
        warm_up=_optional(cls, "warm_up"),
        load_model=_load_model(cls),
    )


def _optional(cls: type, name: str) -> Method | None:
    function = getattr(cls, name, None)
    return _method(cls, name, function) if function else None


def _load_model(cls: type) -> Method | None:
    method = _optional(cls, "load_model")
    if method and method.is_async:
        msg = f"`{cls.__name__}.load_model` must be a `def`: models load in threads"
        raise InterfaceError(msg)
    return method


def _single(cls: type) -> Method:
    predict = getattr(cls, "predict", None)
    if callable(predict):
        return _method(cls, "predict", predict)
    if hasattr(cls, "predict_batch"):
        msg = (
            f"predictor `{cls.__name__}` has `predict_batch` but no `predict`; declare"
            " `batching`, or add a `predict` that answers one request"
        )
        raise InterfaceError(msg)
    raise InterfaceError(_nothing_to_call(cls))


def _batched(cls: type) -> Method:
    """Its `predict_batch`, or its `predict` where that takes a list of payloads."""
    name = "predict_batch" if hasattr(cls, "predict_batch") else "predict"
    function = getattr(cls, name, None)
    if not callable(function):
        raise InterfaceError(_nothing_to_call(cls))
    where = f"`{cls.__name__}.{name}`"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = (
            f"{where} is a generator, but with `batching` it answers several requests:"
            " return a list with a result for each, or declare no `batching`"
        )
        raise InterfaceError(msg)
    method = _method(cls, name, function)
    item, result = _item_type(method, where), _result_type(method.returns)
    return replace(method, payload_type=item, returns=result)


def _item_type(method: Method, where: str) -> Any:  # noqa: ANN401  # a hint
    """The type of one payload of many, None where any will do."""
    hint = method.payload_type
    if typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    if hint is list or typing.get_origin(hint) is list:
        return next(iter(typing.get_args(hint)), None)
    if hint is None and method.name == "predict_batch":
        return None
    shown = str(hint) if typing.get_origin(hint) else getattr(hint, "__name__", hint)
    given = "no type" if hint is None else f"the type `{shown}`"
    item = "Item" if hint is None else shown
    msg = (
        f"`batching` gives {where} a list of payloads, but its `payload` has {given}:"
        f" declare `payload: list[{item}]`"
    )
    if method.name == "predict":
        msg += ", or add a method `predict_batch`"
    raise InterfaceError(msg)


def _result_type(hint: Any) -> Any:  # noqa: ANN401  # a hint
    """The type of one result of many, None where it is not known."""
    if typing.get_origin(hint) is list:
        return next(iter(typing.get_args(hint)), None)
    return None


def _nothing_to_call(cls: type) -> str:
    near = difflib.get_close_matches("predict", vars(cls), 1)
    hint = f"; `{near[0]}` looks like it, rename it" if near else ""
    return f"predictor `{cls.__name__}` has no method `predict`{hint}"


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
    arguments = [parameter.name for parameter in parameters]
    return _described(function.__qualname__, function, arguments, where)


def _check_hook(function: Callable[..., Any], where: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = f"{where} runs after the response, so it must not `yield`"
        raise InterfaceError(msg)


def _method(cls: type, name: str, function: Callable[..., Any]) -> Method:
    where = f"`{cls.__name__}.{name}`"
    if name == "post_predict":
        _check_hook(function, where)
    return _described(name, function, _arguments(cls, name, where), where)


def _described(
    name: str, function: Callable[..., Any], arguments: list[str], where: str
) -> Method:
    hints = _hints(function, where) if "payload" in arguments else {}
    return Method(
        name=name,
        arguments=frozenset(arguments),
        is_async=inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function),
        payload_type=hints.get("payload"),
        returns=hints.get("return"),
        doc=inspect.getdoc(function) or "",
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


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        msg = f"{where}: the type of `payload` cannot be resolved: {error}"
        raise InterfaceError(msg) from error


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
