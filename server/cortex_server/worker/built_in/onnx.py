"""ONNX models, run by onnxruntime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from cortex_server.worker.built_in.kind import Hints, chosen, needed, only_file, unfit
from cortex_server.worker.models.store import Models

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
    **{
        f"tensor({name})": getattr(np, name)
        for bits in (8, 16, 32, 64)
        for name in (f"int{bits}", f"uint{bits}")
    },
}
_TEXT = "tensor(string)"


class OnnxModel:
    """A session, and what goes into it."""

    def __init__(self, session: Any, outputs: list[str] | None) -> None:  # noqa: ANN401  # onnxruntime's
        self._session = session
        self.inputs = {each.name: each for each in session.get_inputs()}
        every = {each.name: each for each in session.get_outputs()}
        unknown = [name for name in outputs or () if name not in every]
        if unknown:
            msg = f"the model has no output {unknown[0]!r}; it has {', '.join(every)}"
            raise ValueError(msg)
        self.outputs = {name: every[name] for name in outputs or every}

    def run(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for inputs by name."""
        if payload.keys() != self.inputs.keys():
            names = ", ".join(self.inputs)
            raise unfit(f"this model takes {names}; got {', '.join(payload) or 'none'}")
        given = {name: self._input(name, value) for name, value in payload.items()}
        results = self._session.run(list(self.outputs), given)
        return dict(zip(self.outputs, results, strict=True))

    def _input(self, name: str, value: Any) -> Any:  # noqa: ANN401  # an array
        wanted = self.inputs[name]
        array = np.asarray(value)
        if not _fits(array.shape, wanted.shape):
            shown = [size if isinstance(size, int) else -1 for size in wanted.shape]
            raise unfit(f"{name} has shape {list(array.shape)}, but {shown} is wanted")
        if wanted.type == _TEXT:
            return _text(array)
        kind = _TYPES.get(wanted.type)
        try:
            return array if kind is None else array.astype(kind, copy=False)
        except (TypeError, ValueError):
            raise unfit(f"{name} must be {wanted.type}, got {array.dtype}") from None


class Onnx:
    """Takes named inputs, and gives named outputs."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._runtime = needed("onnxruntime", "'cortex-sdk[onnx]'")
        self._config = config

    def load_model(self, path: Path) -> OnnxModel:
        """A session of the one `.onnx` file there is."""
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._config["threads"]
        session = self._runtime.InferenceSession(
            only_file(path, (".onnx",)), options, providers=self._config["providers"]
        )
        return OnnxModel(session, self._config["outputs"])

    def hints(self, model: OnnxModel) -> Hints:
        """Types with the names and datatypes of a model's inputs and outputs."""
        return Hints(_record("Inputs", model.inputs), _record("Outputs", model.outputs))

    def predict(
        self,
        payload: dict[str, np.ndarray],
        query_params: Mapping[str, str],
        models: Models,
    ) -> dict[str, Any]:
        """Run the model that the query names."""
        model: OnnxModel = chosen(models, query_params)
        return model.run(payload)


def _fits(shape: tuple[int, ...], wanted: list[int | str | None]) -> bool:
    """Whether a shape is the wanted one, in which names and None are any size."""
    return not wanted or (
        len(shape) == len(wanted)
        and all(
            not isinstance(want, int) or want == have
            for want, have in zip(wanted, shape, strict=True)
        )
    )


def _text(array: Any) -> Any:  # noqa: ANN401  # an array
    texts = [each.decode() if isinstance(each, bytes) else each for each in array.flat]
    return np.array(texts, dtype=object).reshape(array.shape)


def _record(name: str, ports: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a type
    """A TypedDict of arrays; None where one of them is no tensor."""
    array_of: Any = NDArray  # types that are made at run time
    typed_dict: Any = TypedDict
    fields = {}
    for port in ports.values():
        if port.type not in _TYPES and port.type != _TEXT:
            return None
        kind = _TYPES.get(port.type)
        fields[port.name] = np.ndarray if kind is None else array_of[kind]
    return typed_dict(name, fields)
