import os
import socket
from pathlib import Path

import pytest

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.files import project_files


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(root: Path) -> list[str]:
    return [file.name for file in project_files(root)]


def refusal(root: Path) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        project_files(root)
    return str(caught.value)


def test_files_of_all_folders_go_along_in_order_of_name(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.txt", "a.py", "a/b/c.bin")

    assert names(tmp_path) == ["a.py", "a/b/c.bin", "a/z.txt", "b.py"]


def test_an_empty_folder_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)

    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".hidden",
        "src/.hidden",
        "__pycache__/app.cpython-311.pyc",
        "src/__pycache__/data.txt",
        "old.pyc",
        "old.pyo",
        "old.pyd",
        "notes.ipynb",
        "deep/er/notes.ipynb",
        ".ipynb_checkpoints/notes.py",
    ],
)
def test_what_never_belongs_to_a_project_stays(tmp_path: Path, name: str) -> None:
    write(tmp_path, "app.py", name)

    assert names(tmp_path) == ["app.py"]


def test_a_virtual_environment_of_any_name_stays(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "venv311/pyvenv.cfg", "venv311/lib/python/x.py")

    assert names(tmp_path) == ["app.py"]


def test_the_ignore_file_has_gitignore_syntax(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "data/raw.csv", "data/keep.csv", "logs/a.log", "x/logs/b")
    (tmp_path / ".cortexignore").write_text("# big\ndata/*\n!data/keep.csv\nlogs/\n")

    assert names(tmp_path) == ["app.py", "data/keep.csv"]


def test_a_leading_slash_means_the_root(tmp_path: Path) -> None:
    write(tmp_path, "data.csv", "sub/data.csv")
    (tmp_path / ".cortexignore").write_text("/data.csv\r\n")

    assert names(tmp_path) == ["sub/data.csv"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("!*.ipynb", "notes.ipynb"),
        ("!.streamlit/", ".streamlit/config.toml"),
        ("!.hidden", ".hidden"),
        ("!*.pyc", "old.pyc"),
        ("!venv/", "venv/pyvenv.cfg"),
    ],
)
def test_a_bang_takes_back_a_default(tmp_path: Path, line: str, name: str) -> None:
    write(tmp_path, name)
    (tmp_path / ".cortexignore").write_text(line)

    assert names(tmp_path) == [name]


@pytest.mark.parametrize("line", ["", "!.env", "!*", "!**/.env"])
def test_a_dotenv_never_goes_along_in_any_folder(tmp_path: Path, line: str) -> None:
    write(tmp_path, "app.py", ".env", "sub/.env", "sub/deeper/.env")
    (tmp_path / ".cortexignore").write_text(line)

    assert not [name for name in names(tmp_path) if name.endswith(".env")]


def test_a_link_to_a_dotenv_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ".env")
    (tmp_path / "settings.txt").symlink_to(".env")

    assert refusal(tmp_path) == (
        "the link `settings.txt` leads to `.env`, which never goes along; replace it by"
        " what is meant, or list it in `.cortexignore`"
    )


def test_a_pattern_of_no_meaning_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".cortexignore").write_text("!\n")

    assert "`.cortexignore` has a pattern" in refusal(tmp_path).replace(
        f"{tmp_path}/", ""
    )


def test_an_ignore_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".cortexignore").write_bytes(b"\xff\xfe")

    assert refusal(tmp_path) == f"`{tmp_path}/.cortexignore` must be UTF-8 text"


def test_an_ignore_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".cortexignore").mkdir()

    assert refusal(tmp_path) == (
        f"cannot read `{tmp_path}/.cortexignore`: is a directory"
    )


def test_a_link_inside_the_project_stands_for_what_it_leads_to(tmp_path: Path) -> None:
    write(tmp_path, "models/v1/model.bin")
    (tmp_path / "latest").symlink_to("models/v1")
    (tmp_path / "model.bin").symlink_to("latest/model.bin")

    found = {file.name: file.path.read_text() for file in project_files(tmp_path)}

    assert found == dict.fromkeys(
        ["latest/model.bin", "model.bin", "models/v1/model.bin"], "models/v1/model.bin"
    )


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside.txt", "../outside"])
def test_a_link_that_leaves_the_project_is_refused(tmp_path: Path, target: str) -> None:
    write(tmp_path, "project/app.py", "outside.txt", "outside/file.txt")
    (tmp_path / "project" / "link").symlink_to(target)

    message = refusal(tmp_path / "project")

    assert message.startswith(f"the link `link` leads to `{target}`, which is outside")


def test_a_link_over_another_link_does_not_leave_the_project(tmp_path: Path) -> None:
    write(tmp_path, "project/app.py", "outside/file.txt")
    (tmp_path / "project" / "first").symlink_to("second/file.txt")
    (tmp_path / "project" / "second").symlink_to("../outside")
    (tmp_path / "project" / ".cortexignore").write_text("/second")

    assert "the link `first`" in refusal(tmp_path / "project")


def test_an_ignored_link_may_lead_anywhere(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    (tmp_path / "data").symlink_to("/")
    (tmp_path / ".cortexignore").write_text("data")

    assert names(tmp_path) == ["app.py"]


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").symlink_to("gone.bin")

    assert "`model.bin` leads to `gone.bin`, which does not exist" in refusal(tmp_path)


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    assert "`loop` leads to `loop`, which cannot be followed" in refusal(tmp_path)


@pytest.mark.parametrize(
    "links",
    [{"a/up": ".."}, {"a/self": "."}, {"a/b": "../c", "c/d": "../a"}],
    ids=["parent", "itself", "two"],
)
def test_a_loop_of_folders_is_refused(tmp_path: Path, links: dict[str, str]) -> None:
    write(tmp_path, "a/file", "c/file")
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)

    assert "which contains that link" in refusal(tmp_path)


def test_a_socket_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("app.sock")

        assert refusal(tmp_path) == (
            "`app.sock` is a socket, which cannot go along; remove it, or list it in"
            " `.cortexignore`"
        )


def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "`pipe` is a named pipe" in refusal(tmp_path)


def test_a_device_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")

    assert "the link `null` leads to `/dev/null`" in refusal(tmp_path)


def test_a_folder_that_cannot_be_read_is_named(unprivileged: Path) -> None:
    (unprivileged / "closed").mkdir(mode=0)

    assert "cannot read `closed` of the project: permission" in refusal(unprivileged)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")

    assert refusal(tmp_path).startswith(r"the name of `caf\xe9.txt` is not UTF-8")


def test_a_name_with_a_backslash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\\b.txt").write_text("x")

    assert "has a backslash" in refusal(tmp_path)


def test_a_deep_project_is_listed(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 300) + "/file"
    write(tmp_path, deep)

    assert names(tmp_path) == [deep]


def test_the_folder_that_deploys_write_to_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "app.py", "home/agent/agent.log", "other/home/data.txt")
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "home"))

    assert names(tmp_path) == ["app.py", "other/home/data.txt"]


def test_a_project_that_deploys_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))

    assert refusal(tmp_path) == (
        f"the project `{tmp_path}` is also $CORTEX_HOME, which changes with each"
        " deploy; set CORTEX_HOME to another folder"
    )
