import functools
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from cortex_server.interface import (
    ARGUMENTS,
    InterfaceError,
    Method,
    hook_of,
    interface_of,
)


class Item(BaseModel):
    x: int


class Full:
    def __init__(self, config: dict[str, Any], logger: object) -> None: ...

    async def predict(self, payload: Item, *, headers: object) -> int:
        return payload.x

    def post_predict(self, response: object, payload: object) -> None: ...


class Bare:
    def predict(self) -> int:
        return 1


def refusal(cls: object) -> str:
    with pytest.raises(InterfaceError) as caught:
        interface_of(cls)  # type: ignore[arg-type]  # may be wrong
    return str(caught.value)


def test_the_arguments_of_each_method_are_those_it_names() -> None:
    interface = interface_of(Full)

    assert interface.init.arguments == {"config", "logger"}
    assert interface.predict.arguments == {"payload", "headers"}
    assert interface.post_predict
    assert interface.post_predict.arguments == {"response", "payload"}


def test_a_class_needs_nothing_but_predict() -> None:
    interface = interface_of(Bare)

    assert interface.init.arguments == interface.predict.arguments == frozenset()
    assert interface.post_predict is None
    assert interface.warm_up is None


def test_methods_may_be_inherited() -> None:
    class Child(Full):
        pass

    assert interface_of(Child) == interface_of(Full)


