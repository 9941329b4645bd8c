"""Events as Pulumi's engine sends them, for tests of what is made of them."""

from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def urn(name: str, kind: str = DEPLOYMENT) -> str:
    return f"urn:pulumi:iris::cortex::cortex:api:SyncAPI${kind}::{name}"


def step(op: str, name: str = "iris", kind: str = DEPLOYMENT, **more: Any) -> Any:
    """The metadata of a step, as JSON."""
    state = {
        "type": kind,
        "urn": urn(name, kind),
        "custom": more.pop("custom", True),
        "inputs": more.pop("inputs", {}),
        "outputs": more.pop("outputs", {}),
    }
    side = "old" if op == "delete" else "new"
    return {"op": op, "urn": urn(name, kind), "type": kind, side: state, **more}


def metadata(*arguments: Any, **more: Any) -> StepEventMetadata:
    return StepEventMetadata.from_json(step(*arguments, **more))


def event(**fields: Any) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 0, "timestamp": 0, **fields})


def pre(*arguments: Any, **more: Any) -> EngineEvent:
    return event(resourcePreEvent={"metadata": step(*arguments, **more)})


def said(message: str, severity: str = "error", **more: Any) -> EngineEvent:
    return event(diagnosticEvent={"message": message, "severity": severity, **more})
