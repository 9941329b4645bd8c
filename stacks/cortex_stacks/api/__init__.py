"""One API on a cluster."""

from collections.abc import Callable

from cortex_stacks.args import Cluster, SyncAPIArgs


def program(cluster: Cluster, args: SyncAPIArgs) -> Callable[[], None]:
    """A Pulumi program that makes the objects of one API, and nothing else."""
    from cortex_stacks.api.component import SyncAPI  # noqa: PLC0415  # loads Pulumi
    from cortex_stacks.providing import program as with_provider  # noqa: PLC0415

    return with_provider(cluster, lambda opts: SyncAPI(args.name, args, opts))
