"""Compile what the cache does not have, one after the other: each takes gigabytes."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from e2e.toolchain import cache, go
from e2e.toolchain.tools import TOOLS, Tool

Say = Callable[[str], None]


def ensure(tools: tuple[Tool, ...] = TOOLS, say: Say = print) -> dict[str, Path]:
    """Paths of the binaries by name, compiled first where they are missing.

    A variable `CORTEX_TOOLCHAIN_<NAME>`, as in `CORTEX_TOOLCHAIN_PULUMI`, names a
    binary that is there already.

    Raises:
        Unavailable: If one must be compiled and the Go proxy cannot be reached.
    """
    return {tool.name: named(tool) or _built(tool, say) for tool in tools}


def named(tool: Tool) -> Path | None:
    """The binary that the user has, if a variable says so."""
    variable = f"{cache.VARIABLE}_{tool.name.upper().replace('-', '_')}"
    return Path(os.environ[variable]) if variable in os.environ else None


def _built(tool: Tool, say: Say) -> Path:
    binary = tool.home / tool.name
    if not binary.exists():
        with cache.alone(tool.name):
            if not binary.exists():
                _build(tool, say)
    return binary


def _build(tool: Tool, say: Say) -> None:
    say(f"{tool.name} {tool.version}: compiling, which takes minutes")
    started = time.monotonic()
    unfinished = tool.home.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    target = str(unfinished / tool.name)
    flags = ("-ldflags", tool.linker_flags, "-o", target)
    go.run("build", *flags, tool.package, folder=tool.folder)
    _accompany(tool, unfinished)
    unfinished.rename(tool.home)
    say(f"{tool.name} {tool.version}: {time.monotonic() - started:.0f} s")


def _accompany(tool: Tool, folder: Path) -> None:
    """Put beside a binary what it looks for there, and the names it goes by."""
    for link in tool.links:
        (folder / link).symlink_to(tool.name)
    for script in tool.scripts:
        shutil.copy(source(tool, tool.module) / script, folder)


def source(tool: Tool, module: str) -> Path:
    """The sources of a module that a tool is made of, at the tool's version of it."""
    go.run("mod", "download", module, folder=tool.folder)
    found = go.run("list", "-m", "-f", "{{.Dir}}", module, folder=tool.folder)
    return Path(found)
