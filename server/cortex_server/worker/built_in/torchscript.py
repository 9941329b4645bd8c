"""TorchScript models: networks of PyTorch that need none of their code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cortex_server.worker.built_in.kind import Hints, chosen, needed, only_file
from cortex_server.worker.models.store import Models


class TorchScript:
    """Takes one array, and gives what the network makes of it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._torch = needed("torch", "torch")
        self._device = config["device"]

    def load_model(self, path: Path) -> Any:  # noqa: ANN401  # torch's
        """The network of the one file there is, ready to be asked."""
        file = only_file(path, (".pt", ".pth", ".ts"))
        return self._torch.jit.load(file, map_location=self._device).eval()

    def hints(self, _model: object) -> Hints:
        """An array in; nothing is known of what comes out."""
        return Hints(np.ndarray)

    def predict(
        self, payload: np.ndarray, query_params: Mapping[str, str], models: Models
    ) -> Any:  # noqa: ANN401  # arrays
        """Give the array to the network that the query names; JSON is float32."""
        network = chosen(models, query_params)
        if payload.dtype == np.float64:
            payload = payload.astype(np.float32)
        with self._torch.inference_mode():
            tensor = self._torch.as_tensor(payload, device=self._device)
            return _arrays(network(tensor))


def _arrays(result: Any) -> Any:  # noqa: ANN401  # tensors
    if isinstance(result, dict):
        return {name: _arrays(each) for name, each in result.items()}
    if isinstance(result, list | tuple):
        return [_arrays(each) for each in result]
    return result.cpu().numpy() if hasattr(result, "cpu") else result
