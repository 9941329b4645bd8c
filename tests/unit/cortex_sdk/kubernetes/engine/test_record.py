from typing import Any

from engine_events import event, pre, said, step, urn

from cortex_sdk._preview import ResourceChange as Change
from cortex_sdk.kubernetes.engine import resources
from cortex_sdk.kubernetes.engine.record import Complaint, Record

PENDING = "Attempting to deploy or update resources with 1 pending operations from \
previous deployment."


def record(*events: Any) -> Record:
    made = Record()
    for each in events:
        made.add(each)
    return made


def test_changes_and_resources_are_counted() -> None:
    outcome = record(pre("create", "a"), pre("same", "b"), pre("delete", "c")).outcome

    assert [(change.operation, change.name) for change in outcome.changes] == [
        ("create", "a"),
        ("delete", "c"),
    ]
    assert outcome.resources == 2
    assert outcome.changed


def test_a_replacement_is_one_change() -> None:
    outcome = record(
        pre("create-replacement", "a"),
        pre("replace", "a"),
        pre("delete-replaced", "a"),
        pre("delete", "a"),
    ).outcome

    assert outcome.changes == (Change("replace", "apps/v1/Deployment", "a"),)


def test_outputs_are_those_of_the_stack() -> None:
    of_stack = step("create", kind=resources.STACK, outputs={"endpoint": "/iris"})
    other = step("create", outputs={"status": {}})

    made = record(
        event(resOutputsEvent={"metadata": of_stack}),
        event(resOutputsEvent={"metadata": other}),
    )

    assert made.outcome.outputs == {"endpoint": "/iris"}


def test_an_output_that_is_secret_says_only_that() -> None:
    value = {"4dabf18193072939515e22adb298388d": "1b47", "ciphertext": "[secret]"}
    of_stack = step("create", kind=resources.STACK, outputs={"key": value})

    made = record(event(resOutputsEvent={"metadata": of_stack}))

    assert made.outcome.outputs == {"key": "[secret]"}


def test_errors_are_kept_and_passing_ones_are_not() -> None:
    made = record(
        said("<{%fg 1%}>no<{%reset%}>\n", urn=urn("iris")),
        said("soon", ephemeral=True, urn=urn("iris")),
        said("old", "warning", urn=urn("iris")),
    )

    assert made.complaints == [Complaint("Deployment iris", "no")]


def test_a_violated_policy_is_an_error_unless_it_is_advice() -> None:
    policy = {
        "message": "no limits",
        "policyName": "limits",
        "resourceUrn": urn("iris"),
    }

    made = record(
        event(policyEvent={**policy, "enforcementLevel": "mandatory"}),
        event(policyEvent={**policy, "enforcementLevel": "advisory"}),
    )

    assert made.complaints == [Complaint("Deployment iris", "limits: no limits")]


def test_pending_operations_of_a_run_before_are_noticed() -> None:
    assert record(said(PENDING, "warning")).had_pending
    assert not record(said("deprecated", "warning")).had_pending


def test_beginning_and_end_are_noticed() -> None:
    assert not Record().is_started
    begun = record(event(preludeEvent={"config": {}}))
    assert (begun.is_started, begun.is_ended) == (True, False)
    assert record(event(cancelEvent={})).is_ended
