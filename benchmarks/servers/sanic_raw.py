"""Sanic with nothing on top: what every ratio refers to.

Usage: python sanic_raw.py WORKLOAD PORT
"""

import asyncio
import sys

import model
from batcher import Batcher
from sanic import HTTPResponse, Request, Sanic, json


def w1(request: Request) -> HTTPResponse:
    return json({"y": model.label(request.json["x"])})


async def w2(request: Request) -> HTTPResponse:
    return json({"y": await model.label_async(request.json["x"])})


def w3(request: Request) -> HTTPResponse:
    return json({"y": model.iris()(request.json["x"])})


async def w4(request: Request) -> HTTPResponse:
    return json({"y": await request.app.ctx.batcher.submit(request.json["x"])})


def w5json(request: Request) -> HTTPResponse:
    return json({"n": model.count(request.json["x"])})


def w5bin(request: Request) -> HTTPResponse:
    return json({"n": len(request.body)})


async def w6(request: Request) -> HTTPResponse:
    asyncio.get_running_loop().run_in_executor(None, model.hook)
    return json({"y": model.label(request.json["x"])})


HANDLERS = {
    "w1": w1,
    "w2": w2,
    "w3": w3,
    "w4": w4,
    "w5json": w5json,
    "w5bin": w5bin,
    "w6": w6,
}


async def start_batcher(app: Sanic) -> None:
    app.ctx.batcher = Batcher()


if __name__ == "__main__":
    app = Sanic("benchmark")
    app.add_route(HANDLERS[sys.argv[1]], "/predict", methods=["POST"])
    app.before_server_start(start_batcher)
    app.run("127.0.0.1", int(sys.argv[2]), single_process=True, motd=False)
