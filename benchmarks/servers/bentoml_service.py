"""BentoML with one worker and no access log, one service for each workload.

Usage: bentoml serve bentoml_service:W1 --port PORT
"""

from pathlib import Path

import bentoml
import model

service = bentoml.service(workers=1, logging={"access": {"enabled": False}})


@service
class W1:
    @bentoml.api(route="/predict")
    def predict(self, x: list[float]) -> dict[str, int]:
        return {"y": model.label(x)}


@service
class W2:
    @bentoml.api(route="/predict")
    async def predict(self, x: list[float]) -> dict[str, int]:
        return {"y": await model.label_async(x)}


@service
class W3:
    def __init__(self) -> None:
        self.classify = model.iris()

    @bentoml.api(route="/predict")
    def predict(self, x: list[float]) -> dict[str, int]:
        return {"y": self.classify(x)}


@service
class W5json:
    @bentoml.api(route="/predict")
    def predict(self, x: list[float]) -> dict[str, int]:
        return {"n": model.count(x)}


@service
class W5bin:
    @bentoml.api(route="/predict")
    def predict(self, body: Path, /) -> dict[str, int]:  # it writes a body to a file
        return {"n": len(body.read_bytes())}


@service
class W6:
    @bentoml.api(route="/predict")
    def predict(self, x: list[float], ctx: bentoml.Context) -> dict[str, int]:
        ctx.response.background.add_task(model.hook)
        return {"y": model.label(x)}
