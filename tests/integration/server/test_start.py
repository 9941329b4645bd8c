import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from integration.server.replica import (
    GATE,
    LIMIT,
    Replica,
    accepts,
    running,
    starting,
    wait_for,
)

PREDICT = "\n    def predict(self, payload): return payload\n"
CASES: dict[str, tuple[str | dict[str, str], dict[str, Any], str, str]] = {
    "an exception in __init__": (
        (
            f"class P:\n    def __init__(self): self.load()\n"
            f"    def load(self): raise ValueError('no model')\n{PREDICT}"
        ),
        {},
        "`P.__init__` raised ValueError: no model",
        (
            'File "app.py", line 2, in __init__\n'
            'File "app.py", line 3, in load\n'
            "ValueError: no model"
        ),
    ),
    "an import error": (
        "from json import nothing\n",
        {},
        "importing `app` raised ImportError: cannot import name 'nothing'",
        'File "app.py", line 1, in <module>\nImportError',
    ),
    "a missing package": (
        {"app.py": "import mine\n", "mine.py": "import not_there\n"},
        {},
        (
            "importing `app` raised ModuleNotFoundError: No module named 'not_there';"
            " install it, or name its package in `requirements`"
        ),
        (
            'File "app.py", line 1, in <module>\n'
            'File "mine.py", line 1, in <module>\n'
            "ModuleNotFoundError: No module named 'not_there'"
        ),
    ),
    "a missing module": (
        {"other.py": ""},
        {},
        "importing `app` raised ModuleNotFoundError: No module named 'app'",
        "ModuleNotFoundError: No module named 'app'",
    ),
    "a syntax error": (
        "class P:\n    def predict(self) return 1\n",
        {},
        "importing `app` raised SyntaxError: expected ':' (app.py, line 2)",
        'File "app.py", line 2\nSyntaxError',
    ),
    "no class": ("p = 1\n", {}, "`app` defines no `P`", ""),
    "no predict": (
        "class P:\n    def predicts(self): pass\n",
        {},
        "predictor `P` has no method `predict`; `predicts` looks like it, rename it",
        "",
    ),
    "an unknown argument": (
        "class P:\n    def predict(self, playload): pass\n",
        {},
        "`P.predict` has an unknown argument `playload`; did you mean `payload`?",
        "",
    ),
    "not a class": (
        "def P(): pass\n",
        {},
        "a predictor must be a class, got <function P",
        "",
    ),
    "a type that cannot be checked": (
        "class Mine: pass\nclass P:\n    def predict(self, payload: Mine): return 1\n",
        {},
        "`payload` is declared as <class 'app.Mine'>, which cannot be checked",
        "",
    ),
    "a type that does not exist": (
        "class P:\n    def predict(self, payload: 'Mine'): return 1\n",
        {},
        "`P.predict`: the type of `payload` cannot be resolved",
        "",
    ),
    "a type that is no Python": (
        "class P:\n    def predict(self, payload: 'list['): return 1\n",
        {},
        "`P.predict`: the type of `payload` cannot be resolved",
        "",
    ),
    "sys.exit": (
        "import sys\nsys.exit('not today')\n",
        {},
        "importing `app` raised SystemExit: not today",
        'File "app.py", line 2, in <module>\nSystemExit: not today',
    ),
    "an exception that is no Exception": (
        "class Panic(BaseException): pass\nraise Panic('native')\n",
        {},
        "importing `app` raised Panic: native",
        'File "app.py", line 2, in <module>\napp.Panic: native',
    ),
    "endless recursion": (
        f"class P:\n    def __init__(self): self.__init__()\n{PREDICT}",
        {},
        "`P.__init__` raised RecursionError: maximum recursion depth exceeded",
        'File "app.py", line 2, in __init__\nRecursionError',
    ),
    "a chain": (
        (
            "try:\n    {}['a']\nexcept KeyError as error:\n"
            "    raise RuntimeError('b') from error\n"
        ),
        {},
        "importing `app` raised RuntimeError: b",
        (
            "File \"app.py\", line 2, in <module>\nKeyError: 'a'\n"
            'File "app.py", line 4, in <module>\nRuntimeError: b'
        ),
    ),
    "a group": (
        (
            "def one(): raise ValueError('one')\n"
            "try:\n    one()\nexcept ValueError as error:\n"
            "    raise ExceptionGroup('all', [error])\n"
        ),
        {},
        "importing `app` raised ExceptionGroup: all (1 sub-exception)",
        (
            'File "app.py", line 3, in <module>\nFile "app.py", line 1, in one\n'
            "ValueError: one"
        ),
    ),
    "an exit from C": (
        "import os\nos._exit(1)\n",
        {},
        "the worker exited with status 1 while it started",
        "",
    ),
    "a crash": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
        {},
        "the worker was killed by SIGSEGV while it started",
        "",
    ),
    "another Python": (
        f"class P:{PREDICT}",
        {"python": "3.10"},
        "the API was deployed from Python 3.10 and cannot run on",
        "",
    ),
    "another bundle": (
        f"class P:{PREDICT}",
        {"bundle": "0" * 64},
        "bundle.tar is not the bundle 000000000000 of the manifest",
        "",
    ),
}


