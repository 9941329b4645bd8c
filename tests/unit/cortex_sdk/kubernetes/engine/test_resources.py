import pytest
from engine_events import metadata, urn

from cortex_sdk._preview import ResourceChange as Change
from cortex_sdk.kubernetes.engine import resources

INPUTS = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "iris-admin"}}


@pytest.mark.parametrize(
    ("op", "told"),
    [
        ("create", "create"),
        ("import", "create"),
        ("update", "update"),
        ("replace", "replace"),
        ("create-replacement", "replace"),
        ("delete", "delete"),
    ],
)
def test_a_step_that_changes_something_is_a_change(op: str, told: str) -> None:
    assert resources.change(metadata(op)) == Change(told, "apps/v1/Deployment", "iris")


@pytest.mark.parametrize("op", ["same", "read", "refresh", "delete-replaced"])
def test_other_steps_are_none(op: str) -> None:
    assert resources.change(metadata(op)) is None


def test_components_providers_and_the_stack_are_not_of_the_cluster() -> None:
    component = metadata("create", kind="cortex:api:SyncAPI", custom=False)
    provider = metadata("update", kind="pulumi:providers:kubernetes")
    stack = metadata("create", kind=resources.STACK, custom=False)

    assert [resources.change(each) for each in (component, provider, stack)] == [
        None
    ] * 3


def test_kind_and_name_are_those_of_the_object() -> None:
    step = metadata("create", "admin", "kubernetes:core/v1:Service", inputs=INPUTS)

    assert resources.change(step) == Change("create", "v1/Service", "iris-admin")
    assert resources.title(step) == "Service iris-admin"


def test_without_inputs_kind_and_name_are_those_of_the_program() -> None:
    step = metadata("create", "admin", "kubernetes:core/v1:Service")

    assert resources.change(step) == Change("create", "v1/Service", "admin")


def test_paths_are_told_without_values_and_in_order() -> None:
    kinds = {"spec.template": {"diffKind": "update"}, "metadata": {"diffKind": "add"}}

    change = resources.change(metadata("update", detailedDiff=kinds, diffs=["spec"]))

    assert change is not None
    assert change.paths == ("metadata", "spec.template")


def test_a_urn_alone_is_enough_for_a_title() -> None:
    assert resources.title_of_urn(urn("iris")) == "Deployment iris"
    assert resources.title_of_urn("") == ""
