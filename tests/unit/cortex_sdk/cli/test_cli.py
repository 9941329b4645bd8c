import os
import subprocess
import sys

import pytest
from fakes import FakeTarget, Run

from cortex_sdk.errors import DeployError, TargetError


def test_without_arguments_shows_help(cortex: Run) -> None:
    result = cortex()

    assert (result.code, result.err) == (0, "")
    assert "Usage: cortex" in result.out
    assert "Exit codes: 0 done, 1 failed, 2 wrong command line, 130" in result.out


def test_a_mistyped_verb_gets_the_nearest_one(cortex: Run) -> None:
    result = cortex("depoly", "app.py")

    assert (result.code, result.out) == (2, "")
    assert result.err == "No such command 'depoly'. Did you mean 'deploy'?\n"


def test_a_wrong_option_is_one_sentence_that_says_where_to_read(cortex: Run) -> None:
    result = cortex("get", "--output", "yaml")

    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "Invalid value for '--output' / '-o': 'yaml' is not one of 'table', 'json';"
        " see `cortex get --help`\n"
    )


def test_an_error_prints_its_sentence_alone(
    cortex: Run, target: FakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        msg = "port 8077 is in use; set CORTEX_GATEWAY_PORT"
        raise TargetError(msg)

    monkeypatch.setattr(target, "list", fail)

    result = cortex("get")

    assert (result.code, result.out) == (1, "")
    assert result.err == "port 8077 is in use; set CORTEX_GATEWAY_PORT\n"


def test_the_traceback_of_the_user_comes_once_and_before_the_sentence(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris")
    frames = 'Traceback (most recent call last):\n  File "app.py", line 6'
    target.failing["iris"] = DeployError("iris did not start: no model", frames)

    result = cortex("rollback", "iris")

    assert result.code == 1
    assert result.err == f"{frames}\niris did not start: no model\n"


def test_a_mistake_of_ours_shows_a_traceback_and_says_that_it_is_ours(
    cortex: Run, target: FakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "list", lambda: 1 / 0)

    result = cortex("get")

    assert result.code == 1
    assert "ZeroDivisionError" in result.err
    assert "a mistake in cortex-sdk, not in your code; please report it" in result.err


def test_an_interrupt_is_no_traceback(
    cortex: Run, target: FakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(target, "list", interrupt)

    result = cortex("get")

    assert result.code == 130
    assert "Traceback" not in result.err


def test_an_unknown_target_is_named(cortex: Run) -> None:
    result = cortex("get", "--target", "mars")

    assert result.code == 1
    assert result.err.startswith("there is no target 'mars'")
    assert result.err.count("\n") == 1


def test_every_verb_explains_itself_with_an_example(cortex: Run) -> None:
    verbs = "deploy serve get logs predict history rollback delete stop version"
    for verb in verbs.split():  # one line instead of ten
        result = cortex(verb, "--help")

        assert result.code == 0
        assert f"Example: cortex {verb}" in result.out


def test_completion_of_verbs_needs_no_target(cortex: Run) -> None:
    environment = {
        **os.environ,
        "_CORTEX_COMPLETE": "complete_bash",
        "COMP_WORDS": "cortex ro",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-c", "from cortex_sdk.cli import main; main()"]

    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["rollback"]


def test_what_is_imported_for_help_is_no_server_and_no_http() -> None:
    code = (
        "import sys; from cortex_sdk import cli; cli.run(['--help']);"
        "print([m for m in ('sanic', 'httpx', 'envoy', 'asyncio', 'watchfiles',"
        " 'cortex_sdk.local', 'cortex_sdk.project.bundle') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"
