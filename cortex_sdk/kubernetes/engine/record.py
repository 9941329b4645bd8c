"""What a run said so far, gathered from the events of Pulumi's engine."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cortex_sdk._preview import ResourceChange
from cortex_sdk.kubernetes.engine import resources, words
from cortex_sdk.kubernetes.engine.outcome import Outcome

if TYPE_CHECKING:
    from pulumi.automation.events import (
        DiagnosticEvent,
        EngineEvent,
        PolicyEvent,
        StepEventMetadata,
    )

# Pulumi's mark of a secret on the wire; its value is hidden already.
_MARK_OF_SECRETS = "4dabf18193072939515e22adb298388d"
_PENDING = "pending operations from previous deployment"
_GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced"})


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error that the engine or a provider reported."""

    title: str
    """The resource, "" when it is about none."""
    text: str


@dataclass(slots=True)
class Record:
    """Everything of interest in one run."""

    changes: dict[str, ResourceChange] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    is_started: bool = False
    """The CLI is ready for signals."""
    is_ended: bool = False
    """Nothing comes after this, and the state is being saved."""
    had_pending: bool = False
    """A run before this one was cut off."""

    def add(self, event: "EngineEvent") -> None:
        """Take an event into account."""
        self.is_started = True
        if event.resource_pre_event is not None:
            self._step(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._done(event.res_outputs_event.metadata)
        elif event.diagnostic_event is not None:
            self._said(event.diagnostic_event)
        elif event.policy_event is not None:
            self._violated(event.policy_event)
        elif event.cancel_event is not None:
            self.is_ended = True

    @property
    def outcome(self) -> Outcome:
        """How it ended, if it went well."""
        return Outcome(
            tuple(self.changes.values()), self.outputs, resources=len(self.present)
        )

    def _step(self, step: "StepEventMetadata") -> None:
        change = resources.change(step)
        known = self.changes.get(step.urn)
        # A replacement is told in several steps; the first word for it stays.
        if change is not None and (known is None or known.operation != "replace"):
            self.changes[step.urn] = change
        if resources.is_of_cluster(step) and step.op not in _GONE:
            self.present.add(step.urn)

    def _done(self, step: "StepEventMetadata") -> None:
        if step.type == resources.STACK and step.new is not None:
            outputs = step.new.outputs or {}
            self.outputs = {key: _shown(value) for key, value in outputs.items()}

    def _said(self, said: "DiagnosticEvent") -> None:
        text = words.plain(said.message).strip()
        self.had_pending |= _PENDING in text
        if said.severity == "error" and not said.ephemeral and text:
            title = resources.title_of_urn(said.urn) if said.urn else ""
            self.complaints.append(Complaint(title, text))

    def _violated(self, event: "PolicyEvent") -> None:
        if event.enforcement_level == "mandatory":
            title = resources.title_of_urn(event.resource_urn or "")
            text = f"{event.policy_name}: {words.plain(event.message).strip()}"
            self.complaints.append(Complaint(title, text))


def _shown(value: Any) -> Any:  # noqa: ANN401  # whatever the program exported
    if isinstance(value, dict) and _MARK_OF_SECRETS in value:
        return "[secret]"
    return value
