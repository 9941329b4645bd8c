"""The serving image that users make from `server/Dockerfile`, made by buildah."""

import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from e2e.images import catalogue
from e2e.toolchain import cache
from e2e.toolchain.build import Say

PROJECT = Path(__file__).parents[3]
DOCKERFILE = PROJECT / "server" / "Dockerfile"
PACKAGES = ("cortex_sdk", "server/cortex_server", "stacks/cortex_stacks")
REFERENCE = "cortex.test/serving:1"


def ensure(wheels: Path, requirements: str = "", say: Say = print) -> Path:
    """An archive of `REFERENCE`, with this project and requirements installed.

    Args:
        wheels: The folder of a package index; nothing comes from elsewhere.
        requirements: What predictors import, separated by blanks.
        say: Told what takes long.

    Raises:
        Unavailable: If the image below it cannot be had.
    """
    base = catalogue.python(say)
    sources = [PROJECT / name for name in ("pyproject.toml", *PACKAGES)]
    key = cache.digest(DOCKERFILE, *sources, requirements, base.name, wheels.name)

    def write(target: Path, scratch: Path) -> None:
        context = scratch / "context"
        _run(
            sys.executable,
            "-m",
            "uv",
            "build",
            "-q",
            "--wheel",
            str(PROJECT),
            "--out-dir",
            str(context / "dist"),
        )
        with _index(wheels) as url:
            _build(
                context,
                base,
                scratch,
                {"PIP_INDEX_URL": url, "REQUIREMENTS": requirements},
            )
        _buildah(scratch, "push", REFERENCE, f"docker-archive:{target}:{REFERENCE}")
        shutil.rmtree(scratch / "storage")

    return catalogue.kept(REFERENCE, key, write, say)


def _build(context: Path, base: Path, scratch: Path, arguments: dict[str, str]) -> None:
    given = {"BASE": f"oci-archive:{base}", **arguments}
    options = [f"--build-arg={name}={value}" for name, value in given.items()]
    isolated = ("--isolation=chroot", "--network=host")
    what = (f"--file={DOCKERFILE}", f"--tag={REFERENCE}", str(context))
    _buildah(scratch, "build", "--quiet", *isolated, *options, *what)


def _buildah(scratch: Path, *arguments: str) -> None:
    """Run buildah with a storage that nobody else has, and no daemon."""
    folders = (f"--root={scratch}/storage", f"--runroot={scratch}/storage-run")
    _run("buildah", *folders, "--storage-driver=vfs", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-4000:]}")


@contextmanager
def _index(wheels: Path) -> Iterator[str]:
    """Serve a package index on loopback while an image is built."""
    handler = partial(_Quiet, directory=str(wheels))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
