"""Names, shapes and checkpoints of objects."""

import base64

import pytest
from e2e.provider import checkpoint, objects
from e2e.provider.wire import UNKNOWN, Secret

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys", "namespace": "here"},
    "data": {"a": "QQ=="},
}


@pytest.mark.parametrize(
    ("token", "version", "kind"),
    [
        ("kubernetes:apps/v1:Deployment", "apps/v1", "Deployment"),
        ("kubernetes:core/v1:Secret", "v1", "Secret"),
        (
            "kubernetes:keda.sh/v1alpha1:ScaledObject",
            "keda.sh/v1alpha1",
            "ScaledObject",
        ),
    ],
)
def test_a_type_token_names_version_and_kind(
    token: str, version: str, kind: str
) -> None:
    assert objects.kind_of(token) == (version, kind)


@pytest.mark.parametrize(
    "token",
    ["kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:ServicePatch"],
)
def test_what_is_no_plain_object_is_refused_by_name(token: str) -> None:
    with pytest.raises(ValueError, match=token):
        objects.kind_of(token)


def test_the_same_seed_gives_the_same_name() -> None:
    first = objects.autoname("web", b"1")
    assert first == objects.autoname("web", b"1")
    assert first != objects.autoname("web", b"2")
    assert first.startswith("web-")


def test_an_object_that_was_named_by_the_provider_says_so() -> None:
    item = objects.named({"metadata": {"labels": {"a": "b"}}}, "web-1")
    assert objects.is_named(item)
    assert objects.is_set(item, objects.AUTONAMED)
    assert item["metadata"]["labels"] == {"a": "b"}


def test_a_name_that_is_not_known_yet_is_a_name() -> None:
    assert objects.is_named({"metadata": {"name": UNKNOWN}})
    assert objects.is_named({"metadata": UNKNOWN})
    assert not objects.is_named({"metadata": {"name": ""}})


def test_an_identity_leads_back_to_its_object() -> None:
    bare = {"metadata": {"labels": {}}}
    for identity in ("here/web", "web"):
        item = objects.identified(bare, identity)
        assert objects.identity(item) == identity


def test_pruning_keeps_what_was_asked_for_and_what_was_added_to_lists() -> None:
    live = {"a": 1, "b": {"c": 2, "d": 3}, "l": [{"x": 1, "y": 2}, {"x": 3}]}
    shape = {"a": 0, "b": {"c": 0}, "l": [{"x": 0}], "z": 9}
    assert objects.prune(live, shape) == {
        "a": 1,
        "b": {"c": 2},
        "l": [{"x": 1}, {"x": 3}],
    }


def test_texts_of_a_secret_are_its_data() -> None:
    item = objects.encoded({**SECRET, "stringData": {"b": "text"}})
    text = base64.b64encode(b"text").decode()
    assert item["data"] == {"a": "QQ==", "b": text}
    assert "stringData" not in item


def test_keys_of_schemas_are_written_as_each_side_wants_them() -> None:
    server = {
        "x-kubernetes-list-type": "map",
        "plain-key": [{"x-kubernetes-map-type": 1}],
    }
    sdk = objects.underscored(server)
    assert sdk == {
        "x_kubernetes_list_type": "map",
        "plain-key": [{"x_kubernetes_map_type": 1}],
    }
    assert objects.dashed(sdk) == server


def test_a_checkpoint_gives_back_what_it_was_given() -> None:
    live = SECRET | {"metadata": {**SECRET["metadata"], "uid": "1"}}
    state = checkpoint.write(SECRET, live, SECRET, "me")
    assert checkpoint.read(state) == checkpoint.Checkpoint(SECRET, live, "me")


def test_the_data_of_a_secret_is_secret_in_inputs_and_state() -> None:
    state = checkpoint.write(SECRET, SECRET, SECRET, "me")
    assert state["data"] == Secret(SECRET["data"])
    assert state[checkpoint.INPUTS]["data"] == Secret(SECRET["data"])
    assert state["metadata"] == SECRET["metadata"]


def test_what_the_program_marked_secret_stays_so_and_nothing_else() -> None:
    marked = {"spec": {"env": [{"value": Secret("x")}], "image": "i"}}
    seen = {"spec": {"env": [{"value": "x"}], "image": "i"}, "status": {}}
    assert checkpoint.secretly(seen, marked) == {
        "spec": {"env": Secret([{"value": "x"}]), "image": "i"},
        "status": {},
    }
