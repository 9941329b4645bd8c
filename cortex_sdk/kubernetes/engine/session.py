"""One stack in Pulumi's hands: its workspace, and runs that wait for their turn."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode
from pulumi.automation.errors import (
    ConcurrentUpdateError,
    StackNotFoundError,
)

from cortex_sdk._target import Progress
from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine import cli, environment, failures, locks
from cortex_sdk.kubernetes.engine.folders import PROJECT, Folders
from cortex_sdk.kubernetes.engine.outcome import Outcome
from cortex_sdk.kubernetes.engine.record import Record
from cortex_sdk.kubernetes.engine.running import Abort, OnEvent, Run
from cortex_sdk.kubernetes.engine.settings import EngineSettings
from cortex_sdk.local.home import write

Work = Callable[[auto.Stack, OnEvent], object]
_PROJECT_FILE = f"name: {PROJECT}\nruntime: python\n".encode()
_POLL = 1.0
_NEVER = datetime.fromtimestamp(0, UTC)
_NO_SUMMARY = auto.UpdateSummary("update", _NEVER, "", {}, {}, "succeeded")


class _Workspace(auto.LocalWorkspace):
    """Every command names its stack, so none is ever selected: that costs a run."""

    def create_stack(self, stack_name: str) -> None:
        arguments = ["stack", "init", stack_name, "--no-select"]
        if self.secrets_provider:
            arguments += ["--secrets-provider", self.secrets_provider]
        self._run_pulumi_cmd_sync(arguments)

    def select_stack(self, stack_name: str) -> None:
        """See the class."""


class _Stack(auto.Stack):
    """Outputs and summary came as events; asking for them costs three runs."""

    def outputs(self) -> auto.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:  # noqa: ARG002, FBT001, FBT002  # as inherited
        return _NO_SUMMARY


class Guarded:
    """A program whose exception is kept: Pulumi passes on only its text."""

    def __init__(self, program: Callable[[], Any]) -> None:
        self._program = program
        self.error: BaseException | None = None

    def __call__(self) -> Any:  # noqa: ANN401  # whatever the program returns
        """Run the program."""
        try:
            return self._program()
        except BaseException as error:
            self.error = error
            raise


class Session:
    """What can be done with one stack while its turn is held."""

    def __init__(
        self, settings: EngineSettings, folders: Folders, stack: str, progress: Progress
    ) -> None:
        self._folders = folders
        self._name = stack
        self._progress = progress
        self._command = cli.find(folders, settings.consent)
        self._stack = _Stack(stack, self._open(settings), StackInitMode.SELECT)
        self._is_local = settings.backend is None
        self._is_new = False
        self._packs = [str(path) for path in settings.policy_packs] or None

    def _open(self, settings: EngineSettings) -> _Workspace:
        work = self._folders.work(self._name)
        project = work / "Pulumi.yaml"
        with self._folders.writing():
            if not project.exists():
                write(project, _PROJECT_FILE)
        return _Workspace(
            work_dir=str(work),
            env_vars=environment.variables(settings, self._folders, os.environ),
            secrets_provider=settings.secrets_provider,
            pulumi_command=self._command,
        )

    def up(
        self,
        program: Callable[[], Any],
        *,
        plan: Path | None,
        refresh: bool,
        abort: Abort | None,
    ) -> Outcome:
        """See Engine.up."""

        def work(stack: auto.Stack, program: Guarded, on_event: OnEvent) -> None:
            stack.up(
                program=program,
                on_event=on_event,
                plan=str(plan) if plan else None,
                refresh=refresh,
                policy_packs=self._packs,
                color="never",
            )

        record = self._run_program(program, work, abort)
        if record.had_pending:
            self._run(_clear_pending)
        self._folders.forget_history(self._name)
        return record.outcome

    def preview(
        self, program: Callable[[], Any], *, refresh: bool, save: Path | None
    ) -> Outcome:
        """See Engine.preview."""

        def work(stack: auto.Stack, program: Guarded, on_event: OnEvent) -> None:
            stack.preview(
                program=program,
                on_event=on_event,
                plan=str(save) if save else None,
                refresh=refresh,
                policy_packs=self._packs,
                color="never",
            )

        try:
            record = self._run_program(program, work)
        finally:
            if self._is_new:
                self._run(_remove_empty)
        if save is not None:
            save.chmod(0o600)
        return record.outcome

    def destroy(self) -> Outcome:
        """See Engine.destroy."""
        try:
            return self._run(_destroy).outcome
        except StackNotFoundError:
            return Outcome()

    def names(self) -> list[str]:
        """Names of all stacks of the backend, by the CLI."""
        found: list[str] = []

        def work(stack: auto.Stack, _: OnEvent) -> None:
            found.extend(item.name for item in stack.workspace.list_stacks())

        self._run(work)
        return sorted(name.rpartition("/")[2] for name in found)

    def _run_program(
        self,
        program: Callable[[], Any],
        work: Callable[[auto.Stack, Guarded, OnEvent], None],
        abort: Abort | None = None,
    ) -> Record:
        """Run a program, and raise its own exception where that was the failure."""
        guarded = Guarded(program)
        if self._is_local and self._folders.state_file(self._name) is None:
            self._create()
        try:
            return self._run(
                lambda stack, on_event: work(stack, guarded, on_event), abort
            )
        except StackNotFoundError:  # a named backend does not tell beforehand
            self._create()
            return self._run_program(program, work, abort)
        except Exception:
            if guarded.error is not None:
                raise guarded.error from None
            raise

    def _create(self) -> None:
        self._run(_create)
        self._is_new = True

    def _run(self, work: Work, abort: Abort | None = None) -> Record:
        """Do one piece of work, after whoever is at the stack.

        Raises:
            StackNotFoundError: There is no such stack.
            CortexError: It failed; the message says why.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        while True:
            run = Run(self._command, self._progress, abort)
            run.go(lambda on_event: work(self._stack, on_event))
            match run.error:
                case None:
                    return run.record
                case StackNotFoundError():
                    raise run.error
                case ConcurrentUpdateError():
                    self._wait_for(str(run.error))
                case error:
                    raise failures.explain(
                        error, run.record, self._folders, self._name
                    ) from error

    def _wait_for(self, said: str) -> None:
        """Wait until the stack is free, as far as that can be known.

        Raises:
            TargetError: It is held by somebody on another machine.
        """
        held = locks.parse(said)
        foreign = next((lock for lock in held if not lock.is_here), None)
        if foreign is not None or not held:
            raise TargetError(_held(self._name, foreign))
        if all(lock.is_stale for lock in held):
            self._progress("removing the lock of a run that was killed")
            self._unlock(held)
            return
        alive = next(lock for lock in held if not lock.is_stale)
        self._progress(f"waiting for another change to finish (process {alive.pid})")
        time.sleep(_POLL)

    def _unlock(self, held: tuple[locks.Lock, ...]) -> None:
        files = [lock.file for lock in held]
        if None in files:  # in a bucket, where only Pulumi reaches it
            self._run(_cancel)
        for file in files:
            if file is not None:
                file.unlink(missing_ok=True)


def _create(stack: auto.Stack, _: OnEvent) -> None:
    stack.workspace.create_stack(stack.name)


def _remove_empty(stack: auto.Stack, _: OnEvent) -> None:
    """Remove a stack without resources, but keep its salt: a plan may need it."""
    stack.workspace.remove_stack(stack.name, preserve_config=True)


def _clear_pending(stack: auto.Stack, on_event: OnEvent) -> None:
    """Forget what a killed run may have begun to create: by now it is there."""
    stack.refresh(clear_pending_creates=True, on_event=on_event, color="never")


def _destroy(stack: auto.Stack, on_event: OnEvent) -> None:
    stack.destroy(remove=True, on_event=on_event, color="never")


def _cancel(stack: auto.Stack, _: OnEvent) -> None:
    stack.cancel()


def _held(stack: str, lock: locks.Lock | None) -> str:
    if lock is None:
        return f"another change of {stack} is in progress; wait until it has ended"
    return (
        f"{stack} is being changed by {lock.user} on {lock.host} since {lock.since};"
        f" wait until that has ended, or, if it cannot end any more, remove {lock.url}"
    )
