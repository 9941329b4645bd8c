"""A tensor, however its elements came: a list, raw bytes, or an array of numpy's."""

from itertools import chain
from math import prod
from typing import Any

from cortex_server.worker.arrays import numpy
from cortex_server.worker.v2 import datatypes
from cortex_server.worker.v2.datatypes import BF16, BYTES

_MOST_LISTS = 1_000_000


class TensorError(ValueError):
    """A tensor whose data, shape and datatype do not fit; the message says how."""


class Tensor:
    """Elements in row-major order with their datatype and shape."""

    def __init__(
        self,
        name: str,
        datatype: str,
        shape: list[int],
        data: list[Any] | memoryview,
    ) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self._data = data

    def elements(self) -> list[Any]:
        """All elements as Python has them; BYTES are bytes, or text from JSON.

        Raises:
            TensorError: They are not of the datatype, or not as many as the shape has.
        """
        data = self._data
        try:
            if isinstance(data, list):
                return datatypes.checked(self.datatype, flat(data, self.shape))
            found = datatypes.unpacked(self.datatype, data)
        except ValueError as error:
            raise TensorError(str(error)) from None
        self._count(len(found))
        return found

    def nested(self) -> Any:  # noqa: ANN401  # lists of lists
        """The elements as lists in lists, as deep as the shape."""
        values: list[Any] = self.elements()
        if 0 in self.shape and prod(self.shape[: self.shape.index(0)]) > _MOST_LISTS:
            msg = f"shape {self.shape} has no elements, but too many empty lists"
            raise TensorError(msg)
        if 0 in self.shape:
            return _empty(self.shape)
        for size in reversed(self.shape[1:]):
            values = [values[at : at + size] for at in range(0, len(values), size)]
        return values if self.shape else values[0]

    def array(self) -> Any:  # noqa: ANN401  # an array of numpy's
        """The elements as an array that may be written to; BF16 becomes float32."""
        module: Any = numpy()
        if isinstance(self._data, list) or self.datatype == BYTES:
            kind = datatypes.numpy_name(self.datatype)
            default = "float32" if self.datatype == BF16 else object
            made = module.array(self.elements(), dtype=kind or default)
        else:
            made = self._from_binary(module, self._data)
        return made.reshape(self.shape)

    def _from_binary(self, module: Any, data: memoryview) -> Any:  # noqa: ANN401  # numpy's
        number, left = divmod(len(data), datatypes.SIZES[self.datatype])
        self._count(-1 if left else number, len(data))
        if self.datatype == BF16:
            halves = module.frombuffer(data, dtype="<u2").astype("<u4")
            return (halves << 16).view("<f4")
        kind = module.dtype(datatypes.numpy_name(self.datatype)).newbyteorder("<")
        return module.frombuffer(data, dtype=kind).copy()

    def _count(self, number: int, size: int = 0) -> None:
        wanted = prod(self.shape)
        if number != wanted:
            has = f"{size} bytes" if number < 0 else f"{number} elements"
            msg = f"shape {self.shape} has {wanted} elements, but the data {has}"
            raise TensorError(msg)


def flat(data: list[Any], shape: list[int]) -> list[Any]:
    """The elements of a list that is flat, or nested as the shape says.

    Raises:
        TensorError: It is neither.
    """
    if data and isinstance(data[0], list):
        _check_rows([data], shape[:1])
        for size in shape[1:]:
            _check_rows(data, [size])
            data = list(chain.from_iterable(data))
    if len(data) != prod(shape):
        msg = f"shape {shape} has {prod(shape)} elements, but `data` {len(data)}"
        raise TensorError(msg)
    return data


def _check_rows(rows: list[Any], size: list[int]) -> None:
    if any(not isinstance(row, list) or [len(row)] != size for row in rows):
        msg = "`data` is nested in another way than `shape` says"
        raise TensorError(msg)


def _empty(shape: list[int]) -> list[Any]:
    if shape[0] == 0 or len(shape) == 1:
        return []
    return [_empty(shape[1:]) for _ in range(shape[0])]
