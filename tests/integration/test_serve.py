"""`cortex serve`: a real replica in the foreground, over loopback."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from commands import Cortex, Running, eventually, free_port

APP = """
import os
from pathlib import Path
from cortex_sdk import SyncAPI

print("imported")

class Echo:
    def __init__(self, config):
        for gate in config.get("gates", []):
            while not Path(gate).exists():
                pass

    def predict(self, payload, query_params):
        if gate := query_params.get("gate"):
            Path(gate + ".entered").touch()
            while not Path(gate).exists():
                pass
        payload = payload if isinstance(payload, list) else None
        return {"payload": payload, "flavour": os.environ.get("FLAVOUR"), "version": 1}

SyncAPI(Echo, config={CONFIG}).deploy("local")
"""


BROKEN = """from cortex_sdk import SyncAPI

class Broken:
    def __init__(self):
        open("nowhere")

    def predict(self):
        return None

SyncAPI(Broken)
"""

NO_SUCH_FILE = "[Errno 2] No such file or directory: 'nowhere'"

TWO = """
from cortex_sdk import SyncAPI

class One:
    def predict(self):
        return "one"

class Two:
    def predict(self):
        return "two"

first, second = SyncAPI(One), SyncAPI(Two)
"""

SECRETIVE = """
import os
from cortex_sdk import SyncAPI

class Secretive:
    def predict(self):
        return os.environ["FROM_FILE"] + " " + os.environ["DECLARED"]

SyncAPI(Secretive, secrets={"DECLARED": "hidden"})
"""


@pytest.fixture
def cortex(tmp_path: Path) -> Cortex:
    """A command line whose home cannot be written, since `serve` needs none."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "no-folder").touch()
    found = Cortex(tmp_path / "no-folder" / "home", project)
    found.environment["TMPDIR"] = str(tmp_path / "tmp")
    found.environment["HOME"] = str(tmp_path / "no-folder")
    return found


@pytest.fixture(autouse=True)
def leaves_nothing_behind(cortex: Cortex) -> Iterator[None]:
    yield
    folder = cortex.environment["TMPDIR"]
    eventually(lambda: not processes_in(folder), "a process was left behind")
    assert list(Path(folder).iterdir()) == []


def processes_in(folder: str) -> list[list[str]]:
    """Command lines that name something in a folder."""
    found = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    return [line for line in found if any(folder in part for part in line or ())]


def workers(cortex: Cortex) -> int:
    lines = processes_in(cortex.environment["TMPDIR"])
    return sum("cortex_server.worker" in line for line in lines)


def app(cortex: Cortex, **config: object) -> Path:
    return cortex.write("app.py", APP.replace("{CONFIG}", repr(config)))


def address(running: Running) -> str:
    """Where it serves, as it says itself."""
    running.says("serves at ")
    found = re.search(r"serves at \S+ and (\S+)/ ", running.err)
    assert found is not None
    return found.group(1)


def post(url: str, payload: object = None) -> httpx.Response:
    return httpx.post(url, json=payload, timeout=30, trust_env=False)


