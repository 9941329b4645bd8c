"""Whether names and paths are free, before the first object is made."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes.current import is_of
from cortex_sdk.kubernetes.endpoints import ROUTE
from cortex_stacks.args import SplitterArgs, SyncAPIArgs
from cortex_stacks.labels import PART_OF

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened


Json = dict[str, Any]


def existing(opened: "Opened", wanted: Iterable[Json]) -> list[Json]:
    """Those of some objects that the cluster has already, as it has them."""
    found = []
    for each in wanted:
        version, kind, named = each["apiVersion"], each["kind"], each["metadata"]
        there = opened.access.get(version, kind, named["name"], opened.namespace)
        if there is not None:
            found.append({**there, "apiVersion": version, "kind": kind})
    return found


def refuse_foreign(objects: Iterable[Json], args: SyncAPIArgs | SplitterArgs) -> None:
    """Raise an UnsupportedError that names all objects of somebody else's."""
    foreign = [
        f"{each['kind']} {each['metadata']['name']}"
        for each in objects
        if not is_of(each, args.stack)
    ]
    if foreign:
        msg = (
            f"in namespace {args.namespace} there is already {', '.join(foreign)},"
            f" which the API {args.name!r} did not make; give the API another name, or"
            " delete what is there"
        )
        raise UnsupportedError(msg)


def refuse_taken_path(opened: "Opened", args: SyncAPIArgs | SplitterArgs) -> None:
    """Raise an UnsupportedError if the endpoint leads somewhere else already."""
    for route in _routes(opened):
        metadata = route["metadata"]
        is_own = metadata["name"] == args.name and metadata["namespace"] == (
            args.namespace
        )
        if not is_own and args.endpoint in _paths(route) and _meet(route, args):
            msg = (
                f"the endpoint {args.endpoint} belongs to {metadata['name']!r} in"
                f" namespace {metadata['namespace']}; choose another with"
                " networking.endpoint, or delete that one"
            )
            raise UnsupportedError(msg)


def _routes(opened: "Opened") -> list[Json]:
    selector = f"{PART_OF}=cortex"
    try:
        return opened.access.list(*ROUTE, selector=selector)
    except TargetError:  # who may see one namespace only, looks there
        return opened.access.list(*ROUTE, opened.namespace, selector)


def _paths(route: Json) -> set[str]:
    return {
        match["path"]["value"]
        for rule in route["spec"].get("rules", ())
        for match in rule.get("matches", ())
        if "path" in match
    }


def _meet(route: Json, args: SyncAPIArgs | SplitterArgs) -> bool:
    """Whether a request may be meant for both: by gateway, and by host."""
    gateways = {
        (each.get("namespace", route["metadata"]["namespace"]), each["name"])
        for each in route["spec"].get("parentRefs", ())
    }
    if (args.gateway.namespace, args.gateway.name) not in gateways:
        return False
    hosts = set(route["spec"].get("hostnames", ()))
    return not hosts or not args.hostnames or bool(hosts & set(args.hostnames))
