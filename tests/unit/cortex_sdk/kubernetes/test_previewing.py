from dataclasses import replace

from unit.cortex_sdk.kubernetes.planned import PLAIN

from cortex_sdk._preview import ResourceChange as Change
from cortex_sdk.kubernetes.engine import Outcome
from cortex_sdk.kubernetes.plan import Current, KubernetesPlan
from cortex_sdk.kubernetes.previewing import shown
from cortex_stacks.args import SyncAPIArgs


def plan(before: SyncAPIArgs | None, after: SyncAPIArgs) -> KubernetesPlan:
    current = Current(before, "2026-01-01", 1, 1) if before else None
    return KubernetesPlan(args=after, current=current, endpoint="http://h/iris")


def changes(before: SyncAPIArgs | None, after: SyncAPIArgs) -> set[str]:
    effects = shown("prod", plan(before, after), Outcome()).effects
    return {each.what for each in effects if each.is_change}


def test_an_unchanged_api_changes_nothing() -> None:
    assert not shown("prod", plan(PLAIN, PLAIN), Outcome()).changed


def test_what_callers_notice_is_named() -> None:
    assert changes(PLAIN, replace(PLAIN, revision="0" * 12)) == {"revision"}
    assert changes(PLAIN, replace(PLAIN, endpoint="/other")) == {"endpoint"}
    assert changes(PLAIN, replace(PLAIN, hostnames=("h.example",))) == {"endpoint"}
    scaling = replace(PLAIN.scaling, min_replicas=2)
    assert changes(PLAIN, replace(PLAIN, scaling=scaling)) == {"replicas"}


def test_a_new_api_is_new() -> None:
    assert shown("prod", plan(None, PLAIN), Outcome()).is_new


def test_what_differs_only_on_the_cluster_is_a_change_too() -> None:
    drifted = Outcome((Change("update", "v1/Service", "iris", ("spec.ports",)),))

    preview = shown("prod", plan(PLAIN, PLAIN), drifted)

    assert preview.changed
    assert preview.resources[0].paths == ("spec.ports",)
