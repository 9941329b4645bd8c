"""A notebook kernel in which the Python blocks of a page are cells."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from jupyter_client.manager import start_new_kernel

from docs.machine import Machine


class Cell:
    """What a notebook shows under a cell, as text."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self.raised = ""
        """Name of the exception that the cell ended with, "" without one."""

    @property
    def printed(self) -> str:
        """Everything, in order of appearance."""
        return "".join(self._parts.values())

    def add(self, message: dict[str, Any]) -> None:
        """Take one message of the kernel; a display may be written anew."""
        content = message["content"]
        key = content.get("transient", {}).get("display_id") or message["msg_id"]
        match message["msg_type"]:
            case "stream":
                self._parts[key] = str(content["text"])
            case "execute_result" | "display_data" | "update_display_data":
                self._parts[key] = f"{content['data'].get('text/plain', '')}\n"
            case "error":
                self.raised = content["ename"]
                self._parts[key] = f"{content['ename']}: {content['evalue']}\n"


class Notebook:
    """A kernel of this Python that works in a folder."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._folder = folder
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        manager, self._client = start_new_kernel(
            env=self._machine.environment,
            cwd=str(self._folder),
            extra_arguments=["--log-level=ERROR"],
        )
        self._exits.callback(manager.shutdown_kernel, now=True)
        self._exits.callback(self._client.stop_channels)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def run(self, source: str, seconds: float) -> Cell:
        """Run a cell and return what it shows."""
        cell = Cell()
        self._client.execute_interactive(source, output_hook=cell.add, timeout=seconds)
        return cell
