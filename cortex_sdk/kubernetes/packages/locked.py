"""Which packages the pods of an API install: what was declared, or what is in use."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.kubernetes.packages.imports import imported, of_session, pickled
from cortex_sdk.kubernetes.packages.installed import (
    OURS,
    Closure,
    distributions_of,
    pin,
    required,
)

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI
    from cortex_sdk.project.release import Release

_FRAMEWORKS = {"tensorflow": ("tensorflow",), "torchscript": ("numpy", "torch")}
"""What built-in predictors need that have no extra of their own."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Lines of a requirements file."""

    lines: tuple[str, ...]
    is_complete: bool
    """Whether they name everything, with its version."""


def locked(api: "SyncAPI", release: "Release", drivers: Iterable[str] = ()) -> Locked:
    """The packages that pods of `api` install beside the wheel.

    Args:
        api: The declaration.
        release: What it comes to.
        drivers: Packages that open URLs which pods read.

    Raises:
        InvalidSpecError: One is installed from a folder of this machine.
    """
    declared = release.manifest.requirements
    if api.requirements is not None:
        return _declared(declared, drivers)
    closure = Closure()
    for name in (OURS, *_used(api, release), *drivers):
        _add(closure, Requirement(name))
    is_same_system = sys.platform == "linux"
    lines = tuple(closure.pins[name] for name in sorted(closure.pins))
    return Locked(lines, closure.is_complete and is_same_system)


def _add(closure: Closure, requirement: Requirement) -> None:
    if canonicalize_name(requirement.name) != OURS:
        closure.add(requirement)
        return
    ours = metadata.distribution(OURS)  # itself it comes as a wheel
    for extra in ("", *requirement.extras):
        for each in required(ours, extra):
            closure.add(each)


def _declared(lines: tuple[str, ...], drivers: Iterable[str]) -> Locked:
    """As they were written; what the server needs as it is here, where nobody says."""
    named = {name for line in lines if (name := _name(line))}
    base = {canonicalize_name(each.name) for each in required(_ours())}
    added = [
        pin(metadata.distribution(name)) for name in sorted({*base, *drivers} - named)
    ]
    return Locked((*lines, *added), is_complete=False)


def _ours() -> metadata.Distribution:
    return metadata.distribution(OURS)


def _name(line: str) -> str | None:
    try:
        return canonicalize_name(Requirement(line.partition(" --hash")[0]).name)
    except InvalidRequirement:
        return None  # an option or a bare address


def _used(api: "SyncAPI", release: "Release") -> list[str]:
    """What the code of the project imports, as far as it is installed here."""
    bundle = release.bundle
    modules = imported(bundle.contents)
    if (content := release.pickle()) is not None:
        modules |= pickled(content) | of_session(vars(sys.modules["__main__"]))
    modules -= set(sys.stdlib_module_names) | _own(bundle.files, api.python_path)
    built_in = _of_built_in(api.predictor) if isinstance(api.predictor, BuiltIn) else ()
    return [*distributions_of(modules), *built_in]


def _own(files: Iterable[str], python_path: str | None) -> set[str]:
    """Modules of the project itself."""
    inside = f"{python_path.strip('/')}/" if python_path else ""
    names = [*files, *(f.removeprefix(inside) for f in files if f.startswith(inside))]
    return {name.partition("/")[0].removesuffix(".py") for name in names}


def _of_built_in(predictor: BuiltIn) -> tuple[str, ...]:
    if predictor.module in _FRAMEWORKS:
        return _FRAMEWORKS[predictor.module]
    return (f"{OURS}[{predictor.module}]",)
