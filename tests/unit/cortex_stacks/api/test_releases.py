from dataclasses import replace

import pytest
from stacks_cases import IRIS, iris

from cortex_stacks.api.manifests import resources
from cortex_stacks.api.releases import as_stored, restored
from cortex_stacks.args import Blob, SyncAPIArgs

FULL = iris(
    pickle=b"pickle",
    secrets={"TOKEN": "sesame"},
    features=frozenset({"BackendTrafficPolicy"}),
    runtime=replace(
        IRIS.runtime,
        requirements=("joblib==1.5.2", "numpy==2.3.4"),
        index_url="https://me:password@index.example/simple",
    ),
)


def again(args: SyncAPIArgs) -> SyncAPIArgs:
    made = resources(args)
    return restored(made["release"], (made["wheel"], made["bundle"]))


@pytest.mark.parametrize("args", [IRIS, FULL])
def test_a_release_comes_back_with_all_its_files(args: SyncAPIArgs) -> None:
    assert again(args) == replace(args, deployed_at="", features=frozenset())


def test_a_release_remembers_that_there_were_keys_but_not_which() -> None:
    args = iris(keys=("key-of-sixteen-letters",))

    assert again(args).keys == ()
    assert "key-of-sixteen-letters" not in str(resources(args)["release"])


def test_what_a_release_says_of_its_settings_holds_no_secret() -> None:
    annotations = str(resources(FULL)["release"]["metadata"])

    assert "sesame" not in annotations
    assert "password" not in annotations


def test_a_bundle_at_a_url_needs_no_config_map() -> None:
    bundle = Blob(name="bundle.tar.gz", digest="a" * 64, url="s3://models/bundle")
    made = resources(iris(bundle=bundle))

    assert "bundle" not in made
    assert restored(made["release"], (made["wheel"],)).bundle == bundle


def test_a_file_that_is_gone_is_named() -> None:
    made = resources(IRIS)

    with pytest.raises(LookupError, match="iris-bundle-aaaaaaaaaaaa is gone"):
        restored(made["release"], (made["wheel"],))


def test_what_is_there_already_keeps_its_bytes() -> None:
    there = resources(FULL).values()
    bundle = replace(FULL.bundle, data=b"the same, packed elsewhere")

    args = as_stored(replace(FULL, pickle=b"of another run", bundle=bundle), there)

    assert args == FULL


def test_a_new_revision_has_its_own_bytes() -> None:
    there = resources(FULL).values()
    new = replace(FULL, revision="ba9876543210", pickle=b"another class")

    assert as_stored(new, there) == new
