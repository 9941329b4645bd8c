"""The real Pulumi engine, the stand-in, and a real API server."""

import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.provider import pods
from e2e.provider.control_plane import ControlPlane
from e2e.provider.manifests import SECRET, container, manifests, only
from e2e.provider.stacks import Stack
from pulumi import automation

pytestmark = pytest.mark.timeout(900)
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.test.example}
spec:
  group: test.example
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer, minimum: 1}}}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


@pytest.fixture(scope="module")
def gadgets(plane: ControlPlane) -> None:
    plane.kubectl("apply", "--filename=-", stdin=DEFINITION)
    plane.kubectl("wait", "--for=condition=Established", "crd/gadgets.test.example")


@pytest.fixture
def serving(plane: ControlPlane, gadgets: None) -> Iterator[None]:
    with pods.made_ready(plane):
        yield


def test_a_stack_lives_its_whole_life(
    plane: ControlPlane, stack: Stack, serving: None
) -> None:
    all_of_it = manifests("life")
    planned, _ = stack.preview(all_of_it)
    assert planned == {"create": 8}
    assert "life" not in plane.names("namespace")

    done, seen = stack.up(all_of_it)
    assert done == {"create": 8}
    assert any("(1/2 Pods available)" in t or "(0/2" in t for t in seen.texts)
    assert plane.get("deployment", "web", "life")["status"]["readyReplicas"] == 2
    assert stack.up(all_of_it)[0] == {}
    assert stack.preview(all_of_it)[0] == {}

    all_of_it["web"]["spec"]["template"]["spec"]["containers"] = [container("500m")]
    planned, seen = stack.preview(all_of_it)
    path = "spec.template.spec.containers[0].resources.limits.cpu"
    assert planned == {"update": 1}
    assert seen.details["web"] == {path: "update"}
    assert stack.up(all_of_it)[0] == {"update": 1}

    stack.select(all_of_it).refresh(color="never")
    assert stack.up(all_of_it)[0] == {}
    stack.select(all_of_it).destroy(color="never")
    assert "life" not in plane.names("namespace")


def test_a_change_by_somebody_else_is_seen_by_a_refresh_and_undone(
    plane: ControlPlane, stack: Stack, serving: None
) -> None:
    stack.configure = {"enable_patch_force": True}
    all_of_it = manifests("drift")
    stack.up(all_of_it)
    scale = ("scale", "deployment/web", "--namespace=drift", "--replicas=1")
    plane.kubectl(*scale)
    assert stack.preview(all_of_it)[0] == {}
    planned, seen = stack.preview(all_of_it, refresh=True)
    assert planned == {"update": 1}
    assert seen.details["web"] == {"spec.replicas": "update"}
    assert stack.up(all_of_it, refresh=True)[0] == {"update": 1}
    assert plane.get("deployment", "web", "drift")["spec"]["replicas"] == 2
    plane.kubectl("delete", "service", "front", "--namespace=drift")
    assert stack.up(all_of_it, refresh=True)[0] == {"create": 1}
    stack.select(all_of_it).destroy(color="never")


def test_a_field_of_somebody_else_is_a_conflict_in_the_servers_words(
    plane: ControlPlane, stack: Stack, serving: None
) -> None:
    few = only(manifests("conflict"), "space", "web")
    stack.up(few)
    plane.kubectl("scale", "deployment/web", "--namespace=conflict", "--replicas=1")
    few["web"]["spec"]["replicas"] = 3
    with pytest.raises(automation.CommandError, match=r"conflict.*\.spec\.replicas"):
        stack.up(few)
    stack.select(few).destroy(color="never")


def test_secrets_are_neither_on_the_screen_nor_plain_in_the_state(
    stack: Stack, plane: ControlPlane, serving: None
) -> None:
    few = only(manifests("secrets"), "space", "keys")
    _, seen = stack.up(few)
    encoded = base64.b64encode(SECRET.encode()).decode()
    files = [one for one in stack.folder.rglob("*") if one.is_file()]
    texts = [one.read_bytes() for one in files] + [t.encode() for t in seen.texts]
    assert len(files) > 1
    for hidden in (SECRET, encoded):
        assert not any(hidden.encode() in text for text in texts)
    live = plane.get("secret", "keys", "secrets")
    assert live["data"] == {"password": encoded}
    assert stack.up(few)[0] == {}
    few["keys"]["stringData"] = {"password": "other"}
    assert stack.up(few)[0] == {"replace": 1}
    stack.select(few).destroy(color="never")