@pytest.fixture(scope="module")
def failing() -> Iterator[dict[str, Replica]]:
    """All of them, started side by side."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(starting(source, **manifest))
            for name, (source, manifest, _, _) in CASES.items()
        }


@pytest.mark.parametrize("case", CASES)
def test_a_replica_that_cannot_start_says_why_and_never_opens(
    failing: dict[str, Replica], case: str
) -> None:
    _, _, message, frames = CASES[case]
    replica = failing[case]

    assert replica.wait() == 1

    failure = replica.failure()
    assert message in failure["message"]
    assert "\n" not in failure["message"]
    traceback = failure["traceback"]
    positions = [traceback.find(part) for part in frames.splitlines()]
    assert positions == sorted(positions)
    assert -1 not in positions
    assert bool(traceback) == bool(frames)
    assert "cortex_server" not in traceback
    assert 'File "/' not in traceback
    assert replica.logged(level="error", event=failure["message"])
    assert not accepts(replica.public_socket)
    assert replica.boot_log == ""


def test_an_address_in_use_is_one_sentence() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        starting(
            f"class P:{PREDICT}",
            ("--listen", f"127.0.0.1:{server.getsockname()[1]}"),
        ) as replica,
    ):
        assert replica.wait() == 1

        address = f"127.0.0.1:{server.getsockname()[1]}"
        sentence = f"cannot listen on {address}: Address already in use"
        assert replica.boot_log == f"{sentence}\n"
        assert replica.failure()["message"] == sentence


def test_two_that_start_at_the_same_time_on_one_address() -> None:
    source = f"{GATE}\nwait_at('start')\nclass P:{PREDICT}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = ("--listen", f"127.0.0.1:{server.getsockname()[1]}")
    with starting(source, listen) as first, starting(source, listen) as second:
        for replica in (first, second):
            wait_for("the project", (replica.folder / "root").exists)
        first.open_gate("start")
        first.wait_until_ready()
        second.open_gate("start")

        assert second.wait() == 1
        assert second.failure()["message"] == (
            f"cannot listen on {listen[1]}: Address already in use"
        )


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "cannot listen on nonsense: "),
        ("127.0.0.1:99999", "cannot listen on 127.0.0.1:99999: "),
        ("unix:/nowhere/at/all.sock", "cannot listen on unix:/nowhere/at/all.sock: "),
        (f"unix:/tmp/{'x' * 200}", "AF_UNIX path too long"),
    ],
)
def test_an_address_that_cannot_be_had_is_one_sentence(
    address: str, reason: str
) -> None:
    with starting(f"class P:{PREDICT}", ("--listen", address)) as replica:
        assert replica.wait() == 1

        assert reason in replica.failure()["message"]
        assert replica.boot_log.count("\n") == 1


@pytest.mark.parametrize("missing", ["--manifest", "--secrets"])
def test_a_file_that_is_not_there_is_one_sentence(missing: str) -> None:
    with starting(f"class P:{PREDICT}", (missing, "/nowhere.json")) as replica:
        assert replica.wait() == 1

        assert "/nowhere.json" in replica.failure()["message"]
        assert replica.boot_log.count("\n") == 1


def test_a_file_is_not_taken_for_a_socket_that_was_left_behind() -> None:
    with starting(f"class P:{PREDICT}") as replica:
        precious = replica.folder / "precious.txt"
        precious.write_text("data")
        with starting(f"class P:{PREDICT}", ("--listen", f"unix:{precious}")) as other:
            assert other.wait() == 1

        assert precious.read_text() == "data"


def test_paths_may_be_relative_to_the_folder_it_is_started_in() -> None:
    with starting("raise ValueError('told')") as replica:
        replica.wait()
        folder = replica.folder
        arguments = ["--manifest", "manifest.json", "--bundle", "bundle.tar"]
        arguments += ["--root", "relative", "--failure", "relative.json"]
        arguments += ["--listen", "unix:a.sock", "--admin", "unix:b.sock"]
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "cortex_server", *arguments],
            cwd=folder,
            check=False,
            capture_output=True,
            timeout=LIMIT,
        )

        assert ended.returncode == 1
        failure = (folder / "relative.json").read_text()
        assert r"File \"app.py\", line 1, in <module>" in failure


def test_a_user_who_prints_before_failing_is_heard() -> None:
    source = "print('loading')\nprint('half', end='')\nraise ValueError\n"
    with starting(source) as replica:
        replica.wait()

        assert replica.logged(event="loading")
        assert replica.logged(event="half")


def test_a_start_that_was_told_is_told_once(failing: dict[str, Replica]) -> None:
    replica = failing["an exception in __init__"]
    replica.wait()

    assert len(replica.log()) == 1
    with running(f"class P:{PREDICT}") as other:
        assert other.log_text == ""
        assert not other.failure_file.exists()
