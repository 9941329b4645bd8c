import pytest

from cortex_stacks.labels import STACK
from cortex_stacks.platform.release import is_gateway_api, objects, owned

_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gateways.gateway.networking.k8s.io"},
    "spec": {"group": "gateway.networking.k8s.io"},
}


def test_gives_the_objects_of_all_documents() -> None:
    text = (
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
        "---\n# nothing here\n---\n"
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n"
    )

    assert [each["metadata"]["name"] for each in objects(text)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is not YAML"),
        ("", "no Kubernetes objects"),
        ("<html></html>", "is no Kubernetes object"),
        ("kind: Namespace", "is no Kubernetes object"),
    ],
)
def test_says_what_is_wrong_with_a_text(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        objects(text)


def test_a_manifest_runs_no_code() -> None:
    with pytest.raises(ValueError, match="is not YAML"):
        objects("!!python/object/apply:os.system ['true']")


@pytest.mark.parametrize(
    "manifest",
    [
        _CRD,
        {**_CRD, "spec": {"group": "gateway.networking.x-k8s.io"}},
        {
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "safe-upgrades.gateway.networking.k8s.io"},
        },
    ],
)
def test_knows_what_is_of_the_gateway_api(manifest: dict[str, object]) -> None:
    assert is_gateway_api(manifest)


@pytest.mark.parametrize(
    "manifest",
    [
        {**_CRD, "spec": {"group": "gateway.envoyproxy.io"}},
        {"kind": "Namespace", "metadata": {"name": "envoy-gateway-system"}},
    ],
)
def test_knows_what_is_not_of_the_gateway_api(manifest: dict[str, object]) -> None:
    assert not is_gateway_api(manifest)


def test_an_object_gets_our_label_and_keeps_its_own() -> None:
    manifest = {
        "kind": "Namespace",
        "metadata": {"name": "keda", "labels": {"app.kubernetes.io/name": "keda"}},
    }

    assert owned(manifest, "a.b.platform.platform")["metadata"]["labels"] == {
        "app.kubernetes.io/name": "keda",
        STACK: "a.b.platform.platform",
    }


def test_what_controllers_write_is_left_out() -> None:
    metadata = {"name": "x", "creationTimestamp": None}
    manifest = {"kind": "Namespace", "metadata": metadata, "status": {"phase": "x"}}

    result = owned(manifest, "s")

    assert result.keys() == {"kind", "metadata"}
    assert result["metadata"].keys() == {"name", "labels"}


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("CustomResourceDefinition", "condition=Established"),
        ("APIService", "condition=Available"),
    ],
)
def test_what_others_rely_on_is_awaited(kind: str, condition: str) -> None:
    manifest = {"kind": kind, "metadata": {"name": "x", "annotations": {"a": "b"}}}

    assert owned(manifest, "s")["metadata"]["annotations"] == {
        "a": "b",
        "pulumi.com/waitFor": condition,
    }


def test_a_job_stays_when_it_is_done() -> None:
    spec = {"backoffLimit": 1, "ttlSecondsAfterFinished": 30}
    manifest = {"kind": "Job", "metadata": {"name": "x"}, "spec": spec}

    assert owned(manifest, "s")["spec"] == {"backoffLimit": 1}
    assert "ttlSecondsAfterFinished" in spec
