"""A real browser, driven over its own debugging protocol."""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

LIMIT = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-quic", "--remote-debugging-port=0"),
)


def found() -> str | None:
    """The command of a browser that is installed here."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


needed = pytest.mark.skipif(
    found() is None and "CI" not in os.environ,  # there it is a failure
    reason="there is no browser here; install `chromium`",
)


def command() -> str:
    """The same, where a test cannot do without."""
    path = found()
    assert path, "there is no browser here; install `chromium`"
    return path


class Page:
    """One page; what it loads is kept."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.loaded: list[str] = []
        self.errors: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """What a script of the page's gives."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """What a script gives as soon as it is something."""
        limit = time.monotonic() + LIMIT
        while time.monotonic() < limit:
            if value := self.evaluate(script):
                return value
            time.sleep(0.02)
        shown = self.evaluate("document.body?.innerText")
        msg = f"{script} came to nothing; the page shows {shown!r}, {self.errors}"
        raise TimeoutError(msg)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._connection.send(json.dumps(message))
        while True:
            told = json.loads(self._connection.recv(timeout=LIMIT))
            if told.get("id") == number:
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        parameters = told.get("params", {})
        if told.get("method") == "Network.requestWillBeSent":
            self.loaded.append(parameters["request"]["url"])
        elif told.get("method") == "Log.entryAdded":
            self.errors.append(parameters["entry"]["text"])
        elif told.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"]))


@contextmanager
def page(command: str) -> Iterator[Page]:
    """An empty page of a browser that ends with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [command, *FLAGS, f"--user-data-dir={folder}/profile", "about:blank"],
                stdout=output,
                stderr=output,
            )
        try:
            with connect(_address(log), max_size=None, proxy=None) as connection:
                yield Page(connection)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(LIMIT)
            process.kill()
            process.wait()


def _address(log: Path) -> str:
    """Where the first page listens, once the browser says where it does itself."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        said = re.search(r"ws://(\S+?)/devtools", log.read_text(errors="replace"))
        if said:
            return _first_page(said[1])
        time.sleep(0.05)
    raise TimeoutError(log.read_text(errors="replace"))


def _first_page(host: str) -> str:
    targets = httpx.get(f"http://{host}/json/list").json()
    url: str = next(
        one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page"
    )
    return url
