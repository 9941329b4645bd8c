"""The harness itself, on small pages; no deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.machine import Machine, free_port
from docs.page import PageError, blocks_of
from docs.session import Session

PASSES = {
    "bash": "```bash\nfalse || true\n```",
    "output of bash": "```bash\necho one 2\n```\n<!-- output -->\n```text\none …\n```",
    "console": "```console\n$ echo one \\\n  | tr o O\nOne\n$ echo two\ntwo\n```",
    "standard output alone": "```bash\necho a; echo b >&2\n```\n"
    "<!-- output -->\n```\na\n```",
    "console with errors": "```console\n$ echo a; echo b >&2\na\nb\n```",
    "what varies": "```console\n$ echo a 0123456789ab, 1.23 s\n"
    "a   ba9876543210, 45 ms\n```",
    "exit code": "<!-- exit: 3 -->\n```bash\nexit 3\n```",
    "file": "<!-- file: a/b -->\n```text\nhi\n```\n```bash\ngrep -x hi a/b\n```",
    "cells share names": "```python\na = 1\n```\n\n```python\nassert a == 1\n```",
    "value of a cell": "```python\n6 * 7\n```\n<!-- output -->\n```text\n42\n```",
    "exception": "<!-- raises: ZeroDivisionError -->\n```python\n1 / 0\n```",
    "prose in a comment": "<!-- Made by hand. -->\n```bash\ntrue\n```",
    "display written anew": "```python\nfrom IPython.display import display\n"
    "shown = display(1, display_id=True)\nshown.update(2)\n```\n"
    "<!-- output -->\n```\n2\n```",
    "shown only": "```yaml\nfoo: bar\n```",
    "skipped": "<!-- skip: it asks -->\n```bash\nfalse\n```",
    "needs": "<!-- needs: no_such_module -->\n```bash\nfalse\n```",
    "unseen setup": "<!-- setup\ntouch seen\n-->\n```bash\nls seen\n```",
    "in a list": "1. first\n\n   ```python\n   if True:\n       b = 2\n   ```",
    "background": "<!-- background: up -->\n```bash\necho up; sleep 100\n```\n"
    "<!-- output -->\n```text\nup\n```",
    "port": "```bash\necho 127.0.0.1:8077\n```\n<!-- output -->\n```\n…:8077\n```",
}

FAILS = {
    "bash": ("```bash\nexit 3\n```", "page.md:1: exit code 3, not 0"),
    "middle of a script": ("```bash\nfalse\ntrue\n```", "exit code 1"),
    "first of two": ("```console\n$ false\n$ true\n```", "exit code 1, not 0"),
    "exit code": ("<!-- exit: 3 -->\n```bash\ntrue\n```", "exit code 0, not 3"),
    "output": (
        "text\n```bash\necho a\n```\n<!-- output -->\n```\nb\n```",
        r"page.md:6: this should be printed",
    ),
    "console output": ("```console\n$ echo a\nb\n```", "should be printed"),
    "only part of it": ("```console\n$ echo a b\na\n```", "should be printed"),
    "exception": ("```python\n1 / 0\n```", "raised ZeroDivisionError, not nothing"),
    "no exception": (
        "<!-- raises: KeyError -->\n```python\n1\n```",
        "raised nothing, not KeyError",
    ),
    "background": (
        "<!-- background: up -->\n```bash\necho down\n```\n```bash\ntrue\n```",
        "has not printed 'up' but:\ndown",
    ),
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    folder = tmp_path / "page"
    folder.mkdir()
    with Session(Machine(tmp_path, free_port()), folder) as session:
        yield session


@pytest.mark.parametrize("page", PASSES.values(), ids=PASSES)
def test_a_page_that_says_the_truth_passes(session: Session, page: str) -> None:
    session.run(blocks_of(page, "page.md"))


@pytest.mark.parametrize(("page", "message"), FAILS.values(), ids=FAILS)
def test_a_page_that_does_not_fails_with_its_line(
    session: Session, page: str, message: str
) -> None:
    with pytest.raises(PageError, match=message):
        session.run(blocks_of(page, "page.md"))


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!-- ouput -->\n```\na\n```", "page.md:1: unknown comment"),
        ("<!-- exit 1 -->\n```\na\n```", "page.md:1: unknown comment"),
        ("<!-- output -->\n\nText.\n", "page.md:3: .* in front of no block"),
        ("<!-- output -->\n", "in front of no block"),
        ("\n```bash\ntrue\n", "page.md:2: this block is never closed"),
    ],
)
def test_a_page_with_a_mistake_in_its_comments_is_refused(
    page: str, message: str
) -> None:
    with pytest.raises(PageError, match=message):
        blocks_of(page, "page.md")


def test_a_longer_fence_may_hold_a_shorter_one() -> None:
    blocks = blocks_of("````bash\n```\n````\n", "page.md")

    assert [block.text for block in blocks] == ["```\n"]
