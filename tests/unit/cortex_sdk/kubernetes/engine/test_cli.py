from pathlib import Path

import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine import cli
from cortex_sdk.kubernetes.engine.folders import Folders


def make(folder: Path, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pulumi").chmod(0o755)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Folders(tmp_path / "home")


def refuse(_: str) -> bool:
    return False


def test_the_one_on_path_is_taken(folders: Folders, tmp_path: Path) -> None:
    make(tmp_path / "bin", "echo v3.259.0")
    make(folders.cli / "bin", "echo v3.300.0")

    command = cli.find(folders, refuse)

    assert command.command == str(tmp_path / "bin" / "pulumi")
    assert str(command.version) == "3.259.0"


def test_one_of_our_own_is_found_without_path(folders: Folders) -> None:
    make(folders.cli / "bin", "echo v3.300.0")

    assert cli.find(folders, refuse).command == str(folders.cli / "bin" / "pulumi")


def test_without_one_the_sentence_says_where_to_get_it(folders: Folders) -> None:
    with pytest.raises(TargetError, match="needed and not on PATH; install it"):
        cli.find(folders, refuse)


def test_nobody_is_asked_where_there_is_no_terminal(folders: Folders) -> None:
    with pytest.raises(TargetError, match="needed and not on PATH"):
        cli.find(folders, None)


def test_who_agrees_gets_it_into_the_home(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def install(root: str) -> None:
        make(Path(root) / "bin", "echo v3.300.0")

    monkeypatch.setattr(cli.PulumiCommand, "install", install)

    command = cli.find(folders, lambda question: not asked.append(question))  # type: ignore[func-returns-value]

    assert command.command == str(folders.cli / "bin" / "pulumi")
    assert str(folders.cli) in asked[0]


def test_an_installation_that_fails_is_told_with_its_reason(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(root: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(cli.PulumiCommand, "install", install)

    with pytest.raises(TargetError, match="cannot be installed: no network"):
        cli.find(folders, lambda _: True)


def test_one_that_is_too_old_is_named_with_both_versions(
    folders: Folders, tmp_path: Path
) -> None:
    make(tmp_path / "bin", "echo v3.100.0")

    with pytest.raises(TargetError, match=r"is version 3\.100\.0, and 3\.\d+\.\d+ or"):
        cli.find(folders, refuse)


@pytest.mark.parametrize("script", ["exit 3", "echo", "echo dev"])
def test_one_that_does_not_tell_its_version_is_broken(
    folders: Folders, tmp_path: Path, script: str
) -> None:
    make(tmp_path / "bin", script)

    with pytest.raises(TargetError, match="does not tell its version"):
        cli.find(folders, refuse)
