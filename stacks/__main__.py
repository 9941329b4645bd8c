"""`pulumi preview` and `pulumi up` of one declared API, for people who live there.

The stack's configuration says which one:

    pulumi config set app examples/iris/app.py
    pulumi config set api iris       # where the file declares several
    pulumi config set target prod    # unset, $CORTEX_TARGET

The program is the one that `cortex deploy` runs. It refuses a stack of another name
than deploys use, and says how to work on theirs.
"""

import shlex
from pathlib import Path

import pulumi

from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.errors import CortexError, InvalidSpecError
from cortex_sdk.kubernetes import storage
from cortex_sdk.kubernetes.ejection import exports
from cortex_sdk.kubernetes.opened import cluster_of
from cortex_sdk.kubernetes.outside import planned, state_variables
from cortex_sdk.kubernetes.plan import KubernetesPlan
from cortex_sdk.kubernetes.target import Kubernetes
from cortex_sdk.project.loading import load
from cortex_stacks.api import program

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Declare the resources of the API that the configuration names."""
    config = pulumi.Config()
    try:
        [api] = _chosen(config.require("app"), config.get("api"))
        target, plan = planned(api, config.get("target"))
        _check(plan, target)
        if plan.upload and target.storage and not pulumi.runtime.is_dry_run():
            storage.put(plan.upload, target.storage)
    except CortexError as error:
        raise pulumi.RunError(str(error)) from None
    program(cluster_of(target), plan.args)()


def _chosen(app: str, name: str | None) -> list[Deployable]:
    apis = load(str(_ROOT / app))
    found = [api for api in apis if name in (None, api.name)]
    if len(found) != 1:
        names = ", ".join(api.name for api in apis)
        msg = f"`{app}` declares {names}; choose one: `pulumi config set api NAME`"
        raise InvalidSpecError(msg)
    return found


def _check(plan: KubernetesPlan, target: Kubernetes) -> None:
    """Refuse what would be deployed beside what there is."""
    stack = plan.args.stack
    if pulumi.get_stack() != stack:
        lines = exports(state_variables(target))
        msg = (
            f"{plan.name} on {target.name} is the stack {stack}; to work on it:\n"
            f"{lines}\npulumi stack select --create {shlex.quote(stack)}"
        )
        raise InvalidSpecError(msg)
    if plan.makes_namespace:
        msg = f"there is no namespace {plan.args.namespace}; make it with kubectl"
        raise InvalidSpecError(msg)


main()
