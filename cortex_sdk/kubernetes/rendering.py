"""What a deploy would make, as YAML for other tools. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import yaml

from cortex_stacks.api.files import keys_name
from cortex_stacks.api.manifests import resources
from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.standalone import has_password

PLACEHOLDER = "REPLACE-ME"


def manifests(
    args: SyncAPIArgs, *, secrets: bool = False
) -> tuple[dict[str, Any], ...]:
    """The Kubernetes objects of an API, in the order in which they can be applied.

    Args:
        args: What would be deployed.
        secrets: Keep the values of secrets. Otherwise each is a placeholder; API keys
            are left out altogether, since a placeholder would let everybody in.
    """
    if secrets:
        return tuple(resources(args).values())
    found = resources(_masked(args)).values()
    return tuple(each for each in found if not _holds_keys(each, args))


def left_out(args: SyncAPIArgs) -> tuple[str, ...]:
    """What has to be filled in before the objects can be applied, as sentences."""
    said = []
    if args.secrets:
        names = ", ".join(args.secrets)
        said.append(f"the values of {names} are {PLACEHOLDER}")
    if has_password(args.runtime.index_url):
        said.append(f"the address of the package index is {PLACEHOLDER}")
    if args.keys is not None:
        said.append(
            f"the Secret {keys_name(args)} is left out; make it with `kubectl create"
            f" secret generic {keys_name(args)} --namespace {args.namespace}"
            " --from-file=keys=.api-keys`"
        )
    return tuple(said)


def text(objects: Iterable[dict[str, Any]]) -> str:
    """Objects as one stream of YAML documents."""
    return str(
        yaml.safe_dump_all(
            objects, sort_keys=False, allow_unicode=True, explicit_start=True
        )
    )


def file_names(objects: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Objects by the name of a file for each, which sorts in the order given."""
    return {
        f"{number:02}-{each['kind'].lower()}-{each['metadata']['name']}.yaml": each
        for number, each in enumerate(objects, 1)
    }


def _masked(args: SyncAPIArgs) -> SyncAPIArgs:
    runtime = args.runtime
    if has_password(runtime.index_url):
        runtime = replace(runtime, index_url=PLACEHOLDER)
    return replace(
        args, secrets=dict.fromkeys(args.secrets, PLACEHOLDER), runtime=runtime
    )


def _holds_keys(manifest: dict[str, Any], args: SyncAPIArgs) -> bool:
    kind, name = str(manifest["kind"]), str(manifest["metadata"]["name"])
    return (kind, name) == ("Secret", keys_name(args))