def test_new_data_of_a_config_map_replaces_it_under_a_new_name(
    stack: Stack, plane: ControlPlane, serving: None
) -> None:
    few = only(manifests("data"), "space", "config")
    stack.up(few)
    (before,) = plane.names("configmap", "data") - {"kube-root-ca.crt"}
    assert before.startswith("config-")
    few["config"]["data"] = {"a": "2"}
    planned, seen = stack.preview(few)
    assert planned == {"replace": 1}
    assert seen.details["config"]["data.a"] == "update-replace"
    assert stack.up(few)[0] == {"replace": 1}
    (after,) = plane.names("configmap", "data") - {"kube-root-ca.crt"}
    assert after != before
    assert plane.get("configmap", after, "data")["data"] == {"a": "2"}
    stack.select(few).destroy(color="never")


def test_a_new_name_replaces_and_a_new_selector_deletes_first(
    stack: Stack, plane: ControlPlane, serving: None
) -> None:
    few = only(manifests("names"), "space", "web")
    stack.up(few)
    spec = few["web"]["spec"]
    spec["selector"]["matchLabels"]["more"] = "1"
    spec["template"]["metadata"]["labels"]["more"] = "1"
    assert stack.preview(few)[0] == {"replace": 1}
    assert stack.up(few)[0] == {"replace": 1}
    few["web"]["metadata"]["name"] = "other"
    assert stack.up(few)[0] == {"replace": 1}
    assert plane.names("deployment", "names") == {"other"}
    stack.select(few).destroy(color="never")


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("web", {"replcas": 1}, r"replcas"),
        ("web", {"replicas": "two"}, r"replicas"),
        ("web", {"template": {"spec": {"containers": []}}}, r"selector|labels"),
        ("gadget", {"size": 0}, r"spec\.size.*greater than or equal to 1"),
        ("gadget", {"colour": "red"}, r"colour"),
    ],
)
def test_what_the_api_server_does_not_take_fails_the_preview_in_its_words(
    stack: Stack,
    plane: ControlPlane,
    serving: None,
    part: str,
    change: dict[str, Any],
    words: str,
) -> None:
    few = only(manifests("default"), part)
    few[part]["spec"] |= change
    with pytest.raises(automation.CommandError, match=words):
        stack.preview(few)


def test_a_custom_resource_waits_for_its_condition(
    plane: ControlPlane, stack: Stack, serving: None
) -> None:
    few = only(manifests("waiting"), "space", "gadget")
    annotations = {
        "pulumi.com/waitFor": "condition=Accepted",
        "pulumi.com/timeoutSeconds": "2",
    }
    few["gadget"]["metadata"]["annotations"] = annotations
    with pytest.raises(automation.CommandError, match="timed out waiting"):
        stack.up(few)
    assert stack.resources(few)["gadget"]["initErrors"]
    timer = threading.Timer(2.0, accept, (plane,))
    annotations["pulumi.com/timeoutSeconds"] = "60"
    timer.start()
    assert stack.up(few)[0] == {"update": 1}
    assert stack.up(few)[0] == {}
    stack.select(few).destroy(color="never")


def accept(plane: ControlPlane) -> None:
    status = '{"status":{"conditions":[{"type":"Accepted","status":"True"}]}}'
    plane.kubectl(
        "patch",
        "gadget/gadget",
        "--namespace=waiting",
        "--subresource=status",
        "--type=merge",
        f"--patch={status}",
    )


def test_nobody_waits_for_what_is_not_to_be_awaited(
    plane: ControlPlane, stack: Stack, gadgets: None
) -> None:
    few = only(manifests("hurry"), "space", "web")
    skip = {"pulumi.com/skipAwait": "true"}
    few["web"]["metadata"]["annotations"] = skip
    stack.up(few)
    live = plane.get("deployment", "web", "hurry")
    assert "readyReplicas" not in live["status"]
    with pods.made_ready(plane):
        stack.select(few).destroy(color="never")


def test_an_object_that_is_there_already_is_taken_over_only_when_allowed(
    plane: ControlPlane, stack: Stack, serving: None
) -> None:
    plane.kubectl("create", "namespace", "there")
    few = only(manifests("there"), "space")
    with pytest.raises(automation.CommandError, match="already exists"):
        stack.up(few)
    stack.configure = {"upsert_existing_objects": True}
    assert "create" in stack.up(few)[0]
    stack.select(few).destroy(color="never")


def test_a_cluster_that_cannot_be_reached_is_named(
    plane: ControlPlane, stack: Stack
) -> None:
    stack.kubeconfig = plane.kubeconfig.read_text().replace("127.0.0.1", "127.0.0.2")
    few = only(manifests("nowhere"), "space")
    assert stack.preview(few)[0] == {"create": 3}
    with pytest.raises(automation.CommandError, match="cluster is unreachable"):
        stack.up(few)
