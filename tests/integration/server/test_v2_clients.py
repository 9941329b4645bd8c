"""Public clients of the protocol talk to a replica unmodified."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from integration import clients
from integration.conftest import free_port
from integration.server.replica import running

SOURCES = {
    "double": """
import numpy as np

class P:
    def predict(self, payload: np.ndarray):
        return payload * 2
""",
    "shout": """
import numpy as np

class P:
    def predict(self, payload: np.ndarray) -> np.ndarray:
        text = [t if isinstance(t, str) else t.decode() for t in payload.ravel()]
        return np.array([t.upper() for t in text], object).reshape(payload.shape)
""",
    "picture": """
from typing import TypedDict
import numpy as np
import numpy.typing as npt

class Picture(TypedDict):
    image: npt.NDArray[np.uint8]
    gain: float

class P:
    def predict(self, payload: Picture) -> dict[str, np.ndarray]:
        image = payload["image"]
        return {"image": image * payload["gain"], "pixels": image.size}
""",
}


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        found = {}
        for name, source in SOURCES.items():
            address = f"127.0.0.1:{free_port()}"
            listen = ("--listen", address)
            stack.enter_context(running(source, listen, name=name))
            found[name] = address
        yield found


def model_of(claim: str) -> str:
    named = {"strings": "shout", "several": "picture"}
    return next((model for word, model in named.items() if word in claim), "double")


@pytest.mark.parametrize("claim", clients.claims_of(clients.TRITON))
def test_tritons_client(
    client_python: Path, addresses: dict[str, str], claim: str
) -> None:
    address = addresses[model_of(claim)]

    clients.show(client_python, clients.TRITON, claim, address)


@pytest.mark.parametrize("claim", clients.claims_of(clients.KSERVE))
def test_kserves_client(
    client_python: Path, addresses: dict[str, str], claim: str
) -> None:
    address = f"http://{addresses[model_of(claim)]}"

    clients.show(client_python, clients.KSERVE, claim, address)
