"""Bringing stacks up and down with Pulumi."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortex_sdk._target import Progress
from cortex_sdk.errors import MissingExtraError
from cortex_sdk.kubernetes.engine import environment, passphrase
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.engine.outcome import Outcome
from cortex_sdk.kubernetes.engine.settings import EngineSettings
from cortex_sdk.kubernetes.engine.turns import turn

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.engine.session import Session

Program = Callable[[], Any]
Abort = Callable[[], str | None]


class Engine:
    """Runs programs as stacks of the project `cortex`.

    Any number of stacks may be worked on at once, from threads and from processes;
    runs of the same stack wait for each other. A program must not refer to objects of
    another run. Every method may raise TargetError, when Pulumi cannot be used, and
    KeyboardInterrupt, after a run that Ctrl-C stopped in good order. An exception of
    the program comes back as it was raised.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._folders = Folders(settings.home)

    def up(
        self,
        stack: str,
        program: Program,
        progress: Progress,
        *,
        plan: Path | None = None,
        refresh: bool = False,
        abort: Abort | None = None,
    ) -> Outcome:
        """Make the resources be as the program says.

        What a run before this one left unfinished is finished by it.

        Args:
            stack: Its name, 1 to 100 letters, digits, ".", "_" and "-".
            program: Declares the resources; pure, since it may be called again.
            progress: Called in this thread.
            plan: A file that `preview` saved; nothing else may then change.
            refresh: Compare with the cluster first, and not only with the state.
            abort: Asked every second; a text stops the run.

        Raises:
            DeployError: A resource could not be changed, the plan does not fit, or
                `abort` gave that text.
        """
        with self._session(stack, progress) as session:
            return session.up(program, plan=plan, refresh=refresh, abort=abort)

    def preview(
        self,
        stack: str,
        program: Program,
        progress: Progress,
        *,
        refresh: bool = False,
        save: Path | None = None,
    ) -> Outcome:
        """Tell what `up` would change, and change nothing.

        Args:
            stack: See `up`.
            program: See `up`.
            progress: See `up`.
            refresh: See `up`.
            save: Where to save the plan, for this user alone: it holds secrets in
                encrypted form.

        Raises:
            DeployError: `up` would fail.
        """
        with self._session(stack, progress) as session:
            return session.preview(program, refresh=refresh, save=save)

    def destroy(self, stack: str, progress: Progress) -> Outcome:
        """Delete all resources of a stack, and then the stack; none is no error.

        Raises:
            DeployError: A resource could not be deleted; the stack stays.
        """
        with self._session(stack, progress) as session:
            outcome = session.destroy()
            shutil.rmtree(self._folders.work(stack), ignore_errors=True)
            return outcome

    def stacks(self) -> list[str]:
        """Names of all stacks."""
        if self._settings.backend is None:
            return self._folders.stacks()
        with self._session("-", _say_nothing) as session:
            return session.names()

    def exists(self, stack: str) -> bool:
        """Whether there is such a stack."""
        return stack in self.stacks()

    @contextmanager
    def _session(self, stack: str, progress: Progress) -> Iterator["Session"]:
        """One stack, in this run's hands alone as far as this machine goes."""
        session_type = _session_type()
        folders = self._folders
        folders.make(folders.state, folders.turn(stack).parent)
        with turn(folders.turn(stack), progress):
            if environment.uses_own_passphrase(self._settings):
                passphrase.ensure(folders)
            folders.make(folders.work(stack))
            yield session_type(self._settings, folders, stack, progress)


def _session_type() -> "type[Session]":
    try:
        from cortex_sdk.kubernetes.engine.session import Session  # noqa: PLC0415  # slow
    except ModuleNotFoundError as error:
        msg = (
            f"this target needs the package `{error.name}`;"
            " run `pip install 'cortex-sdk[kubernetes]'`"
        )
        raise MissingExtraError(msg) from error
    return Session


def _say_nothing(_: str) -> None:
    """Where nobody waits for long."""
