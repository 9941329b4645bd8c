import pytest

from cortex_sdk import InvalidSpecError, ModelPath, Models
from cortex_sdk.project.models import models_of
from cortex_server import manifest

FILES = ("app.py", "models/iris/1/model.onnx")


def test_the_manifest_says_what_was_declared() -> None:
    declared = Models(
        paths=[ModelPath(name="iris", path="models/iris", signature_key="s")],
        signature_key="t",
        cache_size=1,
        cache_bytes="1Mi",
        disk_cache_size=2,
        disk_cache_bytes="2Mi",
        reload_interval="1m",
    )

    assert models_of(declared, FILES) == manifest.Models(
        paths=(manifest.ModelPath(name="iris", path="models/iris", signature_key="s"),),
        signature_key="t",
        cache_size=1,
        cache_bytes=1 << 20,
        disk_cache_size=2,
        disk_cache_bytes=2 << 20,
        reload_interval=60.0,
    )


def test_a_single_path_is_a_model_with_a_name() -> None:
    told = models_of(Models(path="models/iris"), FILES)

    assert told.paths == (manifest.ModelPath(name="iris", path="models/iris"),)


@pytest.mark.parametrize("place", ["models", "./models/iris/", "/srv", "s3://b/models"])
def test_places_that_a_replica_can_see_are_taken(place: str) -> None:
    assert models_of(Models(dir=place), FILES).dir == place


@pytest.mark.parametrize("place", ["model", "models/ir", ".", "app"])
def test_a_path_that_does_not_go_along_is_refused(place: str) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        models_of(Models(dir=place), FILES)

    assert str(caught.value) == (
        f"`SyncAPI.models`: {place!r} is no file or folder that goes along with the"
        " project; check the name and `.cortexignore`, or give an absolute path"
    )