@pytest.mark.parametrize("method", ARGUMENTS)
def test_every_argument_may_be_asked_for(method: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def function(self, {', '.join(ARGUMENTS[method])}): ...", scope)
    cls = type("Iris", (Bare,), {method: scope["function"]})

    is_batched = method == "predict_batch"
    found = getattr(
        interface_of(cls, is_batched=is_batched),
        "predict" if is_batched else method.strip("_"),
    )

    assert found.arguments == set(ARGUMENTS[method])


def test_an_async_method_is_known_as_one() -> None:
    interface = interface_of(Full)

    assert interface.predict.is_async
    assert not interface.init.is_async


def test_the_body_is_wanted_where_payload_is_asked_for() -> None:
    assert interface_of(Full).predict.wants_payload
    assert not interface_of(Bare).predict.wants_payload


def test_the_type_of_payload_is_its_hint() -> None:
    class Text:
        def predict(self, payload: "Annotated[list[Item], 'non-empty']") -> None: ...

    scope: dict[str, Any] = {}
    exec("class Untyped:\n  def predict(self, payload): ...", scope)

    assert interface_of(Full).predict.payload_type is Item
    assert (
        interface_of(Text).predict.payload_type == (Annotated[list[Item], "non-empty"])
    )
    assert interface_of(scope["Untyped"]).predict.payload_type is None
    assert interface_of(Bare).predict.payload_type is None


def test_static_and_class_methods_have_no_self_to_leave_out() -> None:
    class Static:
        @staticmethod
        def predict(payload: int) -> None: ...

        @classmethod
        def post_predict(cls, response: int) -> None: ...

    interface = interface_of(Static)

    assert interface.predict.arguments == {"payload"}
    assert interface.post_predict
    assert interface.post_predict.arguments == {"response"}


def test_a_decorated_method_has_the_arguments_of_the_original() -> None:
    def traced(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: object, **kwargs: object) -> object:
            return function(*args, **kwargs)

        return wrapper

    class Traced:
        @traced
        def predict(self, payload: int) -> None: ...

    assert interface_of(Traced).predict.arguments == {"payload"}


@pytest.mark.parametrize("value", [5, "Iris", None, Bare(), len])
def test_what_is_no_class_is_refused(value: object) -> None:
    assert refusal(value) == f"a predictor must be a class, got {value!r}"


def test_a_class_without_predict_is_refused() -> None:
    class Empty:
        predict = "text"

    class Typo:
        def predicts(self) -> None: ...

    assert refusal(Empty).startswith("predictor `Empty` has no method `predict`")
    assert refusal(Typo) == (
        "predictor `Typo` has no method `predict`; `predicts` looks like it, rename it"
    )


def test_an_attribute_in_the_place_of_a_hook_is_refused() -> None:
    class Wrong(Bare):
        post_predict = 5

    assert refusal(Wrong) == "`Wrong.post_predict` must be a method"


@pytest.mark.parametrize("word", ["def", "async def"])
def test_a_hook_that_yields_is_refused(word: str) -> None:
    scope: dict[str, Any] = {"Bare": Bare}
    source = f"class Wrong(Bare):\n  {word} post_predict(self): yield"
    exec(f"{source}\n{word} record(): yield", scope)
    why = "runs after the response, so it must not `yield`"

    assert refusal(scope["Wrong"]) == f"`Wrong.post_predict` {why}"
    assert hook_refusal(scope["record"]) == f"`record` {why}"


def hook_refusal(function: Any) -> str:
    with pytest.raises(InterfaceError) as caught:
        hook_of(function)
    return str(caught.value)


def test_a_function_may_take_what_the_method_may_but_self() -> None:
    async def record(payload: Item, *, response: object, config: object) -> None: ...

    hook = hook_of(record)

    assert hook.arguments == {"payload", "response", "config"}
    assert (hook.is_async, hook.payload_type) == (True, Item)
    assert hook.name.endswith("record")
    assert hook_of(lambda: None).arguments == frozenset()
    arguments = ", ".join(ARGUMENTS["post_predict"])
    everything = eval(f"lambda {arguments}: None")
    assert hook_of(everything).arguments == set(ARGUMENTS["post_predict"])


@pytest.mark.parametrize("value", [5, "record", None, Bare, print, functools.partial])
def test_what_is_no_function_is_no_hook(value: object) -> None:
    assert hook_refusal(value) == (
        f"a hook must be a function (`def` or `async def`), got {value!r}"
    )


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        ("respons", "has an unknown argument `respons`; did you mean `response`?"),
        ("self, response", "has an unknown argument `self`; it may take"),
        ("*args", "takes `*args`, but arguments are given by name"),
        ("payload: 'Nowhere'", ": the type of `payload` cannot be resolved"),
    ],
)
def test_a_function_that_cannot_be_called_is_no_hook(
    signature: str, problem: str
) -> None:
    scope: dict[str, Any] = {}
    exec(f"def record({signature}): ...", scope)

    said = hook_refusal(scope["record"])

    assert said.removeprefix("`record`").lstrip().startswith(problem)


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        ("self, paylod", "has an unknown argument `paylod`; did you mean `payload`?"),
        ("self, zzz", "has an unknown argument `zzz`; it may take `payload`,"),
        ("self, response", "has an unknown argument `response`; it may take"),
        (
            "self, *args",
            "takes `*args`, but arguments are given by name: name those of",
        ),
        ("self, **kwargs", "takes `**kwargs`, but arguments are given by name"),
        ("self, payload, /", "takes `payload`, but arguments are given by name"),
        ("", "must take `self` as its first argument"),
    ],
)
def test_arguments_that_nobody_can_give_are_refused(
    signature: str, problem: str
) -> None:
    scope: dict[str, Any] = {}
    exec(f"class Wrong:\n  def predict({signature}): ...", scope)

    assert refusal(scope["Wrong"]).startswith(f"`Wrong.predict` {problem}")


