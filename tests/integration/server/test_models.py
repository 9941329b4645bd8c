import contextlib
import http.server
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from integration.server.replica import GATE, Replica, running, starting, wait_for

from cortex_server.manifest import ModelPath, Models

SOURCE = (
    GATE
    + """
import os, json, threading

class Model:
    def __init__(self, text):
        self.text = text

class P:
    def __init__(self, models, config):
        self.models = models
        self.loads = []

    def load_model(self, path, name, version):
        file = path if path.is_file() else path / "model.txt"
        text = file.read_text()
        self.loads.append([name, version, str(path)])
        if text == "broken":
            raise ValueError("cannot make sense of " + text)
        if text.startswith("gate "):
            wait_at(text.removeprefix("gate "))
        return Model(text)

    def predict(self, payload: dict, models):
        if payload.get("loads"):
            return self.loads
        if payload.get("snapshot"):
            return models.snapshot()
        asked = {k: payload[k] for k in ("name", "version") if k in payload}
        model = models.get(**asked)
        if "hold" in payload:
            wait_at(payload["hold"])
        return model.text
"""
)

FAST = 0.1
"""Seconds between two looks for new versions."""


def ask(replica: Replica, **payload: object) -> httpx.Response:
    return replica.client.post("/", json=payload)


def text(replica: Replica, **payload: object) -> str:
    response = ask(replica, **payload)
    assert response.status_code == 200, response.text
    return response.text


def put(folder: Path, *steps: str, text: str) -> None:
    """A version as a careful publisher puts it in place: by one rename."""
    target = folder.joinpath(*steps)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}")
    part.mkdir()
    (part / "model.txt").write_text(text)
    part.rename(target)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_a_model_of_the_project_is_loaded_before_the_first_request() -> None:
    files = {"app.py": SOURCE, "models/iris.txt": "first"}
    models = Models(paths=(ModelPath(name="iris", path="models/iris.txt"),))

    with running(files, models=models) as replica:
        loads = ask(replica, loads=True).json()

        assert [load[:2] for load in loads] == [["iris", 1]]
        assert text(replica) == text(replica, name="iris") == "first"
        assert ask(replica, loads=True).json() == loads


def test_versions_are_whole_numbers_and_the_latest_is_the_highest(folder: Path) -> None:
    put(folder, "iris", "9", text="nine")
    put(folder, "iris", "10", text="ten")

    with running(SOURCE, models=Models(dir=str(folder))) as replica:
        assert text(replica) == text(replica, version="latest") == "ten"
        assert text(replica, version=9) == text(replica, version="9") == "nine"


