"""LitServe with one API process and one inference worker on the CPU.

It reads JSON and forms only, so w5bin arrives as a file in a form. `Request` is how it
is told to do so: what a method gets is what the body holds.

Usage: python litserve_api.py WORKLOAD PORT
"""

import sys
from typing import Any

import litserve as ls
import model
from fastapi import Request


class W1(ls.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002  # the CPU
        self.predictor: Any = model.label

    def decode_request(self, request: Request) -> Any:  # noqa: ANN401  # decoded JSON
        return request["x"]

    def predict(self, x: Any) -> int:  # noqa: ANN401  # what decode_request returns
        return self.predictor(x)  # type: ignore[no-any-return]  # predictors return int

    def encode_response(self, output: int) -> dict[str, int]:
        return {"y": output}


class W2(ls.LitAPI):
    def setup(self, device: str) -> None:
        pass

    async def decode_request(self, request: Request) -> Any:  # noqa: ANN401  # decoded JSON
        return request["x"]

    async def predict(self, x: list[float]) -> int:
        return await model.label_async(x)

    async def encode_response(self, output: int) -> dict[str, int]:
        return {"y": output}


class W3(W1):
    def setup(self, device: str) -> None:  # noqa: ARG002  # the CPU
        self.predictor = model.iris()


class W4(W1):
    def setup(self, device: str) -> None:  # noqa: ARG002  # the CPU
        self.predictor = model.label_batch

    def batch(self, inputs: list[list[float]]) -> list[list[float]]:
        return inputs

    def unbatch(self, output: list[int]) -> list[int]:
        return output


class W5Json(W1):
    def setup(self, device: str) -> None:  # noqa: ARG002  # the CPU
        self.predictor = model.count

    def encode_response(self, output: int) -> dict[str, int]:
        return {"n": output}


class W5Bin(W5Json):
    def setup(self, device: str) -> None:  # noqa: ARG002  # the CPU
        self.predictor = len

    def decode_request(self, request: Request) -> bytes:
        return request["content"].file.read()


class W6(W1):
    def predict(self, x: list[float]) -> int:
        self.log("answered", 1)
        return super().predict(x)


class Hook(ls.Logger):  # runs in a process of its own
    def process(self, key: str, value: int) -> None:  # noqa: ARG002  # all the same
        model.hook()


def server(workload: str) -> ls.LitServer:
    if workload == "w2":
        return ls.LitServer(W2(enable_async=True), accelerator="cpu")
    if workload == "w4":
        limits = {
            "max_batch_size": model.MOST_IN_BATCH,
            "batch_timeout": model.LONGEST_WAIT_SECONDS,
        }
        return ls.LitServer(W4(**limits), accelerator="cpu")
    if workload == "w6":
        return ls.LitServer(W6(), accelerator="cpu", loggers=Hook())
    api = {"w1": W1, "w3": W3, "w5json": W5Json, "w5bin": W5Bin}[workload]
    return ls.LitServer(api(), accelerator="cpu")


if __name__ == "__main__":
    server(sys.argv[1]).run(
        host="127.0.0.1",
        port=int(sys.argv[2]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
