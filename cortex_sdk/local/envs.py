"""Environments with the packages that an API declares.

Each is made once and shared by all APIs with the same lines. The packages of the
deploying interpreter come after its own, so the server and what it needs are there
without being installed again.
"""

import fcntl
import hashlib
import json
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_sdk._target import Progress
from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.local.home import Home

_COMPLETE = "complete"
_LONGEST = 500
_NAME_MARKS = re.compile(r"[-_.]+")
_ERROR = re.compile(r"\s*(ERROR:|error:|cause:|╰─▶)\s*")


def python_for(home: Home, requirements: tuple[str, ...], progress: Progress) -> str:
    """The interpreter that has these packages; this one where none are declared.

    Raises:
        InvalidSpecError: They cannot be installed.
    """
    if not requirements:
        return sys.executable
    folder = home.environments / _digest(requirements)
    python = folder / "bin" / "python"
    with home.writing():
        home.environments.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            if not (folder / _COMPLETE).exists():
                progress("installing requirements")
                _make(folder, python, requirements)
    return str(python)


def _digest(requirements: tuple[str, ...]) -> str:
    parts = [sys.executable, sys.version, *requirements]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _make(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    uv = _uv()
    if uv:
        prepare = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        installer = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        prepare = [sys.executable, "-m", "venv", str(folder)]
        installer = [str(python), "-m", "pip", "install", "--quiet"]
        installer += ["--disable-pip-version-check"]
    _run(prepare, requirements)
    lines = folder / "requirements.txt"
    lines.write_text("\n".join(requirements) + "\n")
    _run([*installer, "--requirement", str(lines)], requirements)
    _add_own_packages(folder)
    (folder / _COMPLETE).touch()


def _add_own_packages(folder: Path) -> None:
    """Put the packages of this interpreter behind those of the environment.

    `addsitedir` and not the bare path: an editable install is found through files
    that only it reads.
    """
    (own,) = folder.glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})" for path in _site_folders()]
    (own / "cortex-deploying-interpreter.pth").write_text("\n".join(lines) + "\n")


def _site_folders() -> list[str]:
    found = [*site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        found.append(site.getusersitepackages())
    return [path for path in found if Path(path).is_dir()]


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _run(command: list[str], requirements: tuple[str, ...]) -> None:
    done = subprocess.run(  # noqa: S603  # uv, pip or this interpreter
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InvalidSpecError(_sentence(done.stderr or done.stdout, requirements))


def _sentence(output: str, requirements: tuple[str, ...]) -> str:
    """Name the requirement that is at fault, and what the installer said last."""
    packages = [line for line in requirements if not line.startswith("-")]
    words = _NAME_MARKS.sub("-", " ".join(output.lower().split()))
    named = [line for line in packages if _project(line) in words] or packages
    which = ", ".join(repr(line) for line in named)
    subject = (
        f"the requirements {which}" if len(named) > 1 else f"the requirement {which}"
    )
    return f"{subject} cannot be installed: {_last_words(output)}"


def _project(line: str) -> str:
    """The name of a package as installers print it."""
    return _NAME_MARKS.sub(
        "-", re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0].lower()
    )


def _last_words(output: str) -> str:
    """What stands from the last error on, in one line."""
    lines = output.strip().splitlines() or ["the installer said nothing"]
    starts = [number for number, line in enumerate(lines) if _ERROR.match(line)]
    last = " ".join(" ".join(lines[starts[-1] if starts else -1 :]).split())
    return _ERROR.sub("", last)[:_LONGEST]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
