import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from integration.server.replica import running, starting

from cortex_server.manifest import PredictorModule, PredictorPickle

ECHO = """
class P:
    def predict(self, payload):
        return payload
"""


def test_both_the_root_and_the_endpoint_answer() -> None:
    endpoint = "/team/iris"
    with running(ECHO, ("--endpoint", endpoint)) as replica:
        for path in ("/", endpoint):
            assert replica.client.post(path, json=[1]).json() == [1]
            summary = replica.client.get(path).json()
            assert (summary["api"], summary["predictor"]) == ("test", "P")
            assert replica.client.head(path).content == b""

        assert replica.client.post("/other", json=[1]).status_code == 404


@pytest.mark.parametrize(
    "last",
    [
        'SyncAPI(predictor=P).deploy("local")',
        "api = SyncAPI(predictor=P)\ndeployment = api.deploy()",
        'if __name__ == "__main__":\n    raise AssertionError',
    ],
    ids=["bare", "kept", "guarded"],
)
def test_a_script_that_deploys_itself_serves(last: str) -> None:
    with running(f"from cortex_sdk import SyncAPI\n{ECHO}\n{last}\n") as replica:
        assert replica.client.post("/", json=[1]).json() == [1]
        assert not (replica.folder / "agent").exists()  # nothing was deployed


def test_a_script_that_uses_what_a_verb_returned_is_told_about_the_guard() -> None:
    source = f"""from cortex_sdk import SyncAPI
{ECHO}
deployment = SyncAPI(predictor=P).deploy("local")
print(deployment.endpoint)
"""
    with starting(source) as replica:
        assert replica.wait() == 1

        failure = replica.failure()
        assert "`deploy` does nothing while this file is loaded" in failure["message"]
        assert 'under `if __name__ == "__main__":`' in failure["message"]
        assert "print(deployment.endpoint)" in failure["traceback"]


def test_the_verbs_work_again_when_the_file_is_loaded() -> None:
    source = """
import os
class P:
    def __init__(self):
        self.loading = "CORTEX_LOADING" in os.environ
    def predict(self):
        return [self.loading, "CORTEX_LOADING" in os.environ]
"""
    with running(source) as replica:
        assert replica.client.post("/").json() == [False, False]


def test_a_class_from_a_notebook_serves(tmp_path: Path) -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    source = """
FACTOR = 3
class P:
    def __init__(self, config):
        self.offset = config["offset"]
    async def predict(self, payload: int):
        return FACTOR * payload + self.offset
"""
    exec(compile(source, "<ipython-input-7>", "exec"), cell)  # a cell
    path = tmp_path / "class.pkl"
    path.write_bytes(cloudpickle.dumps(cell["P"]))
    predictor = PredictorPickle(identity="x", qualname="P")
    with running(
        {"notes.txt": ""},
        ("--class", str(path)),
        predictor=predictor,
        config={"offset": 1},
    ) as replica:
        assert replica.client.post("/", json=2).json() == 7


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80\x05K\x01."])
def test_a_pickle_that_holds_no_class_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "class.pkl"
    path.write_bytes(content)
    predictor = PredictorPickle(identity="x", qualname="Iris")
    arguments = ("--class", str(path))
    with starting({"a.txt": ""}, arguments, predictor=predictor) as replica:
        assert replica.wait() == 1

        message = replica.failure()["message"]
        assert "`Iris`" in message or "must be a class, got 1" in message


def test_a_notebook_class_needs_its_pickle() -> None:
    predictor = PredictorPickle(identity="x", qualname="Iris")
    with starting({"a.txt": ""}, predictor=predictor) as replica:
        assert replica.wait() == 1

        assert "`Iris` comes from a notebook" in replica.failure()["message"]


def test_a_project_of_several_files_is_the_working_directory() -> None:
    files = {
        "deep/er/app.py": "import near, sibling\nclass Out:\n  class P:\n"
        "    def predict(self): return [near.A, sibling.B, open('data.txt').read()]",
        "deep/er/sibling.py": "B = 2",
        "near.py": "A = 1",
        "data.txt": "hello",
    }
    predictor = PredictorModule(module="app", qualname="Out.P")
    with running(files, predictor=predictor, python_path="deep/er") as replica:
        assert replica.client.post("/").json() == [1, 2, "hello"]


def test_the_environment_is_that_of_the_manifest_and_the_secrets(
    tmp_path: Path,
) -> None:
    source = """
import os
SEEN = os.environ["MINE"]
class P:
    def predict(self):
        return [SEEN, os.environ["MINE"], os.environ["SECRET"], os.environ["SANIC_X"]]
"""
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"SECRET": "s", "MINE": "of the secrets"}))
    env = {"MINE": "of the manifest", "SANIC_X": "x", "SANIC_REQUEST_MAX_SIZE": "1"}
    with running(source, ("--secrets", str(secrets)), env=env) as replica:
        secrets.unlink()
        expected = ["of the secrets", "of the secrets", "s", "x"]
        headers = {"connection": "close"}
        answer = replica.client.post("/", content=b"long", headers=headers)
        assert answer.json() == expected

        replica.worker.kill()
        assert replica.client.post("/").json() == expected  # without the file


def test_two_replicas_may_unpack_one_bundle_at_once(tmp_path: Path) -> None:
    root = ("--root", str(tmp_path / "shared"))
    with starting(ECHO, root) as first, starting(ECHO, root) as second:
        for replica in (first, second):
            replica.wait_until_ready()
            assert replica.client.post("/", json=1).json() == 1

    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_a_project_may_have_files_that_are_named_like_parts_of_the_server() -> None:
    names = ("board", "logs", "app", "process", "server", "secrets", "email")
    files = {f"{name}.py": "raise AssertionError('imported')" for name in names}
    predictor = PredictorModule(module="main", qualname="P")
    with running({**files, "main.py": ECHO}, predictor=predictor) as replica:
        assert replica.client.post("/", json=[1]).json() == [1]
        assert replica.client.post("/", data={"a": "1"}).status_code == 500
        assert replica.client.post("/nope").status_code == 404
        assert replica.metric("cortex_requests_total") == 2


def test_the_digest_of_a_bundle_is_that_of_the_uncompressed_archive() -> None:
    with starting(ECHO) as replica:
        replica.wait_until_ready()
        plain = (replica.folder / "bundle.tar").read_bytes()
        compressed = replica.folder / "bundle.tar.gz"
        compressed.write_bytes(gzip.compress(plain))
        digest = hashlib.sha256(plain).hexdigest()
        with running(ECHO, ("--bundle", str(compressed)), bundle=digest) as other:
            assert other.client.post("/", json=1).json() == 1
