"""Models of scikit-learn, or of anything with its methods, from joblib or skops files.

A joblib file is a pickle: loading it runs whatever code it holds. A skops file is
checked first, and only types that are known or trusted are made.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cortex_server.worker.built_in.kind import Hints, chosen, needed, only_file, unfit
from cortex_server.worker.models.store import Models

_INSTALL = "'cortex-sdk[sklearn]'"
_SKOPS = ".skops"
_SUFFIXES = (".joblib", ".pkl", ".pickle", _SKOPS)


class Sklearn:
    """Takes rows, and gives a result for each."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._method = config["method"]
        self._trusted = config["trusted"]
        self._joblib = needed("joblib", _INSTALL)
        # Rows have no names of columns; saying so for each request helps nobody.
        warnings.filterwarnings("ignore", "X does not have valid feature names")

    def load_model(self, path: Path) -> Any:  # noqa: ANN401  # the user's
        """What the one file of the model holds."""
        file = only_file(path, _SUFFIXES)
        model = self._skops(file) if file.suffix == _SKOPS else self._joblib.load(file)
        if not callable(getattr(model, self._method, None)):
            msg = f"`{type(model).__name__}` has no method `{self._method}`"
            raise TypeError(msg)
        return model

    def hints(self, _model: object) -> Hints:
        """Rows in, an array out, whatever the model."""
        return Hints(np.ndarray, np.ndarray)

    def predict(
        self, payload: np.ndarray, query_params: Mapping[str, str], models: Models
    ) -> Any:  # noqa: ANN401  # an array
        """Give the rows to the model that the query names."""
        model = chosen(models, query_params)
        _check(payload, getattr(model, "n_features_in_", None))
        return getattr(model, self._method)(payload)

    def _skops(self, file: Path) -> Any:  # noqa: ANN401  # the user's
        io = needed("skops.io", _INSTALL)
        unknown = set(io.get_untrusted_types(file=file)) - set(self._trusted)
        if unknown:
            msg = (
                f"the file holds types that are not known to be safe: "
                f"{', '.join(sorted(unknown))}; name those that you trust, "
                "`Sklearn(..., trusted=[...])`"
            )
            raise TypeError(msg)
        return io.load(file, trusted=list(self._trusted))


def _check(rows: Any, features: int | None) -> None:  # noqa: ANN401  # an array
    is_text = rows.ndim == 1 and rows.dtype.kind in "US"
    if rows.ndim < 2 and not is_text:  # noqa: PLR2004  # a table has two dimensions
        raise unfit("the payload must be a list of rows, such as [[5.1, 3.5]]")
    if features is not None and not is_text and rows.shape[1] != features:
        raise unfit(f"each row must have {features} values, got {rows.shape[1]}")
