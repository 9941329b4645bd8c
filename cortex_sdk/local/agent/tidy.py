"""Removing what no release needs any more."""

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cortex_sdk.local.agent.state import ApiState
from cortex_sdk.local.home import ApiFolder, Home

KEPT_LOGS = 10
"""Replicas that have ended and whose logs are kept."""

_UNCLAIMED = 3600.0
"""Seconds that a file may lie here before the deploy that it was made for comes."""


def api_folder(folder: ApiFolder, state: ApiState) -> None:
    """Remove old logs, manifests and secrets of forgotten releases, unused keys."""
    needed = state.revisions()
    for path in folder.root.glob("manifests/*.json"):
        if path.stem not in needed:
            _remove(path)
    for path in folder.root.glob("secrets-*.json"):
        if path.stem.removeprefix("secrets-") not in needed:
            _remove(path)
    if not state.needs_keys():
        _remove(folder.keys)
    for path in old_logs(folder, {one.id for one in state.replicas}):
        _remove(path)
        _remove(path.with_name(f"{path.name}.1"))


def run_folders(home: Home, known: set[str]) -> None:
    """Remove what replicas that nobody knows have left behind."""
    for path in home.run.iterdir():
        if path.is_dir() and path.name not in known:
            shutil.rmtree(path, ignore_errors=True)


def old_logs(folder: ApiFolder, running: set[str]) -> list[Path]:
    """Logs beyond the newest few of the replicas that have ended."""
    ended = [path for path in folder.logs.glob("*.log") if path.stem not in running]
    return sorted(ended, key=_changed_at, reverse=True)[KEPT_LOGS:]


def shared(home: Home, states: Iterable[ApiState]) -> None:
    """Remove archives, classes and environments that no API needs any more."""
    states = list(states)
    written = {path.parent.name for path in home.apis.glob("*/api.json")}
    if {state.name for state in states} != written:
        return  # what the others need is not known
    needed = {str(path) for state in states for path in _needs(home, state)}
    needed |= {str(home.api(name).root) for name in written}
    folders = (home.bundles, home.class_file("").parent, home.environments, home.apis)
    for path in (path for folder in folders for path in folder.glob("*")):
        if str(path) not in needed and _changed_at(path) < time.time() - _UNCLAIMED:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else _remove(path)


def _needs(home: Home, state: ApiState) -> Iterable[Path]:
    for release in state.releases():
        yield from (home.bundle(release.bundle), home.bundles / release.bundle)
        yield home.class_file(release.identity or "")
        environment = Path(release.python).parent.parent
        yield from (environment, environment.with_suffix(".lock"))


def _changed_at(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
