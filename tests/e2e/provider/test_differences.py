"""What differs, and what makes a new object necessary."""

from typing import Any

import pytest
from e2e.provider import differences
from e2e.provider.wire import UNKNOWN
from pulumi.runtime.proto.provider_pb2 import PropertyDiff


def changes(old: Any, new: Any) -> dict[str, str]:
    return {
        differences.written(path): PropertyDiff.Kind.Name(kind)
        for path, kind in differences.between(old, new).items()
    }


def test_every_change_is_named_by_its_path() -> None:
    old = {"a": 1, "b": {"c": [1, 2]}, "gone": {"x": 1}, "same": [{}]}
    new = {"a": 2, "b": {"c": [1, 3, 4]}, "same": [{}], "come": True}
    assert changes(old, new) == {
        "a": "UPDATE",
        "b.c[1]": "UPDATE",
        "b.c[2]": "ADD",
        "gone": "DELETE",
        "come": "ADD",
    }


def test_keys_with_dots_are_quoted() -> None:
    assert changes({"l": {"a.b/c": 1}}, {"l": {"a.b/c": 2}}) == {'l["a.b/c"]': "UPDATE"}


@pytest.mark.parametrize(
    ("old", "new"), [({"a": 1}, {"a": 1.0}), ({}, {"a": None}), ({"a": None}, {})]
)
def test_what_means_the_same_is_no_change(old: Any, new: Any) -> None:
    assert changes(old, new) == {}


def test_true_is_not_one() -> None:
    assert changes({"a": True}, {"a": 1}) == {"a": "UPDATE"}


def test_what_is_not_known_yet_counts_as_changed() -> None:
    assert changes({"a": {"b": 1}}, {"a": UNKNOWN}) == {"a": "UPDATE"}
    assert changes({}, {"a": UNKNOWN}) == {"a": "ADD"}


def fixed(kind: str, *, mutable: bool = False, **more: Any) -> tuple[str, ...]:
    version = "apps/v1" if kind == "Deployment" else "v1"
    return differences.replaced_for(
        {"apiVersion": version, "kind": kind, **more},
        mutable_config_maps=mutable,
        mutable_secrets=False,
    )


def test_a_new_name_or_selector_makes_a_new_deployment() -> None:
    assert fixed("Deployment") == (
        "metadata.name",
        "metadata.namespace",
        "spec.selector",
    )


def test_new_data_makes_a_new_config_map_unless_the_provider_says_otherwise() -> None:
    assert "data" in fixed("ConfigMap")
    assert "data" not in fixed("ConfigMap", mutable=True)
    assert "data" in fixed("ConfigMap", mutable=True, immutable=True)


def test_a_change_below_and_above_a_fixed_property_replaces() -> None:
    kind, new = PropertyDiff.UPDATE, {"spec": {"selector": {"a": 1}, "replicas": 1}}
    for path in (("spec", "selector", "a"), ("spec", "selector"), ("spec",)):
        found = differences.replacing(kind, path, new, ("spec.selector",))
        assert found == PropertyDiff.UPDATE_REPLACE
    path = ("spec", "replicas")
    assert differences.replacing(kind, path, new, ("spec.selector",)) == kind


def test_ignored_paths_hide_what_is_below_them() -> None:
    path = ("spec", "replicas")
    assert differences.is_ignored(path, ["spec.replicas"])
    assert differences.is_ignored(path, ["spec"])
    assert not differences.is_ignored(path, ["spec.rep"])
