"""The releases that the platform is made of: where they are, and what they hash to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release manifest at a version that this SDK was made for."""

    field: str
    """Of the settings of the platform, to give another source."""
    title: str
    version: str
    url: str
    sha256: str
    """Of the manifest, in hex."""


GATEWAY_API = Release(
    field="gateway_api",
    title="Gateway API",
    version="1.6.1",
    url="https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/standard-install.yaml",
    sha256="24d931f22abd8e40c973264319ead7cfa09d0fb7716b7ab1ee2ff174cb063a73",
)
ENVOY_GATEWAY = Release(
    field="envoy_gateway",
    title="Envoy Gateway",
    version="1.9.0",
    url="https://github.com/envoyproxy/gateway/releases/download/v1.9.0/install.yaml",
    sha256="a83dea73466ee6528f0d23f86d36573fbf1f305c822d986a63e262e32594481a",
)
KEDA = Release(
    field="keda",
    title="KEDA",
    version="2.20.2",
    url="https://github.com/kedacore/keda/releases/download/v2.20.2/keda-2.20.2.yaml",
    sha256="9bae123eb64fab8f96c67bbd576bb5819e4794df346c5aaa402a01c68b0557ab",
)
