"""Steps of Pulumi's engine in the words of Kubernetes."""

from typing import TYPE_CHECKING

from cortex_sdk._preview import Operation, ResourceChange

if TYPE_CHECKING:
    from pulumi.automation.events import StepEventMetadata

STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"
_OPS: dict[str, Operation] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "replace": "replace",
    "create-replacement": "replace",
    "import-replacement": "replace",
    "delete": "delete",
}


def change(step: "StepEventMetadata") -> ResourceChange | None:
    """The change that a step makes to a resource of the cluster, if it makes one."""
    op = _OPS.get(step.op)
    if op is None or not is_of_cluster(step):
        return None
    return ResourceChange(op, kind(step), name(step), _paths(step))


def is_of_cluster(step: "StepEventMetadata") -> bool:
    """Whether it is about an object, and not about a component, provider or stack."""
    state = step.new or step.old
    return bool(state and state.custom) and not step.type.startswith(_PROVIDERS)


def kind(step: "StepEventMetadata") -> str:
    """As Kubernetes writes it, such as "apps/v1/Deployment"."""
    inputs = _inputs(step)
    if inputs.get("apiVersion") and inputs.get("kind"):
        return f"{inputs['apiVersion']}/{inputs['kind']}"
    _, _, rest = step.type.partition(":")
    return rest.removeprefix("core/").replace(":", "/")


def name(step: "StepEventMetadata") -> str:
    """The name that the object has on the cluster, or else in the program."""
    metadata = _inputs(step).get("metadata")
    given = metadata.get("name") if isinstance(metadata, dict) else None
    return given if isinstance(given, str) else name_of_urn(step.urn)


def title(step: "StepEventMetadata") -> str:
    """How people call it: "Deployment iris"."""
    return f"{kind(step).rpartition('/')[2]} {name(step)}"


def name_of_urn(urn: str) -> str:
    """The name in the program."""
    return urn.rpartition("::")[2]


def title_of_urn(urn: str) -> str:
    """How people call a resource of which only the URN is known."""
    token = urn.split("::")[-2].rpartition("$")[2] if urn.count("::") > 1 else ""
    return f"{token.rpartition(':')[2]} {name_of_urn(urn)}".strip()


def _inputs(step: "StepEventMetadata") -> dict[str, object]:
    state = step.new or step.old
    return dict(state.inputs or {}) if state else {}


def _paths(step: "StepEventMetadata") -> tuple[str, ...]:
    found = step.detailed_diff or step.diffs or step.keys or ()
    return tuple(sorted(found))
