"""Traffic splitters on a cluster: what a deploy would do, and the verbs on them."""

import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cortex_sdk._preview import Preview, effects_of
from cortex_sdk._target import Applied, Progress, Replicas, Status, silent
from cortex_sdk._traffic import Traffic, condition_of
from cortex_sdk.errors import DeployError, NotFoundError, UnsupportedError
from cortex_sdk.kubernetes import endpoints, ownership
from cortex_sdk.kubernetes.current import current_of, is_of
from cortex_sdk.kubernetes.endpoints import ROUTE
from cortex_sdk.kubernetes.opened import Opened, cluster_of
from cortex_sdk.kubernetes.plan import Current
from cortex_sdk.kubernetes.platform import checks, found
from cortex_sdk.kubernetes.undoing import undo
from cortex_stacks.args import Rule, SplitterArgs, Sticky
from cortex_stacks.labels import COMPONENT, PART_OF, SETTINGS
from cortex_stacks.splitter import program
from cortex_stacks.splitter.manifests import RESPONSE_HEADERS, resources

if TYPE_CHECKING:
    from cortex_sdk.declaration.traffic_splitter import TrafficSplitter
    from cortex_sdk.kubernetes.target import Kubernetes

_OURS = f"{PART_OF}=cortex,{COMPONENT}=splitter"
_HASHED = "1.9"
"""First Envoy Gateway that chooses among weights by a hash."""
_DIGITS = 12

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SplitterPlan:
    """What a deploy is about to do to one splitter."""

    args: SplitterArgs
    before: SplitterArgs | None
    """What it is now, None where there is none."""
    endpoint: str
    """URL that will answer."""
    refresh: bool = False

    @property
    def name(self) -> str:
        """Name of the splitter."""
        return self.args.name

    @property
    def revision(self) -> str:
        """Content hash of what will serve."""
        return revision_of(self.args)


def plan(
    target: "Kubernetes", splitter: "TrafficSplitter", *, refresh: bool
) -> SplitterPlan:
    """What deploying a splitter would do; reads the cluster, and touches nothing.

    Raises:
        NotFoundError: It leads to an API that is not there.
        UnsupportedError: The gateway cannot do what it needs, or its name or endpoint
            belongs to something else.
    """
    opened = Opened.of(target)
    there = found.look(opened.access, opened.gateway)
    checks.require(there, opened.gateway)
    args = _args(opened, splitter, _apis(opened, splitter.names()))
    args = replace(args, features=checks.features(there))
    _refuse(splitter, args, there, target.name)
    objects = ownership.existing(opened, resources(args).values())
    ownership.refuse_foreign(objects, args)
    ownership.refuse_taken_path(opened, args)
    before = read(opened, args.name)
    return SplitterPlan(args, before, _url(target, args, there.urls), refresh)


def preview(target: "Kubernetes", made: SplitterPlan) -> Preview:
    """What a deploy would change: for callers, and object by object."""
    engine = Opened.of(target).engine()
    run = program(cluster_of(target), made.args)
    outcome = engine.preview(made.args.stack, run, silent, refresh=made.refresh)
    before = _rows(made.before) if made.before else {}
    return Preview(
        name=made.name,
        target=target.name,
        endpoint=made.endpoint,
        revision=made.revision,
        effects=effects_of(before, _rows(made.args)),
        resources=outcome.changes,
    )


def apply(target: "Kubernetes", made: SplitterPlan, progress: Progress) -> Applied:
    """Make the gateway follow; raises DeployError when it leads where it did."""
    opened = Opened.of(target)
    engine, stack = opened.engine(), made.args.stack
    cluster = cluster_of(target)
    try:
        run = program(cluster, made.args)
        outcome = engine.up(stack, run, progress, refresh=made.refresh)
    except DeployError:
        back = program(cluster, made.before) if made.before else None
        undo(engine, stack, back, "going back to what was there", progress)
        raise
    return Applied(made.name, made.endpoint, made.revision, changed=outcome.changed)


def delete(target: "Kubernetes", name: str) -> None:
    """Lead nowhere from its endpoint any more; its APIs stay."""
    opened = Opened.of(target)
    opened.engine().destroy(opened.stack(name, "splitter"), silent)


def read(opened: Opened, name: str) -> SplitterArgs | None:
    """A splitter as it was deployed last, None where there is none of that name."""
    route = opened.access.get(*ROUTE, name, opened.namespace)
    is_ours = route is not None and is_of(route, opened.stack(name, "splitter"))
    return _read(route) if route is not None and is_ours else None


def every(opened: Opened) -> list[SplitterArgs]:
    """All splitters of the namespace, by name."""
    routes = opened.access.list(*ROUTE, opened.namespace, _OURS)
    ours = (each for each in routes if SETTINGS in _annotations(each))
    return sorted(map(_read, ours), key=lambda args: args.name)


def users_of(opened: Opened, api: str) -> list[str]:
    """Splitters that need an API, which cannot be deleted as long as there are any."""
    return [args.name for args in every(opened) if api in _names(args)]


