from stacks_cases import IRIS

from cortex_stacks.api.workload import deployment, pod_template


def test_the_number_of_replicas_is_the_scalers_alone() -> None:
    assert "replicas" not in deployment(IRIS)["spec"]


def test_pods_have_no_rights_on_the_machine_or_the_cluster() -> None:
    pod = pod_template(IRIS)["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"] is True
        assert confined["allowPrivilegeEscalation"] is False
        assert confined["capabilities"] == {"drop": ["ALL"]}


def test_old_replicas_are_found_by_the_same_labels_as_new_ones() -> None:
    selector = deployment(IRIS)["spec"]["selector"]["matchLabels"]

    assert "revision" not in str(selector)
    assert selector.items() <= pod_template(IRIS)["metadata"]["labels"].items()
