from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cortex_stacks.platform.order import phases

_KINDS = (
    "APIService",
    "ClusterRole",
    "CustomResourceDefinition",
    "Deployment",
    "Job",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Service",
    "ServiceAccount",
)


def _of(*kinds: str) -> list[dict[str, Any]]:
    return [{"kind": kind} for kind in kinds]


def _kinds(manifests: list[dict[str, Any]]) -> list[set[str]]:
    return [{each["kind"] for each in group} for group in phases(manifests)]


def test_what_others_need_comes_first() -> None:
    assert _kinds(_of(*_KINDS)) == [
        {"Namespace"},
        {"CustomResourceDefinition"},
        {"ClusterRole", "MutatingWebhookConfiguration", "ServiceAccount"},
        {"Job"},
        {"Deployment", "Service"},
        {"APIService"},
    ]


@given(st.permutations(_KINDS))
def test_the_order_of_the_manifest_does_not_matter(kinds: list[str]) -> None:
    assert _kinds(_of(*kinds)) == _kinds(_of(*_KINDS))


def test_nothing_has_no_phases() -> None:
    assert phases([]) == []
