"""What a cluster needs before the first API: gateway, autoscaler, and their CRDs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cortex_stacks.args import Cluster
from cortex_stacks.platform.args import STACK_NAME, PlatformArgs

if TYPE_CHECKING:
    import pulumi


def program(cluster: Cluster, args: PlatformArgs) -> Callable[[], None]:
    """The Pulumi program of the platform; Pulumi is imported when it runs."""

    def run() -> None:
        from cortex_stacks import providing  # noqa: PLC0415  # see above
        from cortex_stacks.platform.component import Platform  # noqa: PLC0415  # likewise

        def build(opts: "pulumi.ResourceOptions") -> None:
            Platform(STACK_NAME, args, opts)

        providing.program(cluster, build)()

    return run
