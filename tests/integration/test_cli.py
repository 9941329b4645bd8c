"""Every verb of `cortex`, as processes, against the real local target."""

import json
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import Cortex

KEEPER = """
from cortex_sdk import SyncAPI

class Keeper:
    def __init__(self, config):
        self.factor = config.get("factor", 1)

    def predict(self, payload: list[float], logger):
        logger.info("seen", size=len(payload), filler="x" * 200)
        return [self.factor * number for number in payload]

SyncAPI(Keeper, config={}).deploy("local")
"""


@contextmanager
def isolated(project: Path) -> Iterator[Cortex]:
    """A home of its own, and an end of everything that ran in it."""
    # Not a folder of pytest's: sockets need a short path.
    home = Path(tempfile.mkdtemp(prefix="cortex-"))
    cortex = Cortex(home, project)
    try:
        yield cortex
    finally:
        cortex.end_all()
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cortex]:
    """A home in which the API `keeper` serves."""
    with isolated(tmp_path_factory.mktemp("keeper")) as cortex:
        cortex.write("keeper.py", KEEPER)
        deployed = cortex("deploy", "keeper.py")
        assert deployed.code == 0, deployed.err
        yield cortex


@pytest.fixture
def cortex(keeper: Cortex, tmp_path: Path) -> Iterator[Cortex]:
    """That home with a project of the test's own; whatever it does, nothing is lost."""
    before = listed(keeper)
    keeper.project = tmp_path
    yield keeper
    assert listed(keeper) == before
    assert predict(before[0]["endpoint"], [7]) == [7]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Cortex]:
    """A home in which nothing was ever done."""
    with isolated(tmp_path) as cortex:
        cortex.write("keeper.py", KEEPER)
        yield cortex


def listed(cortex: Cortex) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cortex("get", "-o", "json").out)
    return found


def predict(endpoint: str, payload: object) -> object:
    response = httpx.post(endpoint, json=payload, timeout=30, trust_env=False)
    return response.raise_for_status().json()


def test_an_api_from_its_first_deploy_to_the_end(fresh: Cortex) -> None:
    fresh.write("sample.json", "[1, 2]")

    deployed = fresh("deploy", "keeper.py", "--payload", "sample.json", "-o", "json")
    [first] = json.loads(deployed.out)
    assert deployed.code == 0
    assert (first["name"], first["changed"], first["error"]) == ("keeper", True, None)
    assert first["answer"] == [1, 2]
    assert predict(first["endpoint"], [3]) == [3]

    again = fresh("deploy", "keeper.py")
    assert again.code == 0
    assert again.out == f"endpoint   {first['endpoint']}\n"
    assert "is up to date" in again.err

    fresh.write("keeper.py", KEEPER.replace("config={}", "config={'factor': 2}"))
    assert fresh("deploy", "keeper.py").code == 0
    assert predict(first["endpoint"], [3]) == [6]

    history = json.loads(fresh("history", "keeper", "-o", "json").out)
    assert [one["revision"] for one in history][1] == first["revision"]

    back = json.loads(fresh("rollback", "keeper", "-o", "json").out)
    assert back["revision"] == first["revision"]
    assert predict(first["endpoint"], [3]) == [3]

    assert fresh("rollback", "keeper", "--to", history[0]["revision"][:6]).code == 0
    assert predict(first["endpoint"], [3]) == [6]

    assert fresh("delete", "keeper", "--yes").code == 0
    assert httpx.post(first["endpoint"], trust_env=False).status_code == 404
    assert json.loads(fresh("get", "-o", "json").out) == []

    assert fresh("stop").code == 0
    assert fresh.processes() == []


def test_get_has_the_same_shape_for_all_and_for_one(cortex: Cortex) -> None:
    [all_of_them] = listed(cortex)
    one = json.loads(cortex("get", "keeper", "-o", "json").out)

    assert one == all_of_them
    assert list(one) == [
        "name",
        "target",
        "endpoint",
        "status",
        "reason",
        "revision",
        "replicas",
        "traffic",
    ]
    assert (one["name"], one["target"], one["status"]) == ("keeper", "local", "live")
    assert one["replicas"] == {"desired": 1, "live": 1}
    assert re.fullmatch("[0-9a-f]{12}", one["revision"])


def test_get_of_one_counts_its_requests(cortex: Cortex) -> None:
    cortex("predict", "keeper", "-", stdin="[1]")

    shown = cortex("get", "keeper").out

    assert re.search(r"^requests +[1-9]\d* × 200", shown, re.MULTILINE)  # noqa: RUF001  # means times
    assert re.search(r"^latency .*p99 ", shown, re.MULTILINE)


def test_predict_takes_files_and_standard_input(cortex: Cortex) -> None:
    cortex.write("sample.json", "[1, 2.5]")

    from_file = cortex("predict", "keeper", "sample.json")
    from_stdin = cortex("predict", "keeper", "-", "-o", "json", stdin="[1, 2.5]")

    assert (from_file.code, from_file.err) == (0, "")
    assert json.loads(from_file.out) == json.loads(from_stdin.out) == [1, 2.5]


