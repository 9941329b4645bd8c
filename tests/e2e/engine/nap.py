# ruff: noqa: N802  # names of the protocol
"""A provider of files that take their time: a test double for any slow cloud.

`nap:index:Nap` is a file at `path` with the content `text`. Making it takes `seconds`,
or as long as it takes for the files `until` to appear; with `fault` it fails with that
text. It does what Pulumi's protocol asks, no more.
"""

import os
import sys
import threading
import uuid
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderServicer,
    add_ResourceProviderServicer_to_server,
)


class Naps(ResourceProviderServicer):
    def __init__(self, engine: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))
        self._cancelled = threading.Event()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = MessageToDict(request.olds), MessageToDict(request.news)
        changed = [key for key in {*old, *new} if old.get(key) != new.get(key)]
        some, none = (
            provider_pb2.DiffResponse.DIFF_SOME,
            provider_pb2.DiffResponse.DIFF_NONE,
        )
        return provider_pb2.DiffResponse(
            changes=some if changed else none, diffs=changed
        )

    def Create(self, request: Any, context: Any) -> Any:
        properties = MessageToDict(request.properties)
        if not request.preview:
            self._make(request.urn, properties, context)
        identity = "" if request.preview else uuid.uuid4().hex
        return provider_pb2.CreateResponse(id=identity, properties=request.properties)

    def Update(self, request: Any, context: Any) -> Any:
        if not request.preview:
            self._make(request.urn, MessageToDict(request.news), context)
        return provider_pb2.UpdateResponse(properties=request.news)

    def Read(self, request: Any, context: Any) -> Any:
        there = Path(MessageToDict(request.properties)["path"]).exists()
        return provider_pb2.ReadResponse(
            id=request.id if there else "",
            properties=request.properties,
            inputs=request.inputs,
        )

    def Delete(self, request: Any, context: Any) -> Any:
        properties = MessageToDict(request.properties)
        Path(properties["path"]).unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def _make(self, urn: str, properties: dict[str, Any], context: Any) -> None:
        path = Path(properties["path"])
        Path(f"{path}.begun").touch()
        self._say(
            urn, "Waiting for app ReplicaSet to be available (0/1 Pods available)"
        )
        if self._sleep(properties):
            context.abort(grpc.StatusCode.CANCELLED, "the nap was cut short")
        if properties.get("fault"):
            context.abort(grpc.StatusCode.UNKNOWN, properties["fault"])
        path.write_text(properties.get("text", ""))

    def _sleep(self, properties: dict[str, Any]) -> bool:
        """Whether it was cut short."""
        until = properties.get("until", [])
        while not all(Path(path).exists() for path in until):
            if self._cancelled.wait(0.05):
                return True
        return self._cancelled.wait(properties.get("seconds", 0))

    def _say(self, urn: str, text: str) -> None:
        self._engine.Log(
            engine_pb2.LogRequest(
                severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=True
            )
        )


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    add_ResourceProviderServicer_to_server(Naps(sys.argv[1]), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    server.start()
    sys.stdout.flush()
    cli = os.getppid()
    with suppress(KeyboardInterrupt):  # how Pulumi ends a plugin
        while os.getppid() == cli:
            server.wait_for_termination(1)


if __name__ == "__main__":
    main()
