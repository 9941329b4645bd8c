"""What the stand-in tells the engine while it works."""

import threading

import grpc
from e2e.provider.awaiting import Tell
from e2e.provider.readiness import Readiness
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """Sends diagnostics of resources to the engine."""

    def __init__(self, address: str) -> None:
        channel = grpc.insecure_channel(address)
        self._engine = engine_pb2_grpc.EngineStub(channel)

    def warn(self, urn: str, text: str) -> None:
        """A warning that stays."""
        self._log(urn, engine_pb2.WARNING, text, ephemeral=False)

    def teller(self, urn: str) -> Tell:
        """A function that passes progress on, each message once."""
        seen: set[str] = set()
        lock = threading.Lock()

        def tell(found: Readiness) -> None:
            with lock:
                for text in [found.message, *found.problems]:
                    if text and text not in seen:
                        bad = text in found.problems
                        level = engine_pb2.WARNING if bad else engine_pb2.INFO
                        self._log(urn, level, text, ephemeral=True)
                seen.clear()
                seen.update([found.message, *found.problems])

        return tell

    def _log(
        self,
        urn: str,
        severity: engine_pb2.LogSeverity.ValueType,
        text: str,
        *,
        ephemeral: bool,
    ) -> None:
        self._engine.Log(
            engine_pb2.LogRequest(
                severity=severity, message=text, urn=urn, ephemeral=ephemeral
            )
        )
