"""From what a predictor returns to named tensors."""

import dataclasses
from typing import Any

from cortex_server.worker.v2 import datatypes
from cortex_server.worker.v2.datatypes import BOOL, BYTES, accepts, datatype_of
from cortex_server.worker.v2.port import Port
from cortex_server.worker.v2.tensor import TensorError, flat

Json = dict[str, Any]

_INT64 = range(-(1 << 63), 1 << 63)
_UINT64 = range(1 << 64)


class Output:
    """A tensor on its way out."""

    def __init__(self, datatype: str, shape: list[int], values: Any) -> None:  # noqa: ANN401  # a list or an array
        self.datatype = datatype
        self.shape = shape
        self._values = values

    def binary(self) -> bytes:
        """The elements as binary data."""
        if isinstance(self._values, list):
            return datatypes.packed(self.datatype, self._values)
        little: bytes = self._values.astype(
            self._values.dtype.newbyteorder("<"), copy=False
        ).tobytes()
        return little

    def json(self) -> list[Any]:
        """The elements as JSON has them, in row-major order.

        Raises:
            TensorError: They are bytes that are no text.
        """
        if not isinstance(self._values, list):
            found: list[Any] = self._values.ravel().tolist()
            return found
        if self.datatype != BYTES:
            return self._values
        try:
            return [v.decode() if isinstance(v, bytes) else v for v in self._values]
        except UnicodeDecodeError:
            msg = "holds bytes that are no text; ask for it with `binary_data`"
            raise TensorError(msg) from None


def named_values(result: Any) -> dict[str, Any] | None:  # noqa: ANN401  # the user's
    """The parts of a result that has names for them, None of any other."""
    if isinstance(result, dict):
        return {str(name): value for name, value in result.items()}
    if hasattr(type(result), "model_fields"):  # of pydantic
        return dict(result)
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        fields = dataclasses.fields(result)
        return {one.name: getattr(result, one.name) for one in fields}
    if hasattr(result, "columns") and hasattr(result, "to_numpy"):  # of pandas
        return {str(name): result[name].to_numpy() for name in result.columns}
    return None


def output_of(value: Any, declared: Port | None) -> Output:  # noqa: ANN401  # the user's
    """A part of a result as a tensor.

    Raises:
        TensorError: It is none; the message says what it is.
    """
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "__array__") or _holds_arrays(value):
        return _of_array(value)
    if isinstance(value, list | tuple):
        values = _lists(value)
        shape = _shape(values)
        elements = flat(values, shape)
    else:
        shape, elements = [1], [value]
    datatype = _datatype(elements, declared)
    if datatype == "FP64":
        elements = [float(one) for one in elements]
    return Output(datatype, shape, elements)


def _holds_arrays(value: Any) -> bool:  # noqa: ANN401  # the user's
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return hasattr(value, "__array__")


def _of_array(value: Any) -> Output:  # noqa: ANN401  # the user's
    import numpy as np  # noqa: PLC0415  # who has such values has it

    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        msg = f"is a {type(value).__name__} that is no array: {error}"
        raise TensorError(msg) from None
    shape = list(array.shape) or [1]
    datatype = datatype_of(array.dtype.name)
    if datatype is not None:
        return Output(datatype, shape, array)
    elements = array.ravel().tolist()
    if all(isinstance(one, str | bytes) for one in elements):
        return Output(BYTES, shape, elements)
    msg = f"is an array of {array.dtype.name}, which the protocol does not have"
    raise TensorError(msg)


def _lists(value: Any) -> Any:  # noqa: ANN401  # the user's
    if isinstance(value, list | tuple):
        return [_lists(part) for part in value]
    return value


def _shape(values: Any) -> list[int]:  # noqa: ANN401  # nested lists
    shape = []
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0] if values else None
    return shape


def _datatype(elements: list[Any], declared: Port | None) -> str:
    found = _found(elements)
    wanted = declared.datatype if declared else None
    if wanted and (found is None or accepts(wanted, found)):
        return wanted
    return found or "FP64"


def _found(elements: list[Any]) -> str | None:
    kinds = set(map(type, elements))
    if not kinds:
        return None
    if kinds == {bool}:
        return BOOL
    if kinds <= {int, bool}:
        return _integer(min(elements), max(elements))
    if kinds <= {int, float, bool}:
        return "FP64"
    if all(issubclass(kind, str | bytes) for kind in kinds):
        return BYTES
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    msg = f"holds {names}, which are no elements of a tensor"
    raise TensorError(msg)


def _integer(lowest: int, highest: int) -> str:
    if lowest in _INT64 and highest in _INT64:
        return "INT64"
    if lowest in _UINT64 and highest in _UINT64:
        return "UINT64"
    msg = "holds an integer of more than 64 bits"
    raise TensorError(msg)