def test_what_is_not_there_is_404_and_names_what_is(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    put(folder, "rose", "1", text="one")

    with running(SOURCE, models=Models(dir=str(folder))) as replica:
        unknown = ask(replica, name="tulip")
        version = ask(replica, name="iris", version=7)
        unnamed = ask(replica)
        odd = ask(replica, name="iris", version="newest")

    assert unknown.status_code == version.status_code == 404
    assert unknown.json()["detail"] == "there is no model 'tulip'; there is iris, rose"
    assert version.json()["detail"] == "the model 'iris' has no version 7; it has 1"
    assert unnamed.status_code == odd.status_code == 400
    assert unnamed.json()["detail"] == "name one of the models: iris, rose"


def test_requests_that_come_together_load_a_model_once(folder: Path) -> None:
    put(folder, "iris", "1", text="gate open")
    models = Models(dir=str(folder), cache_size=1)

    with (
        running(SOURCE, models=models, threads_per_process=8) as replica,
        ThreadPoolExecutor(8) as pool,
    ):
        asked = [pool.submit(text, replica, name="iris") for _ in range(6)]
        replica.wait_for_metric("cortex_in_flight_requests", 6)
        replica.open_gate("open")

        assert {each.result() for each in asked} == {"gate open"}
        assert len(ask(replica, loads=True).json()) == 1


def test_the_least_recently_used_model_leaves_memory(folder: Path) -> None:
    for name in "abc":
        put(folder, name, "1", text=name)

    with running(SOURCE, models=Models(dir=str(folder), cache_size=2)) as replica:
        for name in "abac":
            text(replica, name=name)

        shown = ask(replica, snapshot=True).json()
        held = [each["name"] for each in shown["models"] if each["in_memory"]]
        assert held == ["a", "c"]
        assert shown["counts"]["memory_evictions"] == 1


def test_a_model_in_use_stays_in_memory_and_others_wait_for_room(folder: Path) -> None:
    put(folder, "a", "1", text="a")
    put(folder, "b", "1", text="b")
    models = Models(dir=str(folder), cache_size=1)

    with (
        running(SOURCE, models=models, threads_per_process=2) as replica,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(text, replica, name="a", hold="go")
        wait_for("the first to be loaded", lambda: replica.log(event="model loaded"))
        second = pool.submit(text, replica, name="b")
        replica.wait_for_metric("cortex_in_flight_requests", 2)
        assert not second.done()
        replica.open_gate("go")

        assert first.result() == "a"
        assert second.result() == "b"


def test_a_broken_model_fails_who_asks_for_it_and_nobody_else(folder: Path) -> None:
    put(folder, "good", "1", text="good")
    put(folder, "bad", "1", text="broken")

    with running(SOURCE, models=Models(dir=str(folder))) as replica:
        answers = [ask(replica, name="bad") for _ in range(5)]
        loads = ask(replica, loads=True).json()

        assert {each.status_code for each in answers} == {500}
        assert "log says why" in answers[0].json()["detail"]
        assert "cannot make sense" not in answers[0].text
        assert len([load for load in loads if load[0] == "bad"]) == 1, "a storm"
        assert text(replica, name="good") == "good"
        told = replica.logged(event="model cannot be loaded", model="bad")
        assert "cannot make sense of broken" in told["exception"]


def test_a_declared_model_that_is_broken_fails_the_start() -> None:
    files = {"app.py": SOURCE, "iris.txt": "broken"}
    models = Models(paths=(ModelPath(name="iris", path="iris.txt"),))

    with starting(files, models=models) as replica:
        assert replica.wait() == 1
        failure = replica.failure()

    assert failure["message"] == (
        "the models cannot be loaded: version 1 of the model 'iris': ValueError: cannot"
        " make sense of broken"
    )
    assert "app.py" in failure["traceback"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/no/such/folder", "/no/such/folder: no such file or directory"),
        ("zz://bucket/models", "nothing is known that reads zz:// URLs"),
        ("abfs://bucket/models", "needs the package `adlfs`; install it"),
        ("memory://nothing", "there is nothing at memory://nothing"),
    ],
)
def test_a_place_that_cannot_be_read_fails_the_start(place: str, reason: str) -> None:
    with starting(SOURCE, models=Models(dir=place)) as replica:
        assert replica.wait() == 1
        assert reason in replica.failure()["message"]


def test_a_new_version_is_served_without_a_request_that_waits(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder), reload_interval=FAST)

    with running(SOURCE, models=models) as replica:
        put(folder, "iris", "2", text="gate open")
        wait_for("the load to begin", lambda: len(ask(replica, loads=True).json()) == 2)
        assert text(replica) == "one"
        replica.open_gate("open")

        wait_for("the new version", lambda: text(replica) == "gate open")
        shown = ask(replica, snapshot=True).json()
        assert shown["models"][0]["in_memory"] == [2]


def test_a_new_version_that_is_broken_leaves_the_old_one_in_place(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder), reload_interval=FAST)

    with running(SOURCE, models=models) as replica:
        put(folder, "iris", "2", text="broken")
        replica.logged(event="model cannot be loaded", version=2)
        assert text(replica) == "one"
        assert ask(replica, version=2).status_code == 500

        put(folder, "iris", "3", text="three")
        wait_for("the one after it", lambda: text(replica) == "three")


def test_files_that_change_are_loaded_anew(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder), reload_interval=FAST)

    with running(SOURCE, models=models) as replica:
        assert text(replica) == "one"
        (folder / "iris/1/model.txt").write_text("another one")
        wait_for("what has changed", lambda: text(replica) == "another one")
        (folder / "iris/1/model.txt").write_text("broken")
        replica.logged(event="model cannot be loaded")
        assert text(replica) == "another one"


def test_what_is_removed_is_served_no_more(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    put(folder, "iris", "2", text="two")
    models = Models(dir=str(folder), reload_interval=FAST)

    with running(SOURCE, models=models) as replica:
        assert text(replica) == "two"
        shutil.rmtree(folder / "iris/2")
        wait_for("the version below", lambda: text(replica) == "one")
        assert ask(replica, version=2).status_code == 404


def test_a_folder_that_cannot_be_read_any_more_changes_nothing(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder), reload_interval=FAST)

    with running(SOURCE, models=models) as replica:
        folder.rename(folder.with_name("gone"))
        replica.logged(event="models cannot be read")
        assert text(replica) == "one"


