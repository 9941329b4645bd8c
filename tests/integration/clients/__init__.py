"""Public clients of others, run in an environment of their own."""

import ast
import subprocess
from pathlib import Path

from uv import find_uv_bin

HERE = Path(__file__).parent
_PARTS = ("tensor", "request", "error_of", "main")
TRITON, KSERVE = HERE / "triton.py", HERE / "kserve_rest.py"


def build(folder: Path) -> Path:
    """Make the environment; returns its Python."""
    python = folder / "bin" / "python"
    uv = find_uv_bin()
    run(uv, "venv", "--quiet", "--python", "3.11", folder)
    wanted = HERE / "requirements.txt"
    run(uv, "pip", "install", "--quiet", "--python", python, "-r", wanted)
    return python


def claims_of(program: Path) -> list[str]:
    """What a program can be told to show."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [n for n in ast.parse(program.read_text()).body if isinstance(n, kinds)]
    return [one.name for one in found if one.name not in _PARTS]


def show(python: Path, program: Path, claim: str, address: str) -> None:
    """Run one claim; fails with what the client said."""
    run(python, "-W", "ignore", program, claim, address)


def run(*command: str | Path) -> None:
    """Run a command; fails with what it said."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
