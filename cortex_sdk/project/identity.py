"""What is from a notebook as a hash: its code, and all that it refers to.

Pickling the same class twice gives different bytes, so bytes cannot tell whether a
cell changed. This walks the class instead: code without file names and line numbers,
globals and closures that the code names, data by its structure. A cell that runs
again, here or in another process, gives the same identity.
"""

import functools
import hashlib
import operator
import struct
import types
from collections import ChainMap, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, TypeVar

import cloudpickle

from cortex_sdk.project.code import code_parts, global_names, is_found_by_name
from cortex_sdk.project.pickling import cannot_travel
from cortex_sdk.project.script import MAIN_NAMES

_Seen = ChainMap[int, tuple[int, object]]

_typevar_parts = operator.attrgetter(
    "__name__", "__bound__", "__constraints__", "__covariant__", "__contravariant__"
)
# What Python and pydantic derive from the rest of a class; some of it has line numbers
# or addresses in it.
_DERIVED = frozenset(
    {
        "__annotations_cache__",
        "__dict__",
        "__firstlineno__",
        "__module__",
        "__signature__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
    }
)
_FIELDS, _DECORATORS = "__pydantic_fields__", "__pydantic_decorators__"
_DESCRIPTORS = (
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
)
_MADE_BY_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def identity_of(thing: type | types.FunctionType) -> str:
    """sha256 of a class or a function and of everything it refers to, in hex.

    Raises:
        InvalidSpecError: It refers to something that cannot be taken apart, and so
            could not be pickled either.
    """
    walk = _Walk(ChainMap())
    try:
        walk.add(thing)
    except Exception as error:  # objects of the user's take themselves apart
        raise cannot_travel(thing, error) from error
    return walk.hash.hexdigest()