def test_coroutines_go_on_while_a_model_loads(folder: Path) -> None:
    put(folder, "slow", "1", text="gate open")
    put(folder, "quick", "1", text="quick")
    source = SOURCE.replace("def predict", "async def predict").replace(
        "models.get(", "await models.aget("
    )
    models = Models(dir=str(folder), cache_size=2)

    with (
        running(source, models=models) as replica,
        ThreadPoolExecutor(1) as pool,
    ):
        slow = pool.submit(text, replica, name="slow")
        wait_for("the load to begin", lambda: ask(replica, loads=True).json())
        assert text(replica, name="quick") == "quick"
        assert not slow.done()
        replica.open_gate("open")

        assert slow.result() == "gate open"


def test_a_coroutine_is_told_to_await_what_would_hold_up_the_others(
    folder: Path,
) -> None:
    put(folder, "iris", "1", text="one")
    source = SOURCE.replace("def predict", "async def predict")

    with running(source, models=Models(dir=str(folder), cache_size=1)) as replica:
        assert ask(replica, name="iris").status_code == 500
        assert (
            "await models.aget" in replica.logged(event="predict failed")["exception"]
        )


def test_without_load_model_a_model_is_the_path_of_its_files(folder: Path) -> None:
    put(folder, "iris", "3", text="three")
    source = """
class P:
    async def predict(self, models):
        return (models.get("iris") / "model.txt").read_text()
"""

    with running(source, models=Models(dir=str(folder))) as replica:
        assert replica.client.post("/").text == "three"


class Files(http.server.SimpleHTTPRequestHandler):
    """A plain file server that notes what it was asked for."""

    asked: list[str]
    gate: threading.Event | None

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.gate and self.path.endswith(".txt"):
            self.gate.wait(20)
        with contextlib.suppress(BrokenPipeError):
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # inherited
        """Quiet."""