def status(
    target: "Kubernetes",
    args: SplitterArgs,
    apis: Mapping[str, Status],
    urls: Sequence[str],
) -> Status:
    """How a splitter is doing: as well as the APIs that it leads to."""
    state, reason = condition_of(args.weights, apis)
    return Status(
        name=args.name,
        target=target.name,
        endpoint=_url(target, args, urls),
        status=state,
        reason=reason,
        revision=revision_of(args),
        replicas=Replicas(desired=0, live=0),
        traffic=traffic_of(args),
    )


def traffic_of(args: SplitterArgs) -> Traffic:
    """Where its requests go, in words."""
    return Traffic.of(args.weights, args.shadow, args.rules, args.sticky)


def revision_of(args: SplitterArgs) -> str:
    """Content hash, 12 hex digits; what the cluster has to offer is no part of it."""
    bare = replace(args, features=frozenset())
    return hashlib.sha256(bare.to_json().encode()).hexdigest()[:_DIGITS]


def _url(target: "Kubernetes", args: SplitterArgs, urls: Sequence[str]) -> str:
    """Where it answers: the gateway's address, or the one that pods know it by."""
    inside = endpoints.inside(args.gateway.name, args.gateway.namespace)
    return f"{endpoints.public(target, urls) or inside}{args.endpoint}"


def _args(
    opened: Opened, splitter: "TrafficSplitter", apis: Sequence[Current]
) -> SplitterArgs:
    target, sticky = opened.target, splitter.sticky
    return SplitterArgs(
        name=splitter.name,
        namespace=opened.namespace,
        stack=opened.stack(splitter.name, "splitter"),
        endpoint=splitter.endpoint,
        weights=splitter.apis,
        shadow=splitter.shadow,
        rules=tuple(Rule(**rule.model_dump()) for rule in splitter.rules),
        sticky=Sticky(**sticky.model_dump()) if sticky else None,
        timeout=max(api.args.timeout for api in apis),
        idempotent=all(api.args.idempotent for api in apis),
        gateway=opened.gateway,
        hostnames=target.hostnames,
    )


def _apis(opened: Opened, names: Iterable[str]) -> list[Current]:
    """The APIs as the cluster has them; raises NotFoundError."""
    apis = []
    for name in names:
        api = current_of(opened, name)
        if api is None:
            raise NotFoundError(_no_such(opened, name))
        apis.append(api)
    return apis


def _no_such(opened: Opened, name: str) -> str:
    ours = f"{PART_OF}=cortex,{COMPONENT}=api"
    there = opened.access.metadata("apps/v1", "Deployment", opened.namespace, ours)
    near = difflib.get_close_matches(name, [each["name"] for each in there], 1)
    hint = f"did you mean {near[0]!r}?" if near else "deploy it first"
    return (
        f"{name!r} is no API in namespace {opened.namespace} on {opened.target.name};"
        f" {hint}"
    )


def _refuse(
    splitter: "TrafficSplitter", args: SplitterArgs, there: found.Found, target: str
) -> None:
    """Raise an UnsupportedError that names all that the gateway cannot do."""
    needs = [
        ("shadow", splitter.shadow, "HTTPRouteRequestMirror"),
        ("shadow", _partial(splitter), "HTTPRouteRequestPercentageMirror"),
        ("shadow", len(splitter.shadow) > 1, "HTTPRouteRequestMultipleMirrors"),
        ("sticky", splitter.sticky, RESPONSE_HEADERS),
        ("sticky", splitter.sticky, "BackendTrafficPolicy"),
    ]
    lacks = {
        what: feature
        for what, is_used, feature in needs
        if is_used and feature not in args.features
    }
    part = there.envoy_gateway
    is_hashed = args.sticky is not None and args.sticky.header is not None
    if is_hashed and part and not checks.at_least(part.version, _HASHED):
        lacks["sticky"] = f"Envoy Gateway {_HASHED}, and it is {part.version}"
    if lacks:
        said = ", ".join(f"{what} (it needs {why})" for what, why in lacks.items())
        msg = f"the gateway of {target} does not support {said}"
        raise UnsupportedError(msg)


def _partial(splitter: "TrafficSplitter") -> bool:
    return any(0 < share < 100 for share in splitter.shadow.values())  # noqa: PLR2004  # percent


def _rows(args: SplitterArgs) -> dict[str, str]:
    hosts = f" on {', '.join(args.hostnames)}" if args.hostnames else ""
    return {
        "endpoint": f"{args.endpoint}{hosts}",
        **traffic_of(args).rows(),
        "timeout": f"{args.timeout:g} s",
        "downtime": "none",
    }


def _read(route: Json) -> SplitterArgs:
    return SplitterArgs.from_json(_annotations(route)[SETTINGS])


def _annotations(route: Json) -> dict[str, str]:
    return route["metadata"].get("annotations") or {}


def _names(args: SplitterArgs) -> list[str]:
    return [*args.weights, *args.shadow]
