"""Settings of the provider resource."""

from pathlib import Path

import pytest
import yaml
from e2e.provider import kubeconfig
from e2e.provider.settings import Settings, replaced


def config(server: str, context: str = "one") -> str:
    return yaml.safe_dump(
        {
            "current-context": context,
            "contexts": [
                {"name": "one", "context": {"cluster": "one", "user": "me"}},
                {"name": "two", "context": {"cluster": "two"}},
            ],
            "clusters": [
                {"name": "one", "cluster": {"server": server}},
                {"name": "two", "cluster": {"server": "https://two"}},
            ],
        }
    )


def test_settings_are_read_from_the_variables_of_the_engine() -> None:
    found = Settings.of(
        {
            "kubernetes:config:context": "prod",
            "kubernetes:config:upsertExistingObjects": "true",
        }
    )
    assert found == Settings(context="prod", upsert=True)


def test_client_side_apply_is_refused() -> None:
    with pytest.raises(ValueError, match="server-side apply"):
        Settings.of({"kubernetes:config:enableServerSideApply": "false"})


def test_a_kubeconfig_is_a_path_or_a_text(tmp_path: Path) -> None:
    text = config("https://one")
    path = tmp_path / "config"
    path.write_text(text)
    assert kubeconfig.load(text).config == yaml.safe_load(text)
    assert kubeconfig.load(str(path)).config == yaml.safe_load(text)
    assert kubeconfig.load(str(path)).folder == tmp_path
    with pytest.raises(ValueError, match="neither a file nor a kubeconfig"):
        kubeconfig.load("/no/such/file")


def test_a_context_says_where_to_go_and_with_which_token() -> None:
    text = config("https://one") + "users: [{name: me, user: {token: secret}}]\n"
    loaded = kubeconfig.load(text)
    assert kubeconfig.access(loaded, "").server == "https://one"
    assert kubeconfig.access(loaded, "two").server == "https://two"
    found = kubeconfig.access(loaded, "one")
    assert found.headers == {"Authorization": "Bearer secret"}
    assert found.namespace == "default"
    with pytest.raises(ValueError, match="absent"):
        kubeconfig.access(loaded, "absent")


def test_another_cluster_replaces_everything_and_another_token_nothing() -> None:
    old = {"kubeconfig": config("https://one")}
    assert replaced(old, {"kubeconfig": config("https://new")}) == ["kubeconfig"]
    assert replaced(old, old | {"context": "two"}) == ["context"]
    users = config("https://one") + "users: [{name: me, user: {token: new}}]\n"
    assert replaced(old, {"kubeconfig": users}) == []


def test_an_identifier_of_the_cluster_decides_alone() -> None:
    old = {"kubeconfig": config("https://one"), "clusterIdentifier": "a"}
    moved = old | {"kubeconfig": config("https://new")}
    assert replaced(old, moved) == []
    assert replaced(old, old | {"clusterIdentifier": "b"}) == ["clusterIdentifier"]
