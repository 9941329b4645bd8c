from pathlib import Path

from cortex_server.manifest import ModelPath, Models
from cortex_server.worker.models.sources import Sources


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def named(**paths: Path) -> Sources:
    models = [ModelPath(name=name, path=str(path)) for name, path in paths.items()]
    return Sources(Models(paths=tuple(models)))


def test_named_models_are_found_at_their_places(tmp_path: Path) -> None:
    write(tmp_path, "a/1/x", "a/2/x", "b.onnx")
    sources = named(iris=tmp_path / "a", rose=tmp_path / "b.onnx")

    found = sources.look()

    assert {name: sorted(versions) for name, versions in found.items()} == {
        "iris": [1, 2],
        "rose": [1],
    }
    assert sources.place("rose").address == str(tmp_path / "b.onnx")
    assert sources.problems == {}


def test_the_models_of_a_folder_are_found(tmp_path: Path) -> None:
    write(tmp_path, "iris/1/x", "rose/x")
    sources = Sources(Models(dir=str(tmp_path)))

    assert sorted(sources.look()) == ["iris", "rose"]
    assert sources.place("iris").address == str(tmp_path)


def test_a_place_that_cannot_be_read_any_more_has_what_it_had(tmp_path: Path) -> None:
    write(tmp_path, "a/1/x", "b/1/x")
    sources = named(iris=tmp_path / "a", rose=tmp_path / "b")
    before = sources.look()

    (tmp_path / "a").rename(tmp_path / "gone")
    write(tmp_path, "b/2/x")

    after = sources.look()
    assert after["iris"] == before["iris"]
    assert sorted(after["rose"]) == [1, 2]
    assert list(sources.problems) == [str(tmp_path / "a")]
    (tmp_path / "gone").rename(tmp_path / "a")
    sources.look()
    assert sources.problems == {}


def test_a_named_model_without_files_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    sources = named(iris=tmp_path / "a")

    assert sources.look() == {}
    assert list(sources.problems.values()) == [
        f"there is no model at {tmp_path / 'a'}: it is empty"
    ]
