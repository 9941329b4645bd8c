"""The one front door: `nox` runs everything, `nox -s NAME` one session."""

import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.stop_on_first_error = True
nox.options.sessions = [
    "lint",
    "types",
    "imports",
    "size",
    "unit",
    "integration",
    "docs",
]

LOCK = "requirements.lock"
PACKAGES = ("cortex_sdk", "server/cortex_server", "stacks/cortex_stacks")
LONGEST_MODULE = 300


def install(session: nox.Session, *groups: str) -> None:
    """Install the project and dependency groups, at the locked versions."""
    wanted = [part for group in groups for part in ("--group", group)]
    session.install("-e", ".[local,kubernetes]", *wanted, "--constraint", LOCK)


def pytest(session: nox.Session, *default: str) -> None:
    """Run pytest on what the command line names, or on `default`."""
    session.run("pytest", *(session.posargs or default))


@nox.session
def lint(session: nox.Session) -> None:
    """Style and form of the code."""
    session.install("--group", "lint", "--constraint", LOCK)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types, as strictly as they can be checked."""
    install(session, "types")
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom."""
    install(session, "types")
    session.run("lint-imports")


@nox.session(python=False)
def size(session: nox.Session) -> None:
    """No module grows past what fits in a head."""
    for package in PACKAGES:
        for module in Path(package).rglob("*.py"):
            lines = len(module.read_text().splitlines())
            if lines > LONGEST_MODULE:
                session.error(f"{module} has {lines} lines, over {LONGEST_MODULE}")


@nox.session
def unit(session: nox.Session) -> None:
    """Fast tests, and what two sides must agree on."""
    install(session, "test")
    pytest(session, "tests/unit", "tests/contract")


@nox.session
def integration(session: nox.Session) -> None:
    """Real servers, the real gateway and a real notebook, on loopback."""
    install(session, "test", "docs")
    pytest(session, "tests/integration")


@nox.session
def docs(session: nox.Session) -> None:
    """Every block and every example of the documentation runs."""
    install(session, "test", "docs")
    pytest(session, "tests/docs")


@nox.session
def toolchain(session: nox.Session) -> None:
    """Build what the tests on a real cluster run with; half an hour when cold."""
    install(session, "e2e")
    session.run("python", "-m", "e2e.toolchain", env={"PYTHONPATH": "tests"})


@nox.session
def e2e(session: nox.Session) -> None:
    """The product on a real Kubernetes; builds its toolchain first where it must."""
    install(session, "e2e")
    options = ("-p", "no:cacheprovider", "--timeout=1800")
    session.run("pytest", *options, *(session.posargs or ["tests/e2e"]))


@nox.session
def bench(session: nox.Session) -> None:
    """Compare the server with others; takes minutes and wants a quiet machine."""
    install(session, "bench")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(python=False)
def lock(session: nox.Session) -> None:
    """Write the lock file anew, with the newest versions that fit."""
    session.run(
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"),
        *("--all-extras", "--group", "dev", "--universal", "--upgrade", "--quiet"),
        *("--no-annotate", "--no-header", "--output-file", LOCK),
    )
