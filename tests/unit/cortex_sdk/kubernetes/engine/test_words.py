import pytest
from engine_events import event, pre, said, urn

from cortex_sdk.kubernetes.engine import words

STATUS = {"severity": "info", "ephemeral": True, "urn": urn("iris")}


@pytest.mark.parametrize(
    ("op", "line"),
    [
        ("create", "creating Deployment iris"),
        ("update", "updating Deployment iris"),
        ("replace", "replacing Deployment iris"),
        ("delete", "deleting Deployment iris"),
        ("same", None),
        ("refresh", None),
    ],
)
def test_what_is_done_to_a_resource_is_said(op: str, line: str | None) -> None:
    assert words.line(pre(op)) == line


def test_components_are_not_spoken_of() -> None:
    assert words.line(pre("create", kind="cortex:api:SyncAPI", custom=False)) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Waiting for app ReplicaSet to be available (1/3 Pods available)",
            "waiting: 1 of 3 pods ready",
        ),
        (
            "[1/3] Finding Pods to direct traffic to",
            "waiting: Deployment iris: Finding Pods to direct traffic to",
        ),
        (
            "Resource has condition Accepted=False (want True)",
            "waiting: Deployment iris is not Accepted yet",
        ),
        ("✅ Deployment initialization complete", "Deployment iris is ready"),
        ("<{%fg 1%}>two\nlines<{%reset%}>", "waiting: Deployment iris: two"),
        ("", None),
    ],
)
def test_what_a_resource_waits_for_is_said(text: str, line: str | None) -> None:
    assert words.line(said(text, **STATUS)) == line


def test_lasting_messages_are_not_progress() -> None:
    assert words.line(said("deprecated", "warning", urn=urn("iris"))) is None


def test_other_events_are_passed_over() -> None:
    assert words.line(event(cancelEvent={})) is None


def test_colours_are_taken_off() -> None:
    assert words.plain("<{%fg 3%}>a<{%reset%}> \x1b[1;31mb\x1b[0m") == "a b"
