"""All objects of the platform as a pure function of its arguments."""

from typing import Any

from cortex_stacks.platform import gateway, order
from cortex_stacks.platform.args import PlatformArgs
from cortex_stacks.platform.release import is_gateway_api, objects, owned

Manifest = dict[str, Any]
Phase = dict[str, Manifest]
"""Objects by logical name, none of which needs another."""


def resources(args: PlatformArgs) -> dict[str, Manifest]:
    """Every object by its logical name."""
    merged: dict[str, Manifest] = {}
    for phase in phases(args):
        merged |= phase
    return merged


def phases(args: PlatformArgs) -> list[Phase]:
    """Objects in the order in which they are made.

    The gateway comes last and so goes first, while its controller is there to clean
    up after it.
    """
    groups = order.phases(_releases(args))
    if args.gateway is not None:
        groups += [[each] for each in gateway.resources(args.gateway, args.stack)]
    return [{logical_name(each): each for each in group} for group in groups]


def logical_name(manifest: Manifest) -> str:
    """The name in Pulumi: kind, namespace if there is one, name."""
    metadata = manifest["metadata"]
    parts = (manifest["kind"], metadata.get("namespace"), metadata["name"])
    return "/".join(part for part in parts if part)


def _releases(args: PlatformArgs) -> list[Manifest]:
    envoy_gateway = [
        each for each in _objects(args.envoy_gateway) if not is_gateway_api(each)
    ]
    found = [*_objects(args.gateway_api), *envoy_gateway, *_objects(args.keda)]
    return [owned(manifest, args.stack) for manifest in found]


def _objects(text: str | None) -> list[Manifest]:
    return objects(text) if text is not None else []
