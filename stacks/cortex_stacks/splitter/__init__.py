"""One traffic splitter on a cluster."""

from collections.abc import Callable

from cortex_stacks.args import Cluster, SplitterArgs


def program(cluster: Cluster, args: SplitterArgs) -> Callable[[], None]:
    """A Pulumi program that makes the objects of one splitter, and nothing else."""
    from cortex_stacks.providing import program as with_provider  # noqa: PLC0415
    from cortex_stacks.splitter.component import (  # noqa: PLC0415  # loads Pulumi
        TrafficSplitter,
    )

    return with_provider(cluster, lambda opts: TrafficSplitter(args.name, args, opts))
