"""Every page says the truth: its blocks run in order, as a reader would run them."""

import re
import shutil
from pathlib import Path

import pytest

from docs.machine import machine
from docs.page import Block, read_page
from docs.session import Session

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if re.search("```(python|bash|console)", page.read_text())
]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _read(blocks: list[Block], folder: Path) -> None:
    with machine() as made, Session(made, folder) as session:
        session.run(blocks)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_blocks_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()

    _read(read_page(page, ROOT), folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_an_example_runs_as_its_readme_says(example: Path, tmp_path: Path) -> None:
    blocks = read_page(example / "README.md", ROOT)
    assert any(block.is_program for block in blocks)
    folder = tmp_path / example.name
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("*.joblib"))

    _read(blocks, folder)
