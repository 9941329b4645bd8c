from pathlib import Path

import pytest

from cortex_sdk import ApiKeys, InvalidSpecError
from cortex_sdk.project.bundle import pack
from cortex_sdk.project.keys import keys_file, read_keys

KEY = "0123456789abcdef"


def read(root: Path, name: str = ".api-keys") -> tuple[str, ...]:
    path = keys_file(ApiKeys(file=name), root)
    assert path is not None
    return read_keys(path, pack(root))


def test_there_is_no_file_where_everybody_may_call(tmp_path: Path) -> None:
    assert keys_file(None, tmp_path) is None


def test_the_file_lies_in_the_project_or_anywhere_else(tmp_path: Path) -> None:
    (tmp_path / ".api-keys").write_text(f"# mine\n{KEY}\n")
    (tmp_path / "project").mkdir()

    assert read(tmp_path) == (KEY,)
    assert read(tmp_path / "project", "../.api-keys") == (KEY,)
    assert read(tmp_path / "project", str(tmp_path / ".api-keys")) == (KEY,)


@pytest.mark.parametrize("content", [None, "", "# none\n"])
def test_without_a_key_there_is_nothing_to_deploy(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / ".api-keys").write_text(content)

    with pytest.raises(InvalidSpecError, match=r"`\S+/.api-keys` (does not|has no)"):
        read(tmp_path)


def test_a_line_that_is_no_key_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".api-keys").write_text(f"{KEY}\nhush hush\n")

    with pytest.raises(InvalidSpecError, match="line 2 is no API key") as caught:
        read(tmp_path)

    assert "hush" not in str(caught.value)


def test_a_file_that_would_go_along_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(KEY)
    (tmp_path / ".link").symlink_to("keys")

    for name in ("keys", ".link"):
        with pytest.raises(InvalidSpecError, match="would go along with the project"):
            read(tmp_path, name)

    (tmp_path / ".cortexignore").write_text("keys\n")
    assert read(tmp_path, "keys") == (KEY,)
