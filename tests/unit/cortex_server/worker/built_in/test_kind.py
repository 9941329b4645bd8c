from pathlib import Path

import pytest

from cortex_server.worker.built_in.kind import needed, only_file


def test_the_file_of_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "iris.onnx").write_text("")
    (tmp_path / "README.md").write_text("")

    assert only_file(tmp_path, (".onnx",)) == tmp_path / "iris.onnx"
    assert only_file(tmp_path / "README.md", (".onnx",)) == tmp_path / "README.md"


@pytest.mark.parametrize("names", [[], ["a.onnx", "b.onnx"]])
def test_a_folder_with_none_or_several_is_refused(
    names: list[str], tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text("")

    with pytest.raises(ValueError, match=f"one .onnx or .o file, .* has {len(names)}"):
        only_file(tmp_path, (".onnx", ".o"))


def test_what_is_missing_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(ImportError) as caught:
        needed("no_such_module_here", "'cortex-sdk[onnx]'")

    assert str(caught.value) == (
        "`no_such_module_here` is not installed; run `pip install 'cortex-sdk[onnx]'`"
    )
