"""Running the blocks of a page as a reader would, one after the other.

Commands run in bash; Python blocks are the cells of one notebook kernel per page.
"""

import importlib.util
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

from docs.machine import Machine, free_port
from docs.notebook import Notebook
from docs.output import is_printed
from docs.page import Block, PageError

BLOCK_SECONDS = 120
PORTS = ("8077", "8000", "8081")
"""Ports that pages speak of: each stands for a free one while the page is tested."""

_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)
"""A command, continued where a line ends with a backslash, and what it prints."""


class Session:
    """The folder, the shell and the notebook in which a page is read."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.folder = folder
        gateway, *others = PORTS
        self.ports = {port: str(free_port()) for port in others}
        self.ports[gateway] = str(machine.gateway_port)
        self.printed = ""
        self.exits = ExitStack()
        self.notebook: Notebook | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.exits.close()

    def run(self, blocks: Iterable[Block]) -> None:
        """Do what the blocks of a page say.

        Raises:
            PageError: One does not work; the message starts with page and line.
        """
        for block in blocks:
            try:
                self._run(block)
            except _BlockError as error:
                msg = f"{block.where}: {error}"
                raise PageError(msg) from None

    def _run(self, block: Block) -> None:
        if not self._can_run(block.directives):
            return
        if "output" in block.directives:
            self._compare(block.text)
        elif name := block.directives.get("file"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._outward(block.text))
        elif block.language == "python":
            self._cell(block)
        elif block.language == "console":
            self._console(block)
        else:
            self._command(block.text, block)

    def _can_run(self, directives: dict[str, str]) -> bool:
        if "cluster" in directives and "KUBECONFIG" not in self.machine.environment:
            return False
        return "skip" not in directives and _importable(directives.get("needs"))

    def _console(self, block: Block) -> None:
        commands = _COMMAND.findall(block.text)
        if not commands:
            msg = "a console block has lines that start with `$ `"
            raise _BlockError(msg)
        for command, output in commands:
            is_last = (command, output) == commands[-1]
            self._command(command, block if is_last else None)
            if output.strip():
                self._compare(output)

    def _command(self, command: str, block: Block | None) -> None:
        directives = block.directives if block else {}
        if block and "background" in directives:
            self._start(command, block)
            return
        is_console = block is None or block.language == "console"
        with _scratch() as output, _scratch() as errors:
            process = self._popen(command, output, output if is_console else errors)
            code = _wait(process, BLOCK_SECONDS)
            self.printed = self._inward(_content(output))
            said = self._inward(_content(errors))
        expected = int(directives.get("exit", 0))
        if code != expected:
            msg = f"exit code {code}, not {expected}:\n{self.printed}{said}"
            raise _BlockError(msg)

    def _start(self, command: str, block: Block) -> None:
        path = self.folder.parent / f"background-{block.line}.txt"
        output = self.exits.enter_context(path.open("w"))
        process = self._popen(command, output, output)
        self.exits.callback(_interrupt, process)
        wanted = block.directives["background"]
        deadline = time.monotonic() + BLOCK_SECONDS
        while wanted not in (printed := self._inward(path.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                msg = f"has not printed {wanted!r} but:\n{printed}"
                raise _BlockError(msg)
            time.sleep(0.05)
        self.printed = printed

    def _popen(
        self, command: str, output: IO[str], errors: IO[str]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", self._outward(command)],
            cwd=self.folder,
            env=self.machine.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )

    def _cell(self, block: Block) -> None:
        if self.notebook is None:
            notebook = Notebook(self.machine, self.folder)
            self.notebook = self.exits.enter_context(notebook)
        cell = self.notebook.run(self._outward(block.text), BLOCK_SECONDS)
        self.printed = self._inward(cell.printed)
        expected = block.directives.get("raises", "")
        if cell.raised != expected:
            msg = f"raised {cell.raised or 'nothing'}, not {expected or 'nothing'}:\n"
            raise _BlockError(msg + self.printed)

    def _compare(self, expected: str) -> None:
        if not is_printed(expected, self.printed):
            msg = f"this should be printed:\n{expected}\nbut this was:\n{self.printed}"
            raise _BlockError(msg)

    def _outward(self, text: str) -> str:
        for shown, real in self.ports.items():
            text = re.sub(rf"\b{shown}\b", real, text)
        return text

    def _inward(self, text: str) -> str:
        for shown, real in self.ports.items():
            text = re.sub(rf"\b{real}\b", shown, text)
        return text


class _BlockError(Exception):
    """What is wrong with the block that runs."""


def _importable(module: str | None) -> bool:
    return module is None or importlib.util.find_spec(module) is not None


def _scratch() -> IO[str]:
    return tempfile.TemporaryFile("w+")


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        msg = f"did not end within {seconds:g} seconds"
        raise _BlockError(msg) from None


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """End a command as Ctrl-C would, by force where that does not help."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                continue
