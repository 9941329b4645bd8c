"""The platform as one Pulumi component."""

import pulumi

from cortex_stacks.platform.args import PlatformArgs
from cortex_stacks.platform.manifests import Phase, phases
from cortex_stacks.providing import register


class Platform(pulumi.ComponentResource):
    """Gateway API, Envoy Gateway, KEDA and the gateway of all APIs."""

    def __init__(
        self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cortex:platform:Platform", name, {}, opts)
        before: list[pulumi.Resource] = []
        for phase in phases(args):
            before = self._make(phase, before)
        self.register_outputs({})

    def _make(
        self, phase: Phase, before: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        opts = pulumi.ResourceOptions(parent=self, depends_on=before)
        return [register(name, manifest, opts) for name, manifest in phase.items()]
