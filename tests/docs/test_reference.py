"""The reference follows the code, and links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cortex_sdk import SyncAPI
from cortex_sdk.declaration.value import Value

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
_LINK = re.compile(r"\[[^\]]+\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def test_generated_pages_are_what_the_code_says_today() -> None:
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_migration_table_names_fields_that_exist() -> None:
    text = (ROOT / "docs" / "reference" / "migrating.md").read_text()
    table = text.partition("## Fields")[2].partition("## The predictor")[0]
    rows = [line.split(" | ")[1] for line in table.splitlines() if " | " in line]
    named = {name for row in rows for name in re.findall(r"`([a-z][a-z_.]*)`", row)}

    assert named <= set(_fields(SyncAPI))


def test_the_migration_table_leaves_out_no_field_of_an_api() -> None:
    text = (ROOT / "docs" / "reference" / "migrating.md").read_text()

    missing = [name for name in SyncAPI.model_fields if f"`{name}" not in text]

    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_to_a_heading(page: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in _LINK.findall(_FENCED.sub("", page.read_text()))
        if not _leads_somewhere((page.parent / path) if path else page, anchor)
    ]

    assert not broken


def _leads_somewhere(path: Path, anchor: str) -> bool:
    if not path.exists():
        return False
    if not anchor:
        return True
    headings = _HEADING.findall(_FENCED.sub("", path.read_text()))
    return anchor in {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _fields(model: type[Value], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        found.append(f"{prefix}{name}")
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Value):
                found += _fields(part, f"{prefix}{name}.")
    return found


def _parts(annotation: object) -> list[object]:
    nested = getattr(annotation, "__args__", ())
    return [annotation, *(part for each in nested for part in _parts(each))]
