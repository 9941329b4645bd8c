"""Start the plugin: `pulumi-resource-kubernetes [OPTIONS] ENGINE`."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from e2e.provider.engine_log import EngineLog
from e2e.provider.servicer import Servicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

_OPERATIONS = 128  # at once; each waits in a thread of its own


def main() -> None:
    """Serve the engine until it ends; the port goes to standard output."""
    # The engine ends its plugins by an interrupt, when they have nothing to do.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    engine = next(one for one in sys.argv[1:] if not one.startswith("-"))
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_OPERATIONS), options=_GRPC_CHANNEL_OPTIONS
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        Servicer(EngineLog(engine)), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    print(port, flush=True)  # noqa: T201
    server.wait_for_termination()


def _end_with(parent: int) -> None:
    """A plugin whose engine was killed ends too."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
