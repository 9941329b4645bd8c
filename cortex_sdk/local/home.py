"""Where everything on this machine lies: `$CORTEX_HOME` and the paths in it."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cortex_sdk.errors import TargetError
from cortex_sdk.project.files import HOME_VARIABLE

_DEFAULT = "~/.cortex"
_PRIVATE = 0o700
_KEY_BYTES = 32
# The kernel takes at most 103 bytes on macOS and 107 on Linux.
_LONGEST_SOCKET = 100
_LONGEST_TAIL = len("/xxxxxx-xxxxxx/admin.sock")


@dataclass(frozen=True)
class Home:
    """The folder of one user's local target; nothing is made by asking for a path."""

    root: Path

    @classmethod
    def of_user(cls) -> "Home":
        """`$CORTEX_HOME`, or ~/.cortex."""
        root = Path(os.environ.get(HOME_VARIABLE) or _DEFAULT)
        return cls(Path(os.path.abspath(root.expanduser())))  # noqa: PTH100  # keeps symlinks

    @property
    def bundles(self) -> Path:
        """Archives by hash, and the folders that they were unpacked to."""
        return self.root / "bundles"

    def bundle(self, digest: str) -> Path:
        """The archive with that hash."""
        return self.bundles / f"{digest}.tar"

    def class_file(self, identity: str) -> Path:
        """The pickle of a notebook's class."""
        return self.root / "classes" / f"{identity}.pkl"

    @property
    def environments(self) -> Path:
        """Environments with declared requirements."""
        return self.root / "envs"

    @property
    def apis(self) -> Path:
        """One folder per API."""
        return self.root / "apis"

    def api(self, name: str) -> "ApiFolder":
        """The folder of one API."""
        return ApiFolder(self.apis / name)

    @property
    def splitters(self) -> Path:
        """One file per traffic splitter."""
        return self.root / "splitters"

    def splitter(self, name: str) -> Path:
        """Where a traffic splitter is written down."""
        return self.splitters / f"{name}.json"

    @property
    def agent(self) -> Path:
        """What the agent keeps for itself."""
        return self.root / "agent"

    @property
    def agent_socket(self) -> Path:
        """Where the agent answers."""
        return self._socket("agent")

    @property
    def agent_log(self) -> Path:
        """What the agent has to say."""
        return self.agent / "agent.log"

    @property
    def stopped(self) -> Path:
        """Exists while the user wants nothing to run."""
        return self.agent / "stopped"

    @property
    def gateway(self) -> Path:
        """Configuration, state and log of Envoy."""
        return self.root / "gateway"

    @property
    def gateway_socket(self) -> Path:
        """Where Envoy's admin interface answers."""
        return self._socket("gateway")

    @cached_property
    def run(self) -> Path:
        """Sockets of the replicas; elsewhere where the home is too deep for sockets."""
        inside = self.root / "run"
        if len(os.fsencode(inside)) + _LONGEST_TAIL <= _LONGEST_SOCKET:
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path("/tmp", f"cortex-{os.getuid()}-{digest}")  # noqa: S108  # checked in make()

    def replica(self, replica: str) -> "RunFolder":
        """The run folder of one replica."""
        return RunFolder(self.run / replica)

    def _socket(self, part: str) -> Path:
        if self.run.is_relative_to(self.root):
            name = "agent.sock" if part == "agent" else "admin.sock"
            return self.root / part / name
        return self.run / f"{part}.sock"

    def make(self) -> None:
        """Make the folders, for this user alone.

        Raises:
            TargetError: They cannot be made or written, or the folder for sockets
                belongs to somebody else.
        """
        with self.writing():
            self.root.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            for folder in (self.agent, self.gateway, self.apis, self.run):
                folder.mkdir(mode=_PRIVATE, exist_ok=True)
        if self.run.lstat().st_uid != os.getuid() or self.run.is_symlink():
            msg = f"{self.run} is somebody else's; choose a shorter {HOME_VARIABLE}"
            raise TargetError(msg)
        self.run.chmod(_PRIVATE)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn a failure to write into one sentence."""
        try:
            yield
        except OSError as error:
            where = f"{HOME_VARIABLE} ({self.root})"
            msg = (
                f"cannot write to {where}: {error.strerror or error}; make room or make"
                f" it writable, or set {HOME_VARIABLE} to another folder"
            )
            raise TargetError(msg) from error

    def key(self) -> bytes:
        """The key that hashes of secrets are made with; a new one if there is none."""
        try:
            return (self.root / "key").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return secrets.token_bytes(_KEY_BYTES)
        except OSError as error:
            msg = f"cannot read {self.root / 'key'}: {error.strerror}"
            raise TargetError(msg) from error

    def keep_key(self, key: bytes) -> None:
        """Store the key for the next time, unless there is one by now."""
        if not (self.root / "key").exists():
            write(self.root / "key", key)


@dataclass(frozen=True, slots=True)
class ApiFolder:
    """What is kept of one API."""

    root: Path

    @property
    def state(self) -> Path:
        """Desired state and the replicas that are thought to run."""
        return self.root / "api.json"

    @property
    def logs(self) -> Path:
        """One log per replica."""
        return self.root / "logs"

    def manifest(self, revision: str) -> Path:
        """What a replica of that revision is told."""
        return self.root / "manifests" / f"{revision}.json"

    def secrets(self, revision: str) -> Path:
        """What a replica of that revision is told in confidence."""
        return self.root / f"secrets-{revision}.json"

    @property
    def keys(self) -> Path:
        """API keys, for all its replicas."""
        return self.root / "keys"

    @property
    def models(self) -> Path:
        """Downloaded models, shared by all replicas."""
        return self.root / "models"

    def log(self, replica: str) -> Path:
        """The log that a replica writes."""
        return self.logs / f"{replica}.log"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a replica has while it runs."""

    root: Path

    @property
    def public(self) -> Path:
        """Socket that answers predictions."""
        return self.root / "http.sock"

    @property
    def admin(self) -> Path:
        """Socket that answers for health and metrics."""
        return self.root / "admin.sock"

    @property
    def failure(self) -> Path:
        """Why it could not start."""
        return self.root / "failure.json"

    @property
    def boot_log(self) -> Path:
        """What it printed before it had a log."""
        return self.root / "boot.log"


def write(path: Path, content: bytes) -> None:
    """Replace a file by one rename, readable for this user alone."""
    path.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