def test_logs_as_json_are_the_lines_as_they_were_written(cortex: Cortex) -> None:
    cortex("predict", "keeper", "-", stdin="[1, 2, 3]")

    lines = cortex("logs", "keeper", "--tail", 1, "-o", "json").out.splitlines()

    [line] = [json.loads(line) for line in lines]
    assert (line["event"], line["size"], line["api"]) == ("seen", 3, "keeper")
    assert " seen  size=3  " in cortex("logs", "keeper", "--tail", 1).out


def test_logs_follow_until_interrupted(cortex: Cortex) -> None:
    with cortex.start("logs", "keeper", "--follow", "--tail", 0) as running:
        cortex("predict", "keeper", "-", stdin="[1, 2, 3, 4]")
        running.says("size=4")
        result = running.end(signal.SIGINT)

    assert (result.code, result.err) == (130, "")


def test_a_reader_that_leaves_early_is_no_failure(cortex: Cortex) -> None:
    for _ in range(3):
        cortex("predict", "keeper", "-", stdin="[1]")

    for verb in ("get", "get -o json", "logs keeper", "history keeper"):
        result = cortex.shell(f"set -o pipefail; cortex {verb} | true; echo $?")

        assert (result.out, result.err) == ("0\n", ""), verb


def test_a_closed_standard_output_is_no_failure(cortex: Cortex) -> None:
    result = cortex.shell(
        "cortex get >&-; echo $?; cortex get 2>&- >/dev/null; echo $?"
    )

    assert (result.out, result.err) == ("0\n0\n", "")


def test_colour_is_for_terminals_that_want_it(cortex: Cortex) -> None:
    assert "\x1b[" in cortex.in_terminal("get").out
    assert "\x1b[3" not in cortex.in_terminal("get", NO_COLOR="1").out
    assert "\x1b[" not in cortex("get").out


def test_delete_asks_in_a_terminal(cortex: Cortex) -> None:
    asked = cortex.in_terminal("delete", "keeper", types="n\n")

    assert asked.code == 1
    assert "Delete keeper on local? [y/N]" in asked.out
    assert "nothing was deleted" in asked.out


def test_delete_in_a_pipe_needs_yes(cortex: Cortex) -> None:
    result = cortex("delete", "--all")

    assert (result.code, result.out) == (2, "")
    assert "deleting keeper needs --yes where nobody can be asked" in result.err


def test_names_complete(cortex: Cortex) -> None:
    def completed(words: str) -> list[str]:
        count = len(words.split(" ")) - 1
        done = cortex(
            _CORTEX_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(count)
        )
        return done.out.split()

    assert completed("cortex logs ke") == ["keeper"]
    assert completed("cortex delete keeper ") == []
    assert completed("cortex his") == ["history"]


def test_completion_starts_nothing(fresh: Cortex) -> None:
    fresh("deploy", "keeper.py")
    fresh("stop")

    done = fresh(
        _CORTEX_COMPLETE="complete_bash", COMP_WORDS="cortex get k", COMP_CWORD="2"
    )

    assert done.out.split() == ["keeper"]
    assert fresh.processes() == []


def test_looking_at_a_home_without_apis_starts_nothing(fresh: Cortex) -> None:
    assert json.loads(fresh("get", "-o", "json").out) == []
    assert fresh("delete", "--all").code == 0
    assert fresh("stop").code == 0
    assert fresh.processes() == []


