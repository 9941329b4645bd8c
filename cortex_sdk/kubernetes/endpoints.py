"""Where an API on a cluster is reached."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.target import Kubernetes

ROUTE = ("gateway.networking.k8s.io/v1", "HTTPRoute")
"""The objects that lead to APIs and splitters, by version and kind."""


def inside(name: str, namespace: str) -> str:
    """The address that only pods of the cluster know, of an API without another."""
    return f"http://{name}.{namespace}.svc"


def is_inside(endpoint: str) -> bool:
    """Whether an address is one that only pods of the cluster know."""
    return (urlsplit(endpoint).hostname or "").endswith(".svc")


def public(target: "Kubernetes", gateway_urls: Sequence[str]) -> str | None:
    """What comes before the path of an endpoint, None where nothing leads there.

    Args:
        target: It may say so itself, and which hosts requests name.
        gateway_urls: Where the gateway says it is reached; HTTPS goes first.
    """
    if target.url:
        return target.url
    urls = sorted(gateway_urls, key=lambda url: not url.startswith("https:"))
    if not urls:
        return None
    host = _host(target)
    if host is None:
        return urls[0]
    parts = urlsplit(urls[0])
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}"


def host_to_name(target: "Kubernetes") -> str | None:
    """The host that a request has to name where the URL has another."""
    return _host(target) if target.url else None


def _host(target: "Kubernetes") -> str | None:
    return next((each for each in target.hostnames if "*" not in each), None)
