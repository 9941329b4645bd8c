from pathlib import Path

import pytest

from cortex_sdk.local.agent.launch import command, inherited
from cortex_sdk.local.agent.state import Release
from cortex_sdk.local.home import Home

HOME = Home(Path("/home/ada/.cortex"))
PLAIN = Release(revision="abc", python="/venv/bin/python", bundle="d1")


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"),
        *("NVIDIA_VISIBLE_DEVICES", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"),
        *("REQUESTS_CA_BUNDLE", "OMP_NUM_THREADS"),
    ],
)
def test_what_programs_need_is_inherited(name: str) -> None:
    assert inherited({name: "x"}, HOME)[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "CORTEX_LOADING", "VIRTUAL_ENV"),
        *("CORTEX_GATEWAY_PORT", "XPATH", "PATHS", "JPY_PARENT_PID", "PYTHONHOME"),
    ],
)
def test_what_belongs_to_a_shell_is_not(name: str) -> None:
    assert name not in inherited({name: "x"}, HOME)


def test_the_home_is_always_there() -> None:
    assert inherited({"CORTEX_HOME": "/else"}, HOME) == {
        "CORTEX_HOME": "/home/ada/.cortex"
    }


def test_a_replica_runs_on_the_interpreter_of_its_release() -> None:
    line = command(HOME, "iris", PLAIN, "abc-1")

    assert line[:4] == ["/venv/bin/python", "-P", "-m", "cortex_server"]


def test_a_replica_is_told_its_files() -> None:
    line = command(HOME, "iris", PLAIN, "abc-1")
    told = dict(zip(line[4::2], line[5::2], strict=True))

    assert told == {
        "--manifest": "/home/ada/.cortex/apis/iris/manifests/abc.json",
        "--bundle": "/home/ada/.cortex/bundles/d1.tar",
        "--root": "/home/ada/.cortex/bundles/d1",
        "--models": "/home/ada/.cortex/apis/iris/models",
        "--listen": "unix:/home/ada/.cortex/run/abc-1/http.sock",
        "--admin": "unix:/home/ada/.cortex/run/abc-1/admin.sock",
        "--replica": "abc-1",
        "--log": "/home/ada/.cortex/apis/iris/logs/abc-1.log",
        "--failure": "/home/ada/.cortex/run/abc-1/failure.json",
        "--withdraw": "1.0",
    }


def test_class_secrets_and_keys_are_named_where_there_are_some() -> None:
    has = {"identity": "c1", "has_secrets": True, "has_keys": True}
    release = PLAIN.model_copy(update=has)

    line = command(HOME, "iris", release, "abc-1")

    assert line[-6:] == [
        "--class",
        "/home/ada/.cortex/classes/c1.pkl",
        "--secrets",
        "/home/ada/.cortex/apis/iris/secrets-abc.json",
        "--keys",
        "/home/ada/.cortex/apis/iris/keys",
    ]
