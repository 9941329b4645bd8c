"""Types that pydantic does not know, as types that it can check: arrays of numpy.

They may be bare, or fields of other types.

It takes long to import: only where a type is to be checked.
"""

import dataclasses
import functools
import operator
import types
import typing
from typing import Annotated, Any, Union

import typing_extensions
from pydantic import BaseModel, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from cortex_server.worker.arrays import ANY, MARK, Hint, is_array, numpy, origin_of


class _Dict(typing_extensions.TypedDict):
    pass


_DICT = type(_Dict)
"""What makes the TypedDicts that pydantic takes; on Python 3.11 not those of typing."""


def checkable(hint: Hint) -> Hint:
    """The same type with everything in it that pydantic cannot check replaced.

    These are arrays, and on Python 3.11 `typing.TypedDict`.
    """
    return _Rewriting().of(hint)


class _Rewriting:
    def __init__(self) -> None:
        self._under_way: list[Hint] = []

    def of(self, hint: Hint) -> Hint:
        if is_array(hint):
            return Annotated[hint, _Array(_type_name(hint))]
        if origin_of(hint):
            return self._generic(hint)
        if not isinstance(hint, type) or hint in self._under_way:
            return hint
        self._under_way.append(hint)
        try:
            return self._with_fields(hint)
        finally:
            self._under_way.pop()

    def _generic(self, hint: Hint) -> Hint:
        origin, arguments = origin_of(hint), typing.get_args(hint)
        if origin is Annotated:
            return Annotated[(self.of(arguments[0]), *arguments[1:])]
        if origin is typing.Literal:
            return hint
        new = tuple(self.of(part) for part in arguments)
        if all(a is b for a, b in zip(arguments, new, strict=True)):
            return hint
        if origin is types.UnionType or origin is Union:
            return functools.reduce(operator.or_, new)
        rebuild: Any = getattr(hint, "copy_with", None) or origin.__class_getitem__
        return rebuild(new)

    def _with_fields(self, cls: type) -> Hint:
        if typing_extensions.is_typeddict(cls):
            return self._typed_dict(cls)
        if dataclasses.is_dataclass(cls):
            return self._dataclass(cls)
        return self._model(cls) if issubclass(cls, BaseModel) else cls

    def _typed_dict(self, cls: Any) -> Hint:  # noqa: ANN401  # a TypedDict
        fields = self._fields(cls)
        if type(cls) is _DICT and fields == _hints(cls):
            return cls
        wrap = {True: typing_extensions.Required, False: typing_extensions.NotRequired}
        keys = {
            name: wrap[name in cls.__required_keys__][_bare(field)]
            for name, field in fields.items()
        }
        made = typing_extensions.TypedDict(cls.__name__, keys)  # type: ignore[misc]  # made at run time
        for name in ("__doc__", "__pydantic_config__"):
            if hasattr(cls, name):
                setattr(made, name, getattr(cls, name))
        return made

    def _dataclass(self, cls: type) -> Hint:
        fields = self._fields(cls)
        if "__pydantic_fields__" in vars(cls) or fields == _hints(cls):
            return cls
        given = [one for one in dataclasses.fields(cls) if one.init]
        keys = {
            one.name: fields[one.name]
            if one.default is one.default_factory is dataclasses.MISSING
            else typing_extensions.NotRequired[fields[one.name]]
            for one in given
        }
        record = typing_extensions.TypedDict(cls.__name__, keys)  # type: ignore[misc]  # made at run time
        return Annotated[cls, _Made(record)]

    def _model(self, cls: type[BaseModel]) -> Hint:
        changed = {}
        for name, field in cls.model_fields.items():
            new = self.of(field.annotation)
            if new is not field.annotation:
                changed[name] = (new, field)
        if not changed:
            return cls
        fields: Any = changed
        return create_model(
            cls.__name__, __base__=cls, __module__=cls.__module__, **fields
        )

    def _fields(self, cls: type) -> dict[str, Hint]:
        return {name: self.of(hint) for name, hint in _hints(cls).items()}


def _hints(cls: type) -> dict[str, Hint]:
    return typing_extensions.get_type_hints(cls, include_extras=True)


def _bare(hint: Hint) -> Hint:
    """A hint without Required and NotRequired around it."""
    wrappers = (typing_extensions.Required, typing_extensions.NotRequired)
    return typing.get_args(hint)[0] if origin_of(hint) in wrappers else hint


def _type_name(hint: Hint) -> str:
    """`float32` of NDArray[np.float32], ANY where it is not one type."""
    arguments = typing.get_args(hint)
    kinds = typing.get_args(arguments[1]) if len(arguments) > 1 else ()
    module: Any = numpy()
    if kinds and isinstance(kinds[0], type) and issubclass(kinds[0], module.generic):
        name: str = module.dtype(kinds[0]).name if _is_one(kinds[0]) else ANY
        return name
    return ANY


def _is_one(kind: type) -> bool:
    module: Any = numpy()
    try:
        return module.dtype(kind).type is kind
    except TypeError:  # an abstract one, such as np.floating
        return False


class _Array:
    """How pydantic checks an array: an array as it is, lists by making one of them."""

    def __init__(self, type_name: str) -> None:
        self._type_name = type_name

    def __get_pydantic_core_schema__(
        self, _source: Hint, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(lambda a: a.tolist())
        return core_schema.no_info_plain_validator_function(
            self._made, serialization=write
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: object
    ) -> dict[str, Any]:
        return {"type": "array", "items": {}, MARK: self._type_name}

    def _made(self, value: Any) -> Any:  # noqa: ANN401  # an array
        module: Any = numpy()
        if isinstance(value, module.ndarray):
            return self._cast(value)
        if not isinstance(value, list | tuple):
            msg = f"an array is written as a list, not {type(value).__name__}"
            raise ValueError(msg)  # noqa: TRY004  # what pydantic reports
        try:
            wanted = None if self._type_name == ANY else self._type_name
            made = module.array(value, dtype=wanted)
        except (ValueError, TypeError, OverflowError) as error:
            msg = f"the list is no array: {error}"
            raise ValueError(msg) from None
        if made.dtype.hasobject:
            msg = "the list is no array: it holds more than numbers, booleans or text"
            raise ValueError(msg)
        return made

    def _cast(self, value: Any) -> Any:  # noqa: ANN401  # an array
        """The array as it is, or of the wanted type where nothing is lost by that."""
        module: Any = numpy()
        if self._type_name in (ANY, value.dtype.name):
            return value
        if not module.can_cast(value.dtype, self._type_name, casting="same_kind"):
            msg = f"an array of {self._type_name} is wanted, not of {value.dtype.name}"
            raise ValueError(msg)
        return value.astype(self._type_name)


class _Made:
    """How pydantic checks a dataclass with arrays: as a dict that it is made of."""

    def __init__(self, record: Hint) -> None:
        self._record = record

    def __get_pydantic_core_schema__(
        self, source: Hint, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda values: source(**values), handler.generate_schema(self._record)
        )
