from typing import Any

import pulumi

from cortex_stacks.args import Cluster
from cortex_stacks.providing import program, register

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "iris", "labels": {"app.kubernetes.io/name": "iris"}},
    "spec": {"clusterIP": "None", "ports": [{"targetPort": 8081, "port": 8081}]},
}


def declare(opts: pulumi.ResourceOptions) -> None:
    register("service", SERVICE, opts)


def test_the_fields_of_an_object_keep_their_names(recorder: Any) -> None:
    service = recorder.run(program(Cluster(), declare))["service"]

    assert service.typ == "kubernetes:core/v1:Service"
    assert service.inputs == SERVICE


def test_the_provider_of_all_objects_is_an_explicit_one(recorder: Any) -> None:
    resources = recorder.run(program(Cluster(context="prod"), declare))

    assert resources["cluster"].inputs["context"] == "prod"
    assert resources["service"].provider.endswith("::cluster::cluster-id")


def test_what_an_earlier_revision_has_left_is_taken_up_again(recorder: Any) -> None:
    provider = recorder.run(program(Cluster(), declare))["cluster"]

    assert provider.inputs["upsertExistingObjects"] == "true"
