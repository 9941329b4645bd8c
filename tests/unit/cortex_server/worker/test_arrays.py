from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cortex_server.worker.arrays import is_array


@pytest.mark.parametrize(
    ("hint", "is_one"),
    [
        (np.ndarray, True),
        (npt.NDArray[np.float32], True),
        (np.float32, False),
        (list[float], False),
        (None, False),
    ],
)
def test_tells_arrays_from_other_types(hint: Any, *, is_one: bool) -> None:
    assert is_array(hint) is is_one
