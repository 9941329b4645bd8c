import ast

import yaml
from unit.cortex_sdk.kubernetes.planned import PLAIN, SECRET

from cortex_sdk.kubernetes.ejection import project
from cortex_stacks.args import Cluster, SyncAPIArgs

STATE = {"PULUMI_BACKEND_URL": "file:///home/me/.cortex/pulumi/state"}


def text(name: str, args: SyncAPIArgs = PLAIN, cluster: Cluster | None = None) -> str:
    return project(args, cluster or Cluster(context="prod"), STATE)[name].decode()


def test_the_project_has_all_that_pulumi_asks_for() -> None:
    found = project(PLAIN, Cluster(), STATE)

    assert {"Pulumi.yaml", "__main__.py", "requirements.txt", "api.json"} <= set(found)
    assert yaml.safe_load(found["Pulumi.yaml"]) == {
        "name": "cortex",
        "description": "The API iris on Kubernetes",
        "runtime": "python",
    }
    assert found["bundle.tar.gz"] == b"files"
    assert found["requirements.txt"].startswith(b"cortex-sdk[kubernetes]==")


def test_the_program_names_the_cluster() -> None:
    program = text("__main__.py", cluster=Cluster(kubeconfig="/k", context="prod"))

    ast.parse(program)
    assert "Cluster(kubeconfig='/k', context='prod')" in program


def test_the_text_of_a_kubeconfig_is_not_written_down() -> None:
    cluster = Cluster(kubeconfig="apiVersion: v1\nusers: [hunter2]\n", context="prod")

    assert all(
        b"hunter" not in each for each in project(PLAIN, cluster, STATE).values()
    )


def test_the_readme_has_the_commands() -> None:
    readme = text("README.md", SECRET)

    assert "pulumi stack init 0a1b2c3d.models.api.iris\n" in readme
    assert "pulumi config set --secret --path 'secrets[\"API_TOKEN\"]'\n" in readme
    assert f'export PULUMI_BACKEND_URL="{STATE["PULUMI_BACKEND_URL"]}"\n' in readme
    assert all(
        b"hunter" not in each for each in project(SECRET, Cluster(), STATE).values()
    )