@contextlib.contextmanager
def file_server(
    folder: Path, gate: threading.Event | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Serves a folder; files come when the gate is open."""
    asked: list[str] = []
    kind = type("Asked", (Files,), {"asked": asked, "gate": gate})

    def handler(*args: object) -> http.server.BaseHTTPRequestHandler:
        return kind(*args, directory=str(folder))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def downloads(asked: list[str]) -> list[str]:
    return [path for path in asked if path.endswith(".txt")]


def test_models_of_a_web_server_are_downloaded_once_and_kept(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    put(folder, "rose", "2", text="two")
    kept = ("--models", str(folder.with_name("kept")))

    with file_server(folder) as (url, asked):
        models = Models(dir=url, reload_interval=FAST)
        for _ in range(2):
            with running(SOURCE, kept, models=models) as replica:
                assert text(replica, name="iris") == "one"
                assert text(replica, name="rose", version=2) == "two"

    assert sorted(downloads(asked)) == ["/iris/1/model.txt", "/rose/2/model.txt"]


def test_a_new_version_on_a_web_server_is_taken_up(folder: Path) -> None:
    put(folder, "iris", "1", text="one")

    with file_server(folder) as (url, _):
        models = Models(dir=url, reload_interval=FAST)
        with running(SOURCE, models=models) as replica:
            put(folder, "iris", "2", text="two")
            wait_for("the new version", lambda: text(replica) == "two")


def test_replicas_that_share_a_folder_download_a_model_once(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    kept = ("--models", str(folder.with_name("kept")))

    with file_server(folder) as (url, asked), contextlib.ExitStack() as stack:
        models = Models(dir=url)
        replicas = [
            stack.enter_context(starting(SOURCE, kept, models=models)) for _ in range(3)
        ]
        for replica in replicas:
            replica.wait_until_ready()
            assert text(replica) == "one"

    assert downloads(asked) == ["/iris/1/model.txt"]


def test_a_download_that_was_killed_is_begun_again(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    kept = folder.with_name("kept")
    gate = threading.Event()

    with file_server(folder, gate) as (url, asked):
        arguments, models = ("--models", str(kept)), Models(dir=url)
        with starting(SOURCE, arguments, models=models) as replica:
            wait_for("the download to begin", lambda: downloads(asked))
            parts = list(kept.glob("*.part"))
            replica.worker.send_signal(signal.SIGKILL)
            replica.wait()
        assert parts == list(kept.glob("*.part")), "what was killed tidies nothing up"
        assert len(parts) == 1
        gate.set()
        with running(SOURCE, arguments, models=models) as replica:
            assert text(replica) == "one"

    assert list(kept.glob("*.part")) == []


def test_models_of_any_file_system_that_fsspec_knows_are_served() -> None:
    source = (
        """
import fsspec
fsspec.filesystem("memory").pipe({"/models/iris/2/model.txt": b"from memory"})
"""
        + SOURCE
    )

    with running(source, models=Models(dir="memory://models")) as replica:
        assert text(replica, name="iris", version=2) == "from memory"


def test_the_least_recently_used_download_leaves_the_disk(folder: Path) -> None:
    for name in "abc":
        put(folder, name, "1", text=name)

    with file_server(folder) as (url, _):
        kept = folder.with_name("kept")
        models = Models(dir=url, cache_size=1, disk_cache_size=2)
        with running(SOURCE, ("--models", str(kept)), models=models) as replica:
            for name in "abc":
                assert text(replica, name=name) == name
            shown = ask(replica, snapshot=True).json()

    assert shown["disk"]["number"] == 2
    assert shown["counts"]["disk_evictions"] == 1
    assert sorted(path.name[0] for path in kept.glob("*-1-*") if path.is_dir()) == [
        "b",
        "c",
    ]


def test_the_summary_lists_models_and_metrics_count_them(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    put(folder, "iris", "2", text="broken")
    put(folder, "rose", "7", text="seven")

    with running(SOURCE, models=Models(dir=str(folder), cache_size=1)) as replica:
        text(replica, name="iris")
        text(replica, name="rose")
        summary = replica.client.get("/").json()

        assert summary["models"] == [
            {
                "name": "iris",
                "versions": [1, 2],
                "latest": 1,
                "in_memory": [],
                "failed": [2],
            },
            {
                "name": "rose",
                "versions": [7],
                "latest": 7,
                "in_memory": [7],
                "failed": [],
            },
        ]
        loads = "cortex_model_loads_total"
        assert replica.metric(loads, model="iris", outcome="failed") == 1
        assert replica.metric(loads, outcome="loaded", api="test") == 2
        assert replica.metric("cortex_model_load_seconds_count") == 2
        assert replica.metric("cortex_model_evictions_total", where="memory") == 1
        assert replica.metric("cortex_models_in_memory") == 1
        assert replica.metric("cortex_models_memory_bytes") == len("seven")


def test_the_repository_of_v2_lists_loads_and_unloads(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder), reload_interval=3600.0)

    with running(SOURCE, models=models) as replica:

        def repository(path: str, body: object = None) -> httpx.Response:
            return replica.client.post(f"/v2/repository/{path}", json=body)

        one = {"name": "iris", "version": "1", "state": "READY", "reason": ""}
        assert repository("index").json() == [one]

        put(folder, "iris", "2", text="two")
        assert repository("models/iris/load").status_code == 200
        assert text(replica) == "two"
        assert repository("index", {"ready": True}).json() == [{**one, "version": "2"}]

        assert repository("models/iris/unload").status_code == 200
        assert repository("index", {"ready": True}).json() == []
        assert text(replica) == "two", "it is loaded again"

        put(folder, "iris", "3", text="broken")
        broken = repository("models/iris/load")
        assert broken.status_code == 500
        assert "cannot be loaded" in broken.json()["error"]
        assert text(replica) == "two"
        assert repository("models/rose/load").status_code == 404
        assert "model_repository" in replica.client.get("/v2").json()["extensions"]


def test_an_api_without_models_has_no_repository() -> None:
    source = "class P:\n    def predict(self):\n        return 1\n"

    with running(source) as replica:
        assert replica.client.post("/v2/repository/index").status_code == 404


def test_several_processes_answer_for_their_models_together(folder: Path) -> None:
    put(folder, "iris", "1", text="one")
    models = Models(dir=str(folder))

    with running(SOURCE, models=models, processes_per_replica=2) as replica:
        assert text(replica) == "one"
        (iris,) = replica.client.get("/").json()["models"]
        assert iris["in_memory"] == [1]
        assert replica.metric("cortex_models_in_memory") == 2
        assert replica.client.post("/v2/repository/models/iris/unload").is_success
        (iris,) = replica.client.get("/").json()["models"]
        assert iris["in_memory"] == []
        assert replica.client.post("/v2/repository/models/no/load").status_code == 404
