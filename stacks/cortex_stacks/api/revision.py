"""The revision of an API on a cluster."""

import hashlib
import json
from dataclasses import replace

from cortex_stacks.api.workload import pod_template
from cortex_stacks.args import SyncAPIArgs

_DIGITS = 12


def revision_of(args: SyncAPIArgs) -> str:
    """Hash of everything that changes pods; `args.revision` itself does not count.

    That is what replicas are told, in which values of secrets stand as a keyed hash,
    and all that their pods consist of. So two deploys have one revision if and only
    if going from one to the other restarts nothing.
    """
    parts = {
        "manifest": json.loads(args.manifest),
        "requirements": args.runtime.requirements,
        "index": args.runtime.index_url,
        "pods": pod_template(replace(args, revision="", stack="")),
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