def test_a_hint_that_cannot_be_resolved_is_refused() -> None:
    class Wrong:
        def predict(self, payload: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821  # that is the claim

    assert refusal(Wrong) == (
        "`Wrong.predict`: the type of `payload` cannot be resolved: name 'Nowhere' is"
        " not defined"
    )


def test_a_method_written_in_c_is_refused() -> None:
    class Wrong:
        predict = max

    assert refusal(Wrong) == (
        "`Wrong.predict` must be written in Python, so that its arguments are known"
    )


def batched(cls: type) -> Method:
    return interface_of(cls, is_batched=True).predict


def predictor_with(method: str, signature: str = "") -> type:
    scope: dict[str, Any] = {"Item": Item, "Annotated": Annotated}
    exec(f"class P:\n  {method}(self{signature}): ...", scope)
    cls: type = scope["P"]
    return cls


@pytest.mark.parametrize(
    ("method", "hint", "item"),
    [
        ("def predict", "list[Item]", Item),
        ("def predict", "list", None),
        ("def predict", "'list[Item]'", Item),
        ("def predict", "Annotated[list[list[int]], 'some']", list[int]),
        ("def predict_batch", "list[bytes]", bytes),
        ("async def predict_batch", "list[Item]", Item),
    ],
)
def test_with_batching_the_type_of_a_payload_is_that_of_one_in_the_list(
    method: str, hint: str, item: object
) -> None:
    found = batched(predictor_with(method, f", payload: {hint}"))

    assert found.payload_type == item
    assert found.name == method.rpartition(" ")[2]
    assert found.is_async == method.startswith("async")


def test_payloads_of_predict_batch_may_have_no_type() -> None:
    assert (
        batched(predictor_with("def predict_batch", ", payload")).payload_type is None
    )
    assert not batched(predictor_with("def predict_batch")).wants_payload


def test_predict_batch_is_what_batching_calls_and_predict_what_else_does() -> None:
    class Both:
        async def predict(self, payload: int) -> int:
            return payload

        def predict_batch(self, payload: list[Item]) -> list[int]:
            return [one.x for one in payload]

    assert batched(Both).name == "predict_batch"
    assert not batched(Both).is_async
    assert interface_of(Both).predict.name == "predict"
    assert interface_of(Both).predict.payload_type is int


@pytest.mark.parametrize(
    ("signature", "given", "item"),
    [
        (", payload: Item", "the type `Item`", "Item"),
        (", payload: 'dict[str, Item]'", "the type `dict[str, ", "dict[str, "),
        (", payload", "no type", "Item"),
        ("", "no type", "Item"),
    ],
)
def test_batching_is_refused_where_predict_takes_no_list(
    signature: str, given: str, item: str
) -> None:
    with pytest.raises(InterfaceError) as caught:
        batched(predictor_with("def predict", signature))

    said = str(caught.value)
    assert said.startswith(
        "`batching` gives `P.predict` a list of payloads, but its `payload` has"
        f" {given}"
    )
    assert f"declare `payload: list[{item}" in said
    assert said.endswith("]`, or add a method `predict_batch`")


def test_a_predict_batch_whose_payload_is_no_list_is_refused() -> None:
    with pytest.raises(InterfaceError) as caught:
        batched(predictor_with("def predict_batch", ", payload: Item"))

    assert str(caught.value) == (
        "`batching` gives `P.predict_batch` a list of payloads, but its `payload` has"
        " the type `Item`: declare `payload: list[Item]`"
    )


def test_predict_batch_without_batching_or_predict_is_refused() -> None:
    assert refusal(predictor_with("def predict_batch", ", payload")) == (
        "predictor `P` has `predict_batch` but no `predict`; declare `batching`, or add"
        " a `predict` that answers one request"
    )


def test_batching_is_refused_where_there_is_nothing_to_call() -> None:
    class Empty:
        def predict_one(self) -> None: ...

    with pytest.raises(InterfaceError, match="`Empty` has no method `predict`"):
        batched(Empty)


@pytest.mark.parametrize("how", ["def predict", "async def predict_batch"])
def test_a_generator_is_refused_with_batching(how: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"class P:\n  {how}(self, payload: list[int]): yield 1", scope)

    with pytest.raises(InterfaceError, match="is a generator, but with `batching` it"):
        batched(scope["P"])


def test_arguments_of_predict_batch_are_checked_too() -> None:
    with pytest.raises(InterfaceError) as caught:
        batched(predictor_with("def predict_batch", ", paylod"))

    assert str(caught.value) == (
        "`P.predict_batch` has an unknown argument `paylod`; did you mean `payload`?"
    )