def test_answers_at_the_root_and_at_the_endpoint(cortex: Cortex) -> None:
    app(cortex)

    with cortex.start("serve", "app.py", "--port", 0, FLAVOUR="sweet") as running:
        url = address(running)
        answer = {"payload": [1], "flavour": "sweet", "version": 1}

        assert post(url, [1]).json() == answer
        assert post(f"{url}/echo", [1]).json() == answer
        result = running.end(signal.SIGTERM)

    assert result.code == 0
    assert all(json.loads(line) for line in result.out.splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_accepted_requests_finish(
    cortex: Cortex, tmp_path: Path, number: signal.Signals
) -> None:
    app(cortex)

    with cortex.start("serve", "app.py", "--port", 0) as running:
        with request_in_flight(address(running), tmp_path / "gate") as client:
            running.tell(number)
            running.says("draining")
            (tmp_path / "gate").touch()
            answer = client.recv(1 << 16)
        result = running.end()

    assert answer.startswith(b"HTTP/1.1 200")
    assert result.code == 0


def test_a_second_signal_ends_it_at_once(cortex: Cortex, tmp_path: Path) -> None:
    app(cortex)

    with (
        cortex.start("serve", "app.py", "--port", 0) as running,
        request_in_flight(address(running), tmp_path / "gate") as client,
    ):
        running.tell(signal.SIGINT)
        running.says("draining")
        result = running.end(signal.SIGINT)
        answer = client.recv(1 << 16)

    assert result.code != 0
    assert answer == b""


@contextmanager
def request_in_flight(url: str, gate: Path) -> Iterator[socket.socket]:
    """A connection over which a request was sent; it is answered when `gate` is."""
    to = httpx.URL(url)
    head = f"POST /?gate={gate} HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"
    with socket.create_connection((to.host, to.port or 0), timeout=30) as client:
        client.sendall(head.encode())
        entered = gate.with_name("gate.entered")
        eventually(entered.exists, "the request was never accepted")
        yield client


def test_the_port_opens_only_when_the_predictor_is_ready(
    cortex: Cortex, tmp_path: Path
) -> None:
    app(cortex, gates=[str(tmp_path / "gate")])
    port = free_port()

    with cortex.start("serve", "app.py", "--port", port) as running:
        eventually(lambda: workers(cortex) > 0, "no worker was started")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        assert "serves at" not in running.err

        (tmp_path / "gate").touch()
        assert post(address(running)).status_code == 200


def test_a_signal_while_it_starts_ends_it(cortex: Cortex, tmp_path: Path) -> None:
    app(cortex, gates=[str(tmp_path / "never")])

    with cortex.start("serve", "app.py", "--port", 0) as running:
        eventually(lambda: workers(cortex) > 0, "no worker was started")
        result = running.end(signal.SIGTERM)

    assert result.code == 0
    assert "serves at" not in result.err


def test_a_signal_while_the_file_is_loaded_ends_it(cortex: Cortex) -> None:
    cortex.write("app.py", "print('loading', flush=True)\nwhile True: pass\n")

    with cortex.start("serve", "app.py", "--port", 0) as running:
        running.says("loading")
        result = running.end(signal.SIGTERM)

    assert (result.code, result.err) == (128 + signal.SIGTERM, "loading\n")


def test_health_and_metrics_have_a_port_if_one_is_given(cortex: Cortex) -> None:
    app(cortex)
    port = free_port()

    with cortex.start("serve", "app.py", "--port", 0, "--admin-port", port) as running:
        address(running)
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)

    assert ready.status_code == 200


def test_a_port_in_use_is_one_sentence(cortex: Cortex) -> None:
    app(cortex)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = cortex("serve", "app.py", "--port", port)

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        f"port {port} of 127.0.0.1 is in use; choose another with `--port`, or any"
        " free one with `--port 0`\n"
    )


def test_a_predictor_that_fails_shows_its_own_frames_once(cortex: Cortex) -> None:
    cortex.write("app.py", BROKEN)

    result = cortex("serve", "app.py", "--port", 0)

    assert result.code == 1
    assert result.err.splitlines() == [
        "Traceback (most recent call last):",
        '  File "app.py", line 5, in __init__',
        '    open("nowhere")',
        f"FileNotFoundError: {NO_SUCH_FILE}",
        f"`Broken.__init__` raised FileNotFoundError: {NO_SUCH_FILE}",
    ]


def test_one_of_several_apis_has_to_be_chosen(cortex: Cortex) -> None:
    cortex.write("app.py", TWO)

    result = cortex("serve", "app.py", "--port", 0)

    assert result.code == 1
    assert result.err == (
        "`app.py` declares 2 APIs, and one can be served: `app.py:one` or"
        " `app.py:two`\n"
    )
    for chosen in ("two", "second"):
        with cortex.start("serve", f"app.py:{chosen}", "--port", 0) as running:
            assert post(address(running)).text == "two"


def test_secrets_and_dotenv_reach_the_predictor_and_no_argument(
    cortex: Cortex,
) -> None:
    cortex.write("app.py", SECRETIVE)
    cortex.write(".env", "FROM_FILE=hush")

    with cortex.start("serve", "app.py", "--port", 0) as running:
        answer = post(address(running)).text
        tree = psutil.Process(running.pid).children(recursive=True)
        arguments = " ".join(part for one in tree for part in one.cmdline())

    assert answer == "hush hidden"
    assert "hush" not in arguments
    assert "hidden" not in arguments


