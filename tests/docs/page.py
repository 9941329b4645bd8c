"""A page of the documentation as a program: its code blocks, in order.

A comment in front of a block says what a reader need not see:

    <!-- file: app.py -->        the block is a file, not a program
    <!-- output -->              the block is what the one before it prints to standard
                                 output; `...` and `…` stand for anything
    <!-- exit: 1 -->             the command ends with this code
    <!-- raises: CortexError --> the Python block ends with this exception
    <!-- background: TEXT -->    the command runs on once it has printed TEXT
    <!-- needs: torch -->        the block is left out where this cannot be imported
    <!-- cluster -->             the block needs a Kubernetes: `tests/e2e` runs it
    <!-- skip: reason -->        the block cannot run in a test
    <!-- setup                   commands between these lines run, unseen by readers
    -->
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DIRECTIVES = {
    "file",
    "output",
    "exit",
    "raises",
    "background",
    "needs",
    "cluster",
    "skip",
}
PROGRAMS = {"python", "bash", "console"}
_COMMENT = re.compile(r"<!--\s*([a-z]+)(?::\s*(.*?))?\s*-->")
_FENCE = re.compile(r"(\s*)(`{3,})\s*(\w*).*")


class PageError(Exception):
    """A page that is not written as the module's docstring says, or does not work."""


@dataclass(frozen=True, slots=True)
class Block:
    """One code block and the comments in front of it."""

    page: str
    line: int
    language: str
    text: str
    directives: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Page and line, as editors and terminals link them."""
        return f"{self.page}:{self.line}"

    @property
    def is_program(self) -> bool:
        """Whether the block is run, rather than shown, written or compared."""
        if {"file", "output", "skip"} & self.directives.keys():
            return False
        return self.language in PROGRAMS


def blocks_of(text: str, page: str) -> list[Block]:
    """All blocks of a page that are programs or have comments.

    Raises:
        PageError: A comment is unknown, or stands in front of no block.
    """
    return [
        block
        for block in _Reader(text, page).blocks()
        if block.is_program or block.directives
    ]


def read_page(path: Path, root: Path) -> list[Block]:
    """The blocks of a file, named by its path from `root`."""
    return blocks_of(path.read_text(), path.relative_to(root).as_posix())


class _Reader:
    def __init__(self, text: str, page: str) -> None:
        self.page = page
        self.lines = enumerate(text.splitlines(), 1)
        self.directives: dict[str, str] = {}

    def blocks(self) -> Iterator[Block]:
        for number, line in self.lines:
            if line.strip() == "<!-- setup":
                yield self._until(re.compile(r"\s*-->"), number, "bash", 0)
            elif fence := _FENCE.fullmatch(line):
                indent, ticks, language = fence.groups()
                end = re.compile(rf"\s*{ticks}\s*")
                yield self._until(end, number, language, len(indent))
            elif line.strip():
                self._comment(line.strip(), number)
        self._no_loose_comment("the end of the page")

    def _until(
        self, end: re.Pattern[str], start: int, language: str, indent: int
    ) -> Block:
        text: list[str] = []
        for _, line in self.lines:
            if end.fullmatch(line):
                directives, self.directives = self.directives, {}
                content = "\n".join(text) + "\n"
                return Block(self.page, start, language, content, directives)
            text.append(line[indent:] if line[:indent].isspace() else line)
        msg = f"{self.page}:{start}: this block is never closed"
        raise PageError(msg)

    def _comment(self, line: str, number: int) -> None:
        where = f"{self.page}:{number}"
        comment = _COMMENT.fullmatch(line)
        if not line.startswith("<!--"):
            self._no_loose_comment(where)
        elif comment and comment[1] in DIRECTIVES:
            self.directives[comment[1]] = comment[2] or ""
        elif comment or line.split()[1].rstrip(":") in DIRECTIVES:
            msg = f"{where}: unknown comment {line}; known are {sorted(DIRECTIVES)}"
            raise PageError(msg)

    def _no_loose_comment(self, where: str) -> None:
        if self.directives:
            msg = f"{where}: {self.directives} stands in front of no block"
            raise PageError(msg)
