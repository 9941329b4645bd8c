import pytest

from cortex_server.worker.models.versions import (
    File,
    ListingError,
    Version,
    models_of,
    versions_of,
)


def files(*names: str) -> list[File]:
    return [File(name, 10, f"mark of {name}") for name in names]


def numbers(*names: str) -> dict[int, str]:
    found = versions_of("iris", "/m/iris", files(*names))
    return {number: version.address for number, version in found.items()}


def test_a_file_is_version_1() -> None:
    assert numbers("") == {1: "/m/iris"}


def test_a_folder_of_files_is_version_1() -> None:
    assert numbers("model.onnx", "labels.txt") == {1: "/m/iris"}


def test_folders_named_by_whole_numbers_are_versions() -> None:
    assert numbers("9/a", "10/a", "10/b/c", "002/a") == {
        2: "/m/iris/002",
        9: "/m/iris/9",
        10: "/m/iris/10",
    }


@pytest.mark.parametrize("other", ["README", "v2/a", "1.5/a", "3", "²/a"])
def test_anything_beside_the_versions_makes_it_one_model(other: str) -> None:
    assert numbers("1/a", other) == {1: "/m/iris"}


@pytest.mark.parametrize("hidden", [".DS_Store", ".part/a", "__pycache__/a", "1/.x"])
def test_hidden_files_do_not_count(hidden: str) -> None:
    assert numbers("1/a", hidden) == {1: "/m/iris/1"}


def test_an_empty_folder_has_no_version() -> None:
    assert numbers() == numbers(".gitkeep") == {}


def test_two_folders_of_one_number_are_refused() -> None:
    with pytest.raises(ListingError, match="/m/iris has two folders for version 1"):
        numbers("1/a", "01/a")


def test_a_version_knows_its_files_and_their_bytes() -> None:
    version = versions_of("iris", "/m/iris", files("3/a", "3/b/c"))[3]

    assert [file.name for file in version.files] == ["a", "b/c"]
    assert version.size == 20
    assert str(version) == "version 3 of the model 'iris'"


def test_a_fingerprint_differs_when_address_name_or_mark_do() -> None:
    one = Version("iris", 1, "/m", tuple(files("a", "b")))
    same = Version("other", 2, "/m", tuple(files("b", "a")))
    others = [
        Version("iris", 1, "/n", tuple(files("a", "b"))),
        Version("iris", 1, "/m", tuple(files("a", "c"))),
        Version("iris", 1, "/m", (File("a", 10, "x"), File("b", 10, "mark of b"))),
    ]

    assert one.fingerprint == same.fingerprint
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_each_folder_and_file_of_a_folder_is_a_model() -> None:
    found = models_of("/m", files("iris/1/a", "iris/2/a", "rose.onnx", "my-lily/a"))

    assert {name: sorted(versions) for name, versions in found.items()} == {
        "iris": [1, 2],
        "my-lily": [1],
        "rose": [1],
    }
    assert found["rose"][1].address == "/m/rose.onnx"
    assert found["rose"][1].files[0].name == ""


def test_what_cannot_be_a_name_is_no_model() -> None:
    assert models_of("/m", files("a b/x", "-a/x", "ä.onnx", ".git/x", "empty/.x")) == {}


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ListingError, match="two models named 'iris'"):
        models_of("/m", files("iris/1/a", "iris.onnx"))
