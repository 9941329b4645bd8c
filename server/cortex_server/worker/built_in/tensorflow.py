"""TensorFlow's SavedModels, by one of their signatures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cortex_server.worker.built_in.kind import Hints, chosen, needed, unfit
from cortex_server.worker.models.store import Models

_DEFAULTS = ("serving_default", "predict")


class SavedModel:
    """A signature, and the model that must live as long as it."""

    def __init__(self, model: Any, key: str | None) -> None:  # noqa: ANN401  # TensorFlow's
        self._model = model
        self.function = model.signatures[_signature_key(list(model.signatures), key)]
        _, self.inputs = self.function.structured_input_signature


class TensorFlow:
    """Takes named inputs, and gives named outputs."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._tensorflow = needed("tensorflow", "tensorflow")
        self._key = config["signature_key"]
        self._keys = config["signature_keys"]

    def load_model(self, path: Path, name: str) -> SavedModel:
        """A folder with `saved_model.pb` in it."""
        model = self._tensorflow.saved_model.load(str(path))
        return SavedModel(model, self._keys.get(name) or self._key)

    def hints(self, _model: object) -> Hints:
        """Arrays by name, whatever the model."""
        named = dict[str, np.ndarray]
        return Hints(named, named)

    def predict(
        self,
        payload: dict[str, np.ndarray],
        query_params: Mapping[str, str],
        models: Models,
    ) -> dict[str, Any]:
        """Give the inputs to the model that the query names."""
        model: SavedModel = chosen(models, query_params)
        if payload.keys() != model.inputs.keys():
            raise unfit(f"this model takes {', '.join(model.inputs)}")
        tensors = {
            name: self._tensorflow.cast(value, model.inputs[name].dtype)
            for name, value in payload.items()
        }
        return {k: v.numpy() for k, v in model.function(**tensors).items()}


def _signature_key(known: list[str], key: str | None) -> str:
    found = [key] if key else [name for name in _DEFAULTS if name in known]
    if not found and len(known) == 1:
        found = known
    if not found or found[0] not in known:
        msg = f"the model has the signatures {', '.join(known) or 'none'}"
        raise ValueError(f"{msg}; name one, `signature_key=...`")
    return found[0]
