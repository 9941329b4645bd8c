"""A declaration as a Pulumi project that stands alone. Pure."""

import importlib.metadata

from cortex_stacks import standalone
from cortex_stacks.args import Cluster, SyncAPIArgs

_PROJECT = """\
name: cortex
description: The API {name} on Kubernetes
runtime: python
"""

_PROGRAM = '''\
"""The API {name} on Kubernetes: run `pulumi preview`, then `pulumi up`."""

from pathlib import Path

import pulumi
from cortex_stacks import api, standalone
from cortex_stacks.args import Cluster

try:
    args = standalone.read(Path(__file__).parent, pulumi.Config())
except standalone.SettingError as error:
    raise pulumi.RunError(str(error)) from None

# The place for changes, such as
# args = dataclasses.replace(args, hostnames=("{name}.example.com",))

api.program(Cluster(kubeconfig={kubeconfig!r}, context={context!r}), args)()
'''

_README = """\
# {name}

The API `{name}` as a Pulumi project of its own, written by `cortex eject`: `api.json`
has all settings, the files beside it are what the pods run, `__main__.py` is the
program. Secrets are in none of them.

Once, with Python {python} and the Pulumi CLI:

```bash
python -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt
pulumi stack init {stack}
{secrets}```

Then, whenever something has changed:

```bash
pulumi preview
pulumi up
```

An API that `cortex deploy` made is taken over with its state, which is named by project
and stack. Instead of `pulumi stack init`:

```bash
{environment}
pulumi stack select {stack}
```

`cortex deploy` of the declaration goes on to work on the same stack, and puts its own
settings into effect.
"""


def project(
    args: SyncAPIArgs, cluster: Cluster, environment: dict[str, str]
) -> dict[str, bytes]:
    """The files of the project by name; secrets are in none.

    Args:
        args: What would be deployed.
        cluster: Where to; the path of its kubeconfig is written down, its text is not.
        environment: Variables by which Pulumi finds the state that deploys write.
    """
    config = cluster.kubeconfig
    words = {
        "name": args.name,
        "stack": args.stack,
        "python": args.python,
        "context": cluster.context,
        "kubeconfig": None if config and "\n" in config else config,
        "secrets": "".join(f"{line}\n" for line in standalone.commands(args)),
        "environment": exports(environment),
    }
    texts = {
        "Pulumi.yaml": _PROJECT,
        "__main__.py": _PROGRAM,
        "README.md": _README,
        "requirements.txt": f"cortex-sdk[kubernetes]=={_version()}\n",
        ".gitignore": ".venv/\n__pycache__/\n",
    }
    written = {name: text.format(**words).encode() for name, text in texts.items()}
    return written | standalone.files(args)


def exports(environment: dict[str, str]) -> str:
    """Variables as lines for a shell."""
    lines = (f'export {name}="{value}"' for name, value in environment.items())
    return "\n".join(lines)


def _version() -> str:
    return importlib.metadata.version("cortex-sdk")
