"""The packages that pods install: what the project needs, and what its examples do."""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from e2e.images.debian import MINOR
from e2e.toolchain import cache
from e2e.toolchain.build import Say
from e2e.toolchain.errors import Unavailable

PROJECT = Path(__file__).parents[3]
LOCK = PROJECT / "requirements.lock"
EXTRAS = ("sklearn", "onnx")


def ensure(say: Say = print) -> Path:
    """A folder whose `simple` is a package index when a web server shows it.

    Raises:
        Unavailable: If the packages cannot be downloaded.
    """
    wanted = _wanted()
    kept = cache.root() / f"wheels-{cache.digest(MINOR, LOCK, *wanted)}"
    with cache.alone("wheels"):
        if not kept.exists():
            say(f"wheels: downloading for Python {MINOR}")
            _fill(kept, wanted)
    return kept


def _wanted() -> list[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    added = [requirement for name in EXTRAS for requirement in extras[name]]
    return [*project["dependencies"], *added]


def _fill(kept: Path, wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        downloaded, index = Path(scratch) / "files", Path(scratch) / "index"
        _download(downloaded, wanted)
        for wheel in downloaded.iterdir():
            folder = index / "simple" / _project_name(wheel)
            folder.mkdir(parents=True, exist_ok=True)
            wheel.rename(folder / wheel.name)
        index.rename(kept)


def _download(target: Path, wanted: list[str]) -> None:
    isolated = ("uv", "run", "-q", "--no-project", "--python", sys.executable)
    options = ("--only-binary=:all:", "--quiet", "--constraint", str(LOCK))
    done = subprocess.run(
        [
            *(sys.executable, "-m", *isolated, "--with", "pip"),
            *("python", "-m", "pip", "download", *options),
            *("--dest", str(target), *wanted),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"wheels cannot be downloaded: {done.stderr.strip()[-300:]}")


def _project_name(wheel: Path) -> str:
    """The name under which an index lists a wheel."""
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()
