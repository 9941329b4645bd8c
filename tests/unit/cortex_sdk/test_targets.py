from pathlib import Path

import pytest

from cortex_sdk import _targets
from cortex_sdk._targets import target_of
from cortex_sdk.errors import InvalidSpecError, UnsupportedError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))
    monkeypatch.delenv("CORTEX_TARGET", raising=False)
    return tmp_path / "config.toml"


def test_without_a_name_it_is_the_local_one(config: Path) -> None:
    assert target_of().name == "local"


def test_a_name_of_the_users_own_stands_for_its_table(config: Path) -> None:
    config.write_text('[targets.laptop]\ntype = "local"\n')

    assert target_of("laptop").name == "local"
    assert "laptop" in _targets.names()


def test_the_environment_names_a_target_too(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('[targets.laptop]\ntype = "local"\n')
    monkeypatch.setenv("CORTEX_TARGET", "laptop")

    assert target_of().name == "local"


def test_an_unknown_name_is_told_the_nearest(config: Path) -> None:
    config.write_text('[targets.laptop]\ntype = "local"\n')

    with pytest.raises(UnsupportedError, match='did you mean "laptop"'):
        target_of("labtop")


def test_a_name_near_to_nothing_is_told_all_names_and_where_to_add_one(
    config: Path,
) -> None:
    with pytest.raises(UnsupportedError, match=r'"local".*config\.toml'):
        target_of("xyz")


def test_an_unknown_type_is_told_the_nearest(config: Path) -> None:
    config.write_text('[targets.prod]\ntype = "loca"\n')

    with pytest.raises(
        UnsupportedError, match=r'targets\.prod\].*did you mean "local"'
    ):
        target_of("prod")


def test_a_field_that_does_not_exist_is_named_with_its_table(config: Path) -> None:
    config.write_text('[targets.prod]\ntype = "local"\ncolour = "red"\n')

    with pytest.raises(InvalidSpecError, match=r"\[targets\.prod\].*colour"):
        target_of("prod")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[targets", "cannot read"),
        ("targets = 3", "must be tables"),
        ("[targets.prod]\n", 'type = "kubernetes"'),
        ("[targets.prod]\ntype = 3\n", 'type = "kubernetes"'),
    ],
)
def test_a_damaged_file_is_named(config: Path, text: str, what: str) -> None:
    config.write_text(text)

    with pytest.raises(InvalidSpecError, match=what) as failure:
        target_of("prod")
    assert str(config) in str(failure.value)


def test_local_needs_no_readable_file(config: Path) -> None:
    config.write_text("[targets")

    assert target_of("local").name == "local"
