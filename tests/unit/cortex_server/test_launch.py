import json
from pathlib import Path

import pytest

from cortex_server.launch import Launch
from cortex_server.manifest import StartFailure

NEEDED = ["--manifest", "m.json", "--bundle", "b.tar", "--root", "root"]


def test_what_is_not_given_has_a_default() -> None:
    launch = Launch.parse(NEEDED)

    assert (launch.listen, launch.admin) == ("127.0.0.1:8080", "127.0.0.1:8081")
    assert (launch.replica, launch.log_format, launch.withdraw) == ("local", "json", 0)
    optional = (launch.pickle, launch.secrets, launch.keys, launch.log)
    assert (*optional, launch.failure) == (None,) * 5
    assert launch.endpoint is None


def test_every_argument_arrives() -> None:
    given = {
        "--class": "/c.pkl",
        "--secrets": "/s.json",
        "--keys": "/k",
        "--listen": "unix:/a",
        "--admin": "unix:/b",
        "--endpoint": "/iris",
        "--replica": "r1",
        "--log": "/l",
        "--log-format": "console",
        "--failure": "/f",
        "--withdraw": "1.5",
        "--lifeline": "7",
        "--scratch": "/t",
    }

    launch = Launch.parse([*NEEDED, *(part for pair in given.items() for part in pair)])

    assert (launch.pickle, launch.secrets) == (Path("/c.pkl"), Path("/s.json"))
    assert launch.keys == Path("/k")
    assert (launch.lifeline, launch.scratch) == (7, Path("/t"))
    assert (launch.listen, launch.admin) == ("unix:/a", "unix:/b")
    assert (launch.endpoint, launch.replica) == ("/iris", "r1")
    assert (launch.log, launch.log_format) == (Path("/l"), "console")
    assert (launch.failure, launch.withdraw) == (Path("/f"), 1.5)


def test_paths_stay_what_they_are_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    launch = Launch.parse(NEEDED)

    assert launch.manifest == tmp_path / "m.json"
    assert (launch.bundle, launch.root) == (tmp_path / "b.tar", tmp_path / "root")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        NEEDED[:4],
        [*NEEDED, "--nope"],
        [*NEEDED, "--log-format", "xml"],
        [*NEEDED, "--withdraw", "soon"],
    ],
)
def test_a_wrong_command_line_exits_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        Launch.parse(arguments)

    assert caught.value.code == 2
    assert "python -m cortex_server" in capsys.readouterr().err


def test_secrets_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"KEY": "value"}))

    assert Launch.parse([*NEEDED, "--secrets", str(path)]).read_secrets() == {
        "KEY": "value"
    }
    assert Launch.parse(NEEDED).read_secrets() == {}


def test_a_failure_is_left_where_somebody_looks(tmp_path: Path) -> None:
    path = tmp_path / "failure.json"
    failure = StartFailure(message="no", traceback="line")

    Launch.parse([*NEEDED, "--failure", str(path)]).report(failure)
    Launch.parse(NEEDED).report(failure)  # nobody looks

    assert StartFailure.read(path) == failure
