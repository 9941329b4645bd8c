"""A tensor as a type hint declares it: what goes in or comes out under one name."""

from dataclasses import dataclass
from typing import Any

from cortex_server.worker.arrays import ANY
from cortex_server.worker.v2 import datatypes
from cortex_server.worker.v2.tensor import Tensor, TensorError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Port:
    """Datatype and shape of a tensor, None where any will do; -1 is any size."""

    name: str
    datatype: str | None = None
    shape: tuple[int, ...] | None = None
    is_array: bool = False
    is_scalar: bool = False
    """Whether it is one value, which the protocol writes with shape [1]."""
    is_raw: bool = False
    """Whether BYTES stay bytes rather than text."""
    is_required: bool = True

    def metadata(self) -> Json:
        """It, as the metadata of a model has it.

        The protocol has no word for "any": the parameters say so, and what stands in
        its place is one that is accepted.
        """
        parameters = {}
        if self.datatype is None:
            parameters["datatype"] = ANY
        if self.shape is None:
            parameters["shape"] = ANY
        return {
            "name": self.name,
            "datatype": self.datatype or "FP32",
            "shape": list(self.shape or ()) if self.shape is not None else [-1],
            **({"parameters": parameters} if parameters else {}),
        }

    def value_of(self, tensor: Tensor) -> Any:  # noqa: ANN401  # for the user's type
        """A tensor as what the type takes: an array, lists, or one value.

        Raises:
            TensorError: Datatype or shape are not those declared.
        """
        self._check(tensor)
        if self.is_array:
            return tensor.array()
        value = tensor.nested()
        if self.is_scalar and tensor.shape:
            (value,) = value
        return self._text(value)

    def _check(self, tensor: Tensor) -> None:
        if self.datatype and not datatypes.accepts(self.datatype, tensor.datatype):
            msg = f"datatype {tensor.datatype}, but {self.datatype} is declared"
            raise TensorError(msg)
        if self.shape is not None and not self._fits(tensor.shape):
            msg = f"shape {tensor.shape}, but {list(self.shape)} is declared"
            raise TensorError(msg)

    def _fits(self, shape: list[int]) -> bool:
        wanted = self.shape or ()
        if self.is_scalar and not shape:
            return True
        return len(shape) == len(wanted) and all(
            want in (-1, have) for want, have in zip(wanted, shape, strict=True)
        )

    def _text(self, value: Any) -> Any:  # noqa: ANN401  # nested lists
        if isinstance(value, list):
            return [self._text(part) for part in value]
        if not isinstance(value, bytes) or self.is_raw:
            return value
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            msg = f"text that is not UTF-8: {error}"
            raise TensorError(msg) from None
