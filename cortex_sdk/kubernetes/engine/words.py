"""What the engine is doing, in one short line for whoever waits."""

import re
from typing import TYPE_CHECKING

from cortex_sdk.kubernetes.engine import resources

if TYPE_CHECKING:
    from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

_DOING = {
    "create": "creating",
    "create-replacement": "replacing",
    "delete": "deleting",
    "delete-replaced": "deleting the old",
    "import": "taking over",
    "replace": "replacing",
    "update": "updating",
}
_PODS = re.compile(r"\((\d+)/(\d+) Pods available\)")
_CONDITION = re.compile(r"condition (\w+)=\w+ \(want")
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_STEP = re.compile(r"^\[\d+/\d+\]\s*")
_LONGEST = 120


def line(event: "EngineEvent") -> str | None:
    """What to say about an event; nothing about most."""
    if event.resource_pre_event is not None:
        return _doing(event.resource_pre_event.metadata)
    if event.diagnostic_event is not None:
        return _waiting(event.diagnostic_event)
    return None


def plain(text: str) -> str:
    """Without Pulumi's colours."""
    return _COLOUR.sub("", text)


def _doing(step: "StepEventMetadata") -> str | None:
    word = _DOING.get(step.op)
    if word is None or not resources.is_of_cluster(step):
        return None
    return f"{word} {resources.title(step)}"


def _waiting(said: "DiagnosticEvent") -> str | None:
    """What a resource waits for; only news that Pulumi itself shows in passing."""
    text = plain(said.message).strip()
    if not said.ephemeral or not said.urn or not text:
        return None
    if pods := _PODS.search(text):
        return f"waiting: {pods[1]} of {pods[2]} pods ready"
    title = resources.title_of_urn(said.urn)
    if condition := _CONDITION.search(text):
        return f"waiting: {title} is not {condition[1]} yet"
    if "complete" in text:
        return f"{title} is ready"
    return f"waiting: {title}: {_STEP.sub('', text.splitlines()[0])}"[:_LONGEST]
