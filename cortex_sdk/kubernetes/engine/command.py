"""The Pulumi CLI as a child that outlives us.

It runs in a session of its own, so neither Ctrl-C nor a closed terminal reaches it,
and writes to files, so it never hangs on a pipe that nobody reads. A run that lost
this process still finishes what it began and saves the state.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from cortex_sdk.kubernetes.engine.environment import PASSPHRASE_VARIABLES


class Command(PulumiCommand):
    """One run of the CLI at a time, which can be told to stop."""

    def __init__(self, path: Path, version: VersionInfo) -> None:
        # Not the inherited one, which asks the CLI for its version each time.
        self.command = str(path)
        self.version = version
        self._child: subprocess.Popen[bytes] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run the CLI to its end; see PulumiCommand.run."""
        del on_output, on_error  # what is of interest comes as events
        with TemporaryFile() as output, TemporaryFile() as errors:
            self._child = subprocess.Popen(  # noqa: S603  # the CLI
                [self.command, "--non-interactive", *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=cwd,
                env=self._environment(additional_env),
                start_new_session=True,
            )
            code = self._child.wait()
            result = CommandResult(_text(output), _text(errors), code)
        if code != 0:
            raise create_command_error(result)
        return result

    def interrupt(self) -> None:
        """Ask it to finish what it began and stop; asked twice, it drops everything."""
        if self._child is not None:
            self._child.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it by force; plugins end when they find it gone."""
        if self._child is not None and self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _environment(self, additional: Mapping[str, str]) -> dict[str, str]:
        ours = dict(os.environ)
        if any(name in additional for name in PASSPHRASE_VARIABLES):
            ours.pop(PASSPHRASE_VARIABLES[0], None)  # it would win over a file
        beside = os.path.dirname(self.command)  # noqa: PTH120  # for PATH
        path = os.pathsep.join(filter(None, [beside, ours.get("PATH", os.defpath)]))
        return {**ours, "PATH": path, **additional, "PULUMI_AUTOMATION_API": "true"}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
