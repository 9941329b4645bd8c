"""What `cortex cluster info` tells."""

from dataclasses import dataclass
from typing import Any

from cortex_sdk.kubernetes.platform import checks, usage
from cortex_sdk.kubernetes.platform.found import Found, Part, look
from cortex_sdk.kubernetes.platform.site import Site


@dataclass(frozen=True, slots=True)
class Info:
    """A cluster, its platform, and what runs on it."""

    target: str
    found: Found
    stack: str
    apis: tuple[usage.Named, ...]
    splitters: tuple[usage.Named, ...]
    missing: tuple[str, ...]
    """What keeps APIs from being deployed, a clause each."""
    changed: bool = False
    """Whether the cluster was just changed."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those with an API or a splitter."""
        return tuple(sorted({each.namespace for each in self.apis + self.splitters}))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `-o json` prints them."""
        gateway = self.found.gateway
        return {
            "target": self.target,
            "ready": not self.missing,
            "missing": list(self.missing),
            "changed": self.changed,
            "kubernetes": self.found.kubernetes,
            "gateway_api": self._part(self.found.gateway_api),
            "envoy_gateway": self._part(self.found.envoy_gateway),
            "keda": self._part(self.found.keda),
            "gateway": {
                "class": gateway.class_name,
                "urls": list(gateway.urls),
                "programmed": gateway.is_programmed,
                "reason": gateway.reason,
            }
            if gateway
            else None,
            "apis": [_place(each) for each in self.apis],
            "splitters": [_place(each) for each in self.splitters],
            "namespaces": list(self.namespaces),
        }

    def as_rows(self) -> dict[str, str]:
        """Names and values for people."""
        return {
            "target": self.target,
            "status": "ready" if not self.missing else "; ".join(self.missing),
            "kubernetes": self.found.kubernetes,
            "gateway api": self._told(self.found.gateway_api),
            "envoy gateway": self._told(self.found.envoy_gateway),
            "keda": self._told(self.found.keda) + self._metrics(),
            "gateway": self._gateway(),
            "apis": _counted(self.apis),
            "splitters": _counted(self.splitters),
        }

    def __str__(self) -> str:
        """The rows, one a line."""
        rows = self.as_rows()
        width = max(map(len, rows))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())

    def _part(self, part: Part | None) -> dict[str, Any] | None:
        if part is None:
            return None
        return {"version": part.version, "ours": part.is_of(self.stack)}

    def _told(self, part: Part | None) -> str:
        if part is None:
            return "none"
        version = part.version or "of unknown version"
        return version if part.is_of(self.stack) else f"{version}, somebody else's"

    def _metrics(self) -> str:
        if self.found.keda is None or self.found.metrics == "":
            return ""
        return f", metrics not available: {self.found.metrics or 'no API for them'}"

    def _gateway(self) -> str:
        gateway = self.found.gateway
        if gateway is None:
            return "none"
        urls = " · ".join(gateway.urls) or "no address yet"
        return urls if gateway.is_programmed else f"{urls} ({gateway.reason})"


def info(site: Site) -> Info:
    """Ask the cluster."""
    return informed(site, look(site.access, site.gateway))


def informed(site: Site, found: Found, *, changed: bool = False) -> Info:
    """What there is to tell when the cluster was looked at already."""
    return Info(
        target=site.target,
        found=found,
        stack=site.stack,
        apis=tuple(usage.apis(site.access)),
        splitters=tuple(usage.splitters(site.access)),
        missing=tuple(checks.missing(found, site.gateway)),
        changed=changed,
    )


def _place(each: usage.Named) -> dict[str, str]:
    return {"name": each.name, "namespace": each.namespace}


def _counted(named: tuple[usage.Named, ...]) -> str:
    if not named:
        return "none"
    namespaces = dict.fromkeys(each.namespace for each in named)
    return f"{len(named)} in {', '.join(namespaces)}"
