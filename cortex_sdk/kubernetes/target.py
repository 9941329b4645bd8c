"""The Kubernetes target: where APIs go, and what every verb does there."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr

from cortex_sdk.declaration.units import Seconds
from cortex_sdk.declaration.value import Value
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.platform.settings import Platform

if TYPE_CHECKING:
    from cortex_sdk._preview import Preview
    from cortex_sdk._target import (
        Access,
        Applied,
        Bounds,
        LogLine,
        Metrics,
        Progress,
        Served,
        Status,
    )
    from cortex_sdk.declaration.deployable import Deployable
    from cortex_sdk.kubernetes.plan import KubernetesPlan
    from cortex_sdk.kubernetes.platform.site import Site
    from cortex_sdk.kubernetes.splitter import SplitterPlan

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9-]+)*")
_URL = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        msg = "must be at most 63 lower-case letters, digits and hyphens"
        raise ValueError(msg)
    return value


def _gateway(value: str) -> str:
    if not all(map(_LABEL.fullmatch, value.split("/"))) or value.count("/") != 1:
        msg = 'must be a namespace and a name such as "cortex-system/cortex"'
        raise ValueError(msg)
    return value


def _hostname(value: str) -> str:
    if not _HOSTNAME.fullmatch(value):
        msg = 'must be a name such as "api.example.com" or "*.example.com"'
        raise ValueError(msg)
    return value


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        msg = 'must be a URL such as "https://api.example.com", without a query'
        raise ValueError(msg)
    return value.rstrip("/")


def _file(value: str) -> str:
    return str(Path(value).expanduser().absolute())


def _storage(value: str) -> str:
    from cortex_sdk.kubernetes.storage import checked  # noqa: PLC0415  # seldom set

    return checked(value)


_Label = Annotated[str, AfterValidator(_label)]
_Url = Annotated[str, AfterValidator(_url)]
_Path = Annotated[str, AfterValidator(_file)]


class Kubernetes(Value):
    """A cluster of a kubeconfig, as a target; without fields, the one kubectl uses.

    Example:
        >>> Kubernetes(context="prod", namespace="models").name
        'prod'
    """

    context: str | None = None
    """Context of the kubeconfig; unset, its current one."""
    namespace: _Label = "default"
    """Where APIs are; the first deploy makes it, if there is none."""
    kubeconfig: _Path | None = None
    """File; unset, `$KUBECONFIG` or ~/.kube/config."""
    image: str | None = None
    """Image made with `server/Dockerfile`, in which all that pods need is installed;
    unset, pods of `base_image` install it as they start."""
    base_image: str | None = None
    """Image with Python and pip; unset, `python:3.x-slim` of the Python in use."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When nodes pull images; unset, as Kubernetes does."""
    pull_secrets: tuple[_Label, ...] = ()
    """Secrets in the namespace with what registries ask for."""
    index_url: str | None = Field(default=None, repr=False)
    """Package index that pods install from; unset, that of pip."""
    pip_options: tuple[str, ...] = ()
    """Further options of pip in pods, such as "--trusted-host=pypi.internal"."""
    cache_claim: _Label | None = None
    """PersistentVolumeClaim in the namespace that keeps pip's downloads."""
    storage: Annotated[str, AfterValidator(_storage)] | None = None
    """URL such as "s3://bucket/folder" for projects that are too large for a
    ConfigMap; unset, these are refused."""
    backend: str | None = None
    """URL of a Pulumi backend that keeps the state; unset, files in `$CORTEX_HOME`."""
    secrets_provider: str | None = None
    """What encrypts secrets in a named backend, such as "awskms://alias/cortex";
    unset, `$PULUMI_CONFIG_PASSPHRASE`."""
    policy_packs: tuple[_Path, ...] = ()
    """Folders of Pulumi policy packs that every change has to pass."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that pods may run on."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Taints that pods tolerate, as Kubernetes writes them."""
    topology_spread: tuple[dict[str, Any], ...] = ()
    """How pods spread, as Kubernetes writes it, without `labelSelector`; unset, over
    nodes where that is possible."""
    gateway: Annotated[str, AfterValidator(_gateway)] = "cortex-system/cortex"
    """Namespace and name of the Gateway that leads to APIs."""
    hostnames: tuple[Annotated[str, AfterValidator(_hostname)], ...] = ()
    """Hosts that requests name; unset, any."""
    url: _Url | None = None
    """Where the gateway is reached; unset, where it says itself."""
    prometheus: _Url | None = None
    """Prometheus that knows the metrics of the replicas, for autoscaling; unset, the
    replicas are asked themselves."""
    platform: Platform = Field(default_factory=Platform)
    """What `cortex cluster up` installs there."""
    scheduling_timeout: Annotated[Seconds, Field(ge=0)] = 300.0
    """Seconds that a deploy waits for a node with room for a new replica."""

    _name: str | None = PrivateAttr(None)

    @property
    def name(self) -> str:
        """The name it is listed under."""
        return self._name or self.context or "kubernetes"

    def named(self, name: str) -> Self:
        """The same under a name of the user's own."""
        copy = self.model_copy()
        copy._name = name  # noqa: SLF001  # its own
        return copy

    def plan(
        self, thing: "Deployable", *, saved: Path | None = None, refresh: bool = False
    ) -> "KubernetesPlan | SplitterPlan":
        """What deploying it would do; reads the cluster, and touches nothing.

        Raises:
            UnsupportedError: A setting cannot be honoured there, or what the cluster
                needs for APIs is missing.
            InvalidSpecError: The project cannot be deployed, or the saved plan is not
                for it.
            NotFoundError: A splitter leads to an API that is not there.
            TargetError: The cluster cannot be reached or read.
        """
        from cortex_sdk.kubernetes import planning  # noqa: PLC0415  # loads a client

        return planning.plan(self, thing, saved=saved, refresh=refresh)

    def preview(
        self, thing: "Deployable", *, refresh: bool = False, save: Path | None = None
    ) -> "Preview":
        """What a deploy would change; raises as `plan` does."""
        from cortex_sdk.kubernetes import previewing  # noqa: PLC0415  # loads Pulumi

        return previewing.preview(self, thing, refresh=refresh, save=save)

    def apply(
        self, plan: "KubernetesPlan | SplitterPlan", progress: "Progress"
    ) -> "Applied":
        """Make it serve; returns when all replicas are new and ready.

        Raises:
            DeployError: It did not come up; what served before still does.
        """
        from cortex_sdk.kubernetes import applying  # noqa: PLC0415  # loads Pulumi

        return applying.apply(self, plan, progress)

    def list(self) -> "list[Status]":
        """All APIs and splitters of the namespace, by name."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.statuses(self)

    def names(self) -> Sequence[str]:
        """Names of all APIs and splitters of the namespace."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.names(self)

    def status(self, name: str) -> "Status":
        """One API or splitter; raises NotFoundError."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.status(self, name)

    def logs(self, name: str, *, follow: bool, tail: int | None) -> "Iterator[LogLine]":
        """Log lines of all pods by time, those of crashed containers too."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.logs(self, name, follow=follow, tail=tail)

    def metrics(self, name: str) -> "Metrics":
        """What the replicas counted, each asked through the API server."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.metrics(self, name)

    def history(self, name: str) -> "Sequence[Served]":
        """Revisions that served, oldest first; the last one does now."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.history(self, name)

    def rollback(self, name: str, to: str | None, progress: "Progress") -> "Applied":
        """Make an earlier revision serve again, with its own settings.

        Raises:
            NotFoundError: There is no such API.
            DeployError: It has no such revision, or that does not come up.
        """
        from cortex_sdk.kubernetes import changing  # noqa: PLC0415  # loads Pulumi

        return changing.rollback(self, name, to, progress)

    def scale(self, name: str, bounds: "Bounds", progress: "Progress") -> "Applied":
        """Move the bounds of the replica count; restarts nothing."""
        from cortex_sdk.kubernetes import changing  # noqa: PLC0415  # loads Pulumi

        return changing.scale(self, name, bounds, progress)

    def refresh(self, name: str, progress: "Progress") -> "Applied":
        """Start all replicas anew, as a rolling update does."""
        from cortex_sdk.kubernetes import changing  # noqa: PLC0415  # loads Pulumi

        return changing.refresh(self, name, progress)

    def reach(self, name: str, endpoint: str) -> "AbstractContextManager[Access]":
        """Through the gateway, or through the API server where that has no address."""
        from cortex_sdk.kubernetes import watching  # noqa: PLC0415  # loads a client

        return watching.reach(self, name, endpoint)

    def delete(self, name: str) -> None:
        """End an API or splitter until nothing of it is left; raises NotFoundError."""
        from cortex_sdk.kubernetes import changing  # noqa: PLC0415  # loads Pulumi

        changing.delete(self, name)

    def site(self) -> "Site":
        """What the platform of the cluster is worked on with."""
        from cortex_sdk.kubernetes.opened import Opened  # noqa: PLC0415  # a client

        return Opened.of(self).site()

    def stop(self) -> None:
        """Refused: nothing of it runs on this machine."""
        msg = (
            f"{self.name} has no `stop`: nothing of it runs on this machine; `cortex"
            " delete` ends an API"
        )
        raise UnsupportedError(msg)