class _Walk:
    """One pass over a graph of objects that feeds a hash."""

    def __init__(self, seen: _Seen) -> None:
        self.hash = hashlib.sha256()
        # With the objects: the id of a temporary one would be given out again.
        self._seen = seen.new_child()
        self._count = len(seen)

    def add(self, value: Any) -> None:  # noqa: ANN401  # anything a user has
        """Feed a value. What can be part of a cycle is fed once, then by number."""
        kind = type(value)
        if kind in _PLAIN:
            self._feed(kind.__name__, _PLAIN[kind](value))
        elif kind is tuple:
            self._sequence("tuple", value)
        elif kind is frozenset:
            self._unordered("frozenset", value)
        elif id(value) in self._seen:
            self._feed("seen", str(self._seen[id(value)][0]).encode())
        else:
            self._seen[id(value)] = (self._count, value)
            self._count += 1
            self._shared(value)

    def _feed(self, kind: str, data: bytes = b"") -> None:
        self.hash.update(b"%s %d " % (kind.encode(), len(data)) + data)

    def _sequence(self, kind: str, values: Iterable[object]) -> None:
        values = list(values)
        self._feed(kind, str(len(values)).encode())
        for value in values:
            self.add(value)

    def _digest(self, value: object) -> bytes:
        walk = _Walk(ChainMap() if type(value) in _PLAIN else self._seen)
        walk.add(value)
        return walk.hash.digest()

    def _unordered(self, kind: str, values: Iterable[object]) -> None:
        self._sequence(kind, sorted(map(self._digest, values)))

    def _mapping(self, kind: str, items: Iterable[tuple[object, object]]) -> None:
        by_key = sorted(
            ((self._digest(key), value) for key, value in items),
            key=operator.itemgetter(0),
        )
        self._sequence(kind, by_key)

    def _shared(self, value: Any) -> None:  # noqa: ANN401  # anything a user has
        match value:
            case type():
                self._class(value)
            case types.FunctionType():
                self._function(value)
            case types.CodeType():
                self._sequence("code", code_parts(value))
            case TypeVar():
                self._sequence("typevar", _typevar_parts(value))
            case functools._lru_cache_wrapper():  # noqa: SLF001  # it has no other name
                self._sequence("cache", [value.__wrapped__, value.cache_parameters()])
            case _ if isinstance(value, _DESCRIPTORS):
                self._feed("descriptor", value.__qualname__.encode())
            case _:
                self._data(value)

    def _data(self, value: Any) -> None:  # noqa: ANN401  # anything a user has
        kind = type(value)
        if kind is list:
            self._sequence("list", value)
        elif kind is dict:
            self._mapping("dict", value.items())
        elif kind is set:
            self._unordered("set", value)
        elif (kind.__module__, kind.__name__) == ("numpy", "ndarray"):
            self._array(value)
        else:
            self._object(value)

    def _class(self, cls: type) -> None:
        if not cls.__flags__ & _MADE_BY_PYTHON or is_found_by_name(cls):
            self._name(cls.__module__, cls.__qualname__)
            return
        self._sequence("class", [cls.__qualname__, type(cls), cls.__bases__])
        for name, value in sorted(vars(cls).items()):
            if not _is_derived(name):
                self._feed("attribute", name.encode())
                self._attribute(name, value)

    def _attribute(self, name: str, value: Any) -> None:  # noqa: ANN401  # any kind
        if name == _DECORATORS:
            self.add(_validators(value))
        elif type(value) is dict and name.startswith("__"):
            self._sequence("fields", value.items())  # their order counts
        else:
            self.add(value)

    def _function(self, function: types.FunctionType) -> None:
        if is_found_by_name(function):
            self._name(function.__module__, function.__qualname__)
            return
        self._sequence(
            "function",
            [
                function.__qualname__,
                function.__doc__,
                function.__code__,
                function.__defaults__,
                function.__kwdefaults__,
                getattr(function, "__annotate__", None) or function.__annotations__,
                function.__dict__,
                function.__closure__,
            ],
        )
        for name in sorted(set(global_names(function.__code__))):
            self._feed("global", name.encode())
            if name in function.__globals__:
                self.add(function.__globals__[name])

    def _name(self, module: str, qualname: str) -> None:
        self._feed("name", f"{module}:{qualname}".encode())

    def _array(self, array: Any) -> None:  # noqa: ANN401  # numpy may be absent
        self._feed("array", f"{array.dtype.str} {array.shape}".encode())
        if array.dtype.names:  # by field: there is garbage between them
            for name in array.dtype.names:
                self._feed("field", name.encode())
                self.add(array[name])
        elif array.dtype.hasobject or not array.dtype.itemsize:
            self.add(array.tolist())
        else:
            self.hash.update(array.ravel().view("u1"))

    def _object(self, value: Any) -> None:  # noqa: ANN401  # anything a user has
        reduced = _reduced(value)
        if isinstance(reduced, str):
            self._name(getattr(value, "__module__", None) or "", reduced)
            return
        padded: list[Any] = [*reduced, None, None, None]
        make, arguments, state, items, pairs = padded[:5]
        self._sequence("object", [make, arguments, state, list(items or ())])
        if isinstance(value, OrderedDict):
            self._sequence("pairs", pairs or ())
        else:
            self._mapping("pairs", pairs or ())


def _is_derived(name: str) -> bool:
    of_pydantic = name.startswith("__pydantic_") and name not in (_FIELDS, _DECORATORS)
    return of_pydantic or name in _DERIVED


def _validators(decorators: Any) -> list[Any]:  # noqa: ANN401  # private to pydantic
    """What the validators of a pydantic model are for; `cls_ref` holds an address."""
    groups = (getattr(decorators, field.name) for field in fields(decorators))
    return [
        [(name, decorator.info) for name, decorator in group.items()]
        for group in groups
        if isinstance(group, dict)
    ]


_PLAIN: dict[type, Callable[[Any], bytes]] = {
    types.NoneType: lambda _: b"",
    types.EllipsisType: lambda _: b"",
    types.NotImplementedType: lambda _: b"",
    bool: lambda value: b"%d" % value,
    int: lambda value: b"%x" % value,
    float: lambda value: struct.pack(">d", value),
    complex: lambda value: struct.pack(">dd", value.real, value.imag),
    str: lambda value: value.encode(errors="surrogatepass"),
    bytes: lambda value: value,
}
"""How values that refer to nothing become bytes."""


def _reduced(value: Any) -> str | tuple[Any, ...]:  # noqa: ANN401  # any object
    reducer = cloudpickle.Pickler.dispatch_table.get(type(value))
    reduced: str | tuple[Any, ...]
    reduced = reducer(value) if reducer else value.__reduce_ex__(4)
    if isinstance(reduced, str) and getattr(value, "__module__", "") in MAIN_NAMES:
        msg = f"`{reduced}` is known by its name only"
        raise TypeError(msg)
    return reduced
