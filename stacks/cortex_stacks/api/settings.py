"""What a release remembers of its arguments, beside its files."""

from dataclasses import replace

from cortex_stacks.args import SyncAPIArgs


def settings(args: SyncAPIArgs) -> str:
    """The arguments as JSON, without files, secrets, and what a cluster is like.

    It says whether there were keys, but not which: no keys and all keys left out
    differ. Unlike the files of a revision, it changes with each deploy of it, so that
    a rollback brings back the settings with which a revision ran last.
    """
    wheel = args.runtime.wheel
    runtime = replace(
        args.runtime,
        wheel=wheel and replace(wheel, data=None),
        requirements=(),
        index_url=None,
    )
    bare = replace(
        args,
        manifest="",
        bundle=replace(args.bundle, data=None),
        pickle=None,
        secrets={},
        keys=None if args.keys is None else (),
        runtime=runtime,
        deployed_at="",
        features=frozenset(),
    )
    return bare.to_json()
