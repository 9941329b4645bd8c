"""The engine's folder: state, passphrase, and one work folder per stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cortex_sdk.errors import TargetError

PROJECT = "cortex"
_PRIVATE = 0o700
_FILES_OF_HISTORY = 20


@dataclass(frozen=True, slots=True)
class Folders:
    """Paths below `$CORTEX_HOME/pulumi`; nothing is made by asking for one."""

    root: Path

    @property
    def state(self) -> Path:
        """The backend that is used unless the user names one."""
        return self.root / "state"

    @property
    def passphrase(self) -> Path:
        """What encrypts the secrets in the state."""
        return self.root / "passphrase"

    @property
    def cli(self) -> Path:
        """Where a Pulumi CLI of our own is installed."""
        return self.root / "cli"

    def work(self, stack: str) -> Path:
        """Project and stack file: the salt in there must last as long as the state."""
        return self.root / "stacks" / stack

    def turn(self, stack: str) -> Path:
        """Held by the process that works on the stack."""
        return self.root / "turns" / stack

    def state_file(self, stack: str) -> Path | None:
        """The state of a stack in our own backend."""
        folder = self.state / ".pulumi" / "stacks" / PROJECT
        found = (folder / f"{stack}.json{end}" for end in ("", ".gz", ".zst"))
        return next((path for path in found if path.exists()), None)

    def stacks(self) -> list[str]:
        """Names of the stacks in our own backend."""
        folder = self.state / ".pulumi" / "stacks" / PROJECT
        files = [*folder.glob("*.json"), *folder.glob("*.json.*z*")]
        return sorted({path.name.split(".json")[0] for path in files})

    def forget_history(self, stack: str) -> None:
        """Keep what Pulumi noted of the last runs; each has a copy of the state."""
        folder = self.state / ".pulumi" / "history" / PROJECT / stack
        for file in sorted(folder.glob("*"))[:-_FILES_OF_HISTORY]:
            file.unlink(missing_ok=True)

    def make(self, *folders: Path) -> None:
        """Make folders for this user alone.

        Raises:
            TargetError: They cannot be made.
        """
        with self.writing():
            for folder in (self.root, *folders):
                folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn a failure to write into one sentence."""
        try:
            yield
        except OSError as error:
            msg = (
                f"cannot write to {self.root}: {error.strerror or error}; make room or"
                " make it writable, or set CORTEX_HOME to another folder"
            )
            raise TargetError(msg) from error
