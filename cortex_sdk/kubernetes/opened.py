"""A target while its cluster is talked to: one connection for all that a verb does."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from cortex_sdk.kubernetes.cluster.access import Access
from cortex_sdk.kubernetes.cluster.connection import Connection
from cortex_sdk.local.home import Home
from cortex_stacks.args import Cluster, GatewayRef

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.engine import Engine
    from cortex_sdk.kubernetes.platform.site import Site
    from cortex_sdk.kubernetes.target import Kubernetes

_DIGITS = 8


@dataclass(frozen=True)
class Opened:
    """A target, and the connection to its cluster."""

    target: "Kubernetes"
    connection: Connection
    access: Access

    @classmethod
    def of(cls, target: "Kubernetes") -> Self:
        """Read the kubeconfig; raises TargetError where that leads to no cluster."""
        connection = Connection(cluster_of(target))
        return cls(target, connection, Access(connection))

    @property
    def namespace(self) -> str:
        """Where the APIs are."""
        return self.target.namespace

    @property
    def gateway(self) -> GatewayRef:
        """What leads to them."""
        return gateway_of(self.target)

    @cached_property
    def id(self) -> str:
        """What tells this cluster from others, 8 hex digits."""
        return self.access.uid[:_DIGITS]

    def stack(self, name: str, kind: Literal["api", "splitter"] = "api") -> str:
        """The Pulumi stack of one API or splitter."""
        return f"{self.id}.{self.namespace}.{kind}.{name}"

    def site(self) -> "Site":
        """What the platform of the cluster is worked on with."""
        from cortex_sdk.kubernetes.platform.site import Site  # noqa: PLC0415  # few ask

        return Site(
            target=self.target.name,
            cluster=cluster_of(self.target),
            access=self.access,
            engine=self.engine(),
            settings=self.target.platform,
            gateway=self.gateway,
            downloads=Home.of_user().root / "downloads",
            stack=f"{self.id}.cortex-system.platform.platform",
        )

    def engine(self) -> "Engine":
        """What changes the cluster."""
        from cortex_sdk.kubernetes.engine import (  # noqa: PLC0415  # to change only
            Engine,
            EngineSettings,
        )

        target = self.target
        settings = EngineSettings(
            home=Home.of_user().root / "pulumi",
            backend=target.backend,
            secrets_provider=target.secrets_provider,
            policy_packs=tuple(map(Path, target.policy_packs)),
        )
        return Engine(settings)


def cluster_of(target: "Kubernetes") -> Cluster:
    """How the cluster of a target is reached."""
    return Cluster(kubeconfig=target.kubeconfig, context=target.context)


def gateway_of(target: "Kubernetes") -> GatewayRef:
    """The Gateway that a target names."""
    namespace, name = target.gateway.split("/")
    return GatewayRef(name=name, namespace=namespace)