def test_an_interrupted_deploy_goes_on_in_the_background(
    fresh: Cortex, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    fresh.write(
        "slow.py",
        f"""
import time
from pathlib import Path
from cortex_sdk import SyncAPI

class Slow:
    def __init__(self):
        while not Path({str(gate)!r}).exists():
            time.sleep(0.01)

    def predict(self, payload):
        return payload

SyncAPI(Slow)
""",
    )

    with fresh.start("deploy", "slow.py") as running:
        running.says("starting replica")
        result = running.end(signal.SIGINT)
    assert (result.code, result.out) == (130, "")
    assert "goes on in the background; `cortex get slow`" in result.err
    assert "Traceback" not in result.err

    gate.touch()
    finished = fresh("deploy", "slow.py", "-o", "json")
    assert finished.code == 0
    assert predict(json.loads(finished.out)[0]["endpoint"], [1]) == [1]


def api(body: str, declared: str = "SyncAPI(Model)") -> str:
    """A file with a predictor `Model` that has this body."""
    head = "from cortex_sdk import SyncAPI\n\nclass Model:\n"
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{head}{lines}\n{declared}\n"


PREDICT = "def predict(self, payload):\n    return payload"

BAD_FILES = {
    "no SyncAPI": ("x = 1\n", "`app.py` declares no SyncAPI"),
    "the same name twice": (
        api(PREDICT, "a, b = SyncAPI(Model), SyncAPI(Model)"),
        "`app.py` declares 2 APIs named 'model'",
    ),
    "a typo in a field": (
        api(PREDICT, "SyncAPI(Model, autoscalling={})"),
        "`SyncAPI` has no field `autoscalling`; did you mean `autoscaling`?",
    ),
    "a wrong value": (
        api(PREDICT, "SyncAPI(Model, timeout=-1)"),
        "`SyncAPI.timeout` must be above 0, got -1",
    ),
    "no predict": (
        api("def predcit(self, payload):\n    return 1"),
        "predictor `Model` has no method `predict`; `predcit` looks like it",
    ),
    "an unknown argument of predict": (
        api("def predict(self, paylod):\n    return 1"),
        "`Model.predict` has an unknown argument `paylod`; did you mean `payload`?",
    ),
    "an exception in __init__": (
        api(f"def __init__(self):\n    1 / 0\n\n{PREDICT}"),
        "`Model.__init__` raised ZeroDivisionError: division by zero",
    ),
    "an import error": (
        f"import no_such_module_anywhere\n{api(PREDICT)}",
        "`app.py`, line 1: there is no module `no_such_module_anywhere`",
    ),
    "an import error in the replica": (
        api(
            f"def __init__(self):\n    import no_such_module_anywhere\n\n{PREDICT}",
        ),
        "No module named 'no_such_module_anywhere'",
    ),
    "a missing requirement": (
        api(
            PREDICT,
            'SyncAPI(Model, requirements=["--no-index", "no-such-package-anywhere"])',
        ),
        "no-such-package-anywhere",
    ),
    "a setting that local has not": (
        api(PREDICT, "SyncAPI(Model, compute={'gpu': 1})"),
        "local does not support this setting yet: compute.gpu=1",
    ),
    "no Python": ("def\n", "`app.py`, line 1: invalid syntax"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_deployed_is_one_sentence(
    cortex: Cortex, case: str
) -> None:
    content, sentence = BAD_FILES[case]
    cortex.write("app.py", content)

    result = cortex("deploy", "app.py")
    cortex("delete", "model", "--yes")

    assert (result.code, result.out) == (1, "")
    assert sentence in result.err.splitlines()[-1]
    assert "cortex_sdk" not in result.err.replace("from cortex_sdk import", "")
    assert result.err.count("Traceback (most recent call last)") <= 1


def test_a_file_that_is_not_there_is_one_sentence(cortex: Cortex) -> None:
    cortex.write("app.py", api(PREDICT))

    result = cortex("deploy", "appp.py")

    assert (result.code, result.out) == (1, "")
    assert result.err == "there is no file `appp.py`; did you mean `app.py`?\n"


def test_a_project_of_600_megabytes_is_one_sentence(cortex: Cortex) -> None:
    cortex.write("app.py", api(PREDICT))
    with (cortex.project / "weights.bin").open("wb") as file:
        file.truncate(600 * 1024**2)

    result = cortex("deploy", "app.py")

    assert (result.code, result.out) == (1, "")
    sentence = result.err.splitlines()[-1]
    assert "has 600Mi, the limit is 512Mi" in sentence
    assert "`weights.bin` (600Mi)" in sentence


def test_a_gateway_port_in_use_is_one_sentence(fresh: Cortex) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        result = fresh("deploy", "keeper.py", CORTEX_GATEWAY_PORT=port)

    assert (result.code, result.out) == (1, "")
    sentence = result.err.splitlines()[-1]
    assert port in sentence
    assert "CORTEX_GATEWAY_PORT" in sentence
    assert fresh("deploy", "keeper.py").code == 0


def test_a_home_that_cannot_be_written_is_one_sentence(fresh: Cortex) -> None:
    blocked = str(fresh.write("file", "") / "home")

    result = fresh("deploy", "keeper.py", CORTEX_HOME=blocked)

    assert (result.code, result.out) == (1, "")
    assert f"cannot write to CORTEX_HOME ({blocked})" in result.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("payload", "status"), [("[1,", 400), ('"text"', 422), ('["a"]', 422)]
)
def test_a_payload_that_is_refused_is_one_sentence(
    cortex: Cortex, payload: str, status: int
) -> None:
    cortex.write("payload.json", payload)

    result = cortex("predict", "keeper", "payload.json")

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"the API answered {status}: ")
    assert result.err.count("\n") == 1


def test_an_answer_that_is_no_json_is_one_sentence(cortex: Cortex) -> None:
    cortex.write("app.py", api("def predict(self):\n    return object()"))

    result = cortex("deploy", "app.py", "--payload", "app.py")
    cortex("delete", "model", "--yes")

    assert result.code == 1
    assert result.out.startswith("endpoint   ")
    assert result.err.splitlines()[-1].startswith("the API answered 500: ")
