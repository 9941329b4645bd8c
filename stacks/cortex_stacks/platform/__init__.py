"""What a cluster needs before the first API: gateway, autoscaler, and their CRDs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cortex_stacks.args import Cluster
from cortex_stacks.platform.args import STACK_NAME, PlatformArgs

if TYPE_CHECKING:
    import pulumi


def program(cluster: Cluster, args: PlatformArgs) -> Callable[[], None]:
    """The Pulumi program of the platform."""
    from cortex_stacks import providing  # noqa: PLC0415  # Pulumi, only to deploy
    from cortex_stacks.platform.component import Platform  # noqa: PLC0415  # likewise

    def build(opts: "pulumi.ResourceOptions") -> None:
        Platform(STACK_NAME, args, opts)

    return providing.program(cluster, build)
