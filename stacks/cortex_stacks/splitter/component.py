"""One traffic splitter as a Pulumi component."""

import pulumi
from pulumi import CustomTimeouts, ResourceOptions

from cortex_stacks.args import SplitterArgs
from cortex_stacks.providing import Object, register
from cortex_stacks.splitter.manifests import resources

_PATIENCE = CustomTimeouts(create="2m", update="2m", delete="2m")


class TrafficSplitter(pulumi.ComponentResource):
    """A route to the Services of several APIs; what it leads to is not its own."""

    def __init__(
        self, name: str, args: SplitterArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("cortex:splitter:TrafficSplitter", name, None, opts)
        made: list[Object] = []
        for part, manifest in resources(args).items():
            own = ResourceOptions(
                parent=self, depends_on=list(made), custom_timeouts=_PATIENCE
            )
            made.append(register(f"{name}-{part}", manifest, own))
        self.register_outputs(
            {
                "name": args.name,
                "namespace": args.namespace,
                "endpoint": args.endpoint,
                "weights": args.weights,
            }
        )
