"""The packages of this interpreter, pinned to what is installed here."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from cortex_sdk.errors import InvalidSpecError

OURS = "cortex-sdk"
_PODS = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}


@dataclass(slots=True)
class Closure:
    """Packages with all that they require, as they are installed here."""

    pins: dict[str, str] = field(default_factory=dict)
    """A line by canonical name."""
    is_complete: bool = True
    """Whether all that pods need of them is installed here."""

    def add(self, requirement: Requirement, because: str = "") -> None:
        """Pin a package, and what it requires on the system of a pod.

        Raises:
            InvalidSpecError: It is installed from a folder of this machine.
        """
        name = canonicalize_name(requirement.name)
        is_new = name not in self.pins
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            self.is_complete = False
            return
        if is_new:
            self.pins[name] = pin(distribution, because)
        for extra in ("", *requirement.extras):
            if is_new or extra:
                for each in required(distribution, extra):
                    self.add(each, because=str(distribution.name))


def required(distribution: metadata.Distribution, extra: str = "") -> list[Requirement]:
    """What it requires on the system of a pod, of an extra only what that adds."""
    lines = map(Requirement, distribution.requires or ())
    return [line for line in lines if _applies(line, extra)]


def pin(distribution: metadata.Distribution, because: str = "") -> str:
    """The line that installs the same package.

    Raises:
        InvalidSpecError: No pod can: it is installed from a folder of this machine.
    """
    name = str(distribution.name)
    origin = _origin(distribution)
    url = str(origin.get("url", ""))
    if not url:
        return f"{name}=={Version(distribution.version).public}"
    if url.startswith("file:") or "dir_info" in origin:
        raise InvalidSpecError(_from_folder(name, url, because))
    if vcs := origin.get("vcs_info"):
        return f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"{name} @ {url}"


def distributions_of(modules: Iterable[str]) -> Iterator[str]:
    """Names of the installed packages that these modules come from, ours left out."""
    known: Mapping[str, list[str]] = metadata.packages_distributions()
    names = (name for each in modules for name in known.get(each, ()))
    found = {canonicalize_name(name) for name in names}
    yield from sorted(found - {canonicalize_name(OURS)})


def _applies(line: Requirement, extra: str) -> bool:
    if line.marker is None:
        return not extra
    environment: dict[str, Any] = {**default_environment(), **_PODS}
    is_base = line.marker.evaluate({**environment, "extra": ""})
    return is_base != bool(extra) and line.marker.evaluate(
        {**environment, "extra": extra}
    )


def _origin(distribution: metadata.Distribution) -> dict[str, dict[str, str]]:
    """Where it was installed from, {} for one from an index."""
    text = distribution.read_text("direct_url.json")
    decoded: dict[str, dict[str, str]] = json.loads(text) if text else {}
    return decoded


def _from_folder(name: str, url: str, because: str) -> str:
    needed = f", which {because} requires," if because else ""
    return (
        f"the package `{name}`{needed} is installed from {url}, where no pod can get"
        " it; put its code into the project, publish it to a package index, or list"
        " what the predictor needs in `requirements`"
    )
