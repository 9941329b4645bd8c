"""FastAPI on uvicorn[standard] as its documentation shows it: a model in, a dict out.

Usage: python fastapi_uvicorn.py WORKLOAD PORT
"""

import functools
import sys

import model
import uvicorn
from batcher import Batcher
from fastapi import BackgroundTasks, FastAPI, Request
from pydantic import BaseModel


class Payload(BaseModel):
    x: list[float]


def w1(payload: Payload) -> dict[str, int]:
    return {"y": model.label(payload.x)}


async def w2(payload: Payload) -> dict[str, int]:
    return {"y": await model.label_async(payload.x)}


def w3(payload: Payload) -> dict[str, int]:
    return {"y": model.iris()(payload.x)}


@functools.cache
def batcher() -> Batcher:
    return Batcher()


async def w4(payload: Payload) -> dict[str, int]:
    return {"y": await batcher().submit(payload.x)}


def w5json(payload: Payload) -> dict[str, int]:
    return {"n": model.count(payload.x)}


async def w5bin(request: Request) -> dict[str, int]:
    return {"n": len(await request.body())}


def w6(payload: Payload, background: BackgroundTasks) -> dict[str, int]:
    background.add_task(model.hook)
    return {"y": model.label(payload.x)}


HANDLERS = {
    "w1": w1,
    "w2": w2,
    "w3": w3,
    "w4": w4,
    "w5json": w5json,
    "w5bin": w5bin,
    "w6": w6,
}

if __name__ == "__main__":
    app = FastAPI()
    app.post("/predict")(HANDLERS[sys.argv[1]])
    port = int(sys.argv[2])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