def test_api_keys_are_asked_for_and_followed_as_they_change(cortex: Cortex) -> None:
    key, other = "key-0123456789abcdef", "other-0123456789abcdef"
    path = app(cortex)
    path.write_text(path.read_text().replace("config=", "auth={}, config="))
    keys = cortex.write(".api-keys", key)

    with cortex.start("serve", "app.py", "--port", 0, "--reload") as running:
        url = address(running)

        def status(key: str) -> int:
            headers = {"x-api-key": key}
            return httpx.post(url, headers=headers, trust_env=False).status_code

        assert (status(key), status(other)) == (200, 401)
        keys.write_text(other)
        eventually(lambda: (status(key), status(other)) == (401, 200), "no new key")
        assert "reload" not in running.err


def test_reload_serves_the_changed_code(cortex: Cortex) -> None:
    path = app(cortex)

    with cortex.start("serve", "app.py", "--port", 0, "--reload") as running:
        url = address(running)
        assert post(url).json()["version"] == 1

        path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
        running.says("is reloaded")
        assert post(url).json()["version"] == 2
        assert running.end(signal.SIGINT).code == 0


def test_reload_keeps_serving_while_nothing_better_comes_up(
    cortex: Cortex, tmp_path: Path
) -> None:
    path = app(cortex)
    good = path.read_text()

    with cortex.start("serve", "app.py", "--port", 0, "--reload") as running:
        url = address(running)
        path.write_text(good + "\ndef")
        running.says("invalid syntax")
        running.says("serves on as it was")
        assert post(url).json()["version"] == 1

        path.write_text(good.replace("in config", "in 1 / 0 or config"))
        running.says("`Echo.__init__` raised ZeroDivisionError")
        assert post(url).json()["version"] == 1

        path.write_text(good.replace("config={}", "config={'gates': ['never']}"))
        eventually(lambda: workers(cortex) > 1, "no second worker was started")
        path.write_text(good.replace('"version": 1', '"version": 3'))
        running.says("is reloaded")
        assert post(url).json()["version"] == 3
        eventually(lambda: workers(cortex) == 1, "an old worker goes on")


def test_reload_answers_the_requests_that_the_old_code_accepted(
    cortex: Cortex, tmp_path: Path
) -> None:
    path = app(cortex)

    with (
        cortex.start("serve", "app.py", "--port", 0, "--reload") as running,
        request_in_flight(address(running), tmp_path / "gate") as client,
    ):
        path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
        running.says("is reloaded")
        (tmp_path / "gate").touch()
        answer = client.recv(1 << 16)

    assert answer.endswith(b'"version":1}')


def test_reload_passes_health_on_too(cortex: Cortex) -> None:
    path = app(cortex)
    port = free_port()
    options = ("--port", 0, "--admin-port", port, "--reload")

    with cortex.start("serve", "app.py", *options) as running:
        address(running)
        before = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        path.write_text(path.read_text() + "\n")
        running.says("is reloaded")
        after = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text

    assert revision(before) != revision(after)


def revision(metrics: str) -> str:
    found = re.search(r'revision="(\w+)"', metrics)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("options", [[], ["--reload"]], ids=["plain", "reload"])
def test_nothing_is_left_of_one_that_was_killed(
    cortex: Cortex, tmp_path: Path, options: list[str]
) -> None:
    app(cortex)
    temporary = tmp_path / "t"
    temporary.mkdir()

    start = cortex.start(
        "serve", "app.py", "--port", 0, *options, TMPDIR=str(temporary)
    )
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        running = stack.enter_context(start)
        url = address(running)
        tree = psutil.Process(running.pid).children(recursive=True)
        stack.callback(kill, tree)  # whatever this test finds, it leaves nothing
        held = pool.submit(post, f"{url}?gate={tmp_path}/gate")
        eventually((tmp_path / "gate.entered").exists, "no request")
        assert list(temporary.iterdir())

        running.end(signal.SIGKILL)
        if not options:  # else the port was that of the process that is gone
            eventually(lambda: not accepts(url), "still accepts")
            assert any(one.is_running() for one in tree)
        (tmp_path / "gate").touch()

        if not options:
            assert held.result().status_code == 200
        _, left = psutil.wait_procs(tree, timeout=20)
        assert left == []
        assert list(temporary.iterdir()) == []
        held.exception()


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def accepts(url: str) -> bool:
    host, port = url.removeprefix("http://").strip("/").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
