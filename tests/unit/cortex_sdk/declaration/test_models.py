from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import InvalidSpecError, ModelPath, Models, SyncAPI
from cortex_sdk.declaration.models import name_of

ONE = {"name": "a", "path": "x"}
INSIDE = "must be a path inside the project, an absolute path, or a URL"


class Asks:
    def predict(self, payload: int, models: object) -> int:
        return payload


class AsksNot:
    def predict(self, payload: int) -> int:
        return payload


def test_defaults() -> None:
    assert Models(dir="models").model_dump() == {
        "path": None,
        "paths": None,
        "dir": "models",
        "signature_key": None,
        "cache_size": None,
        "cache_bytes": None,
        "disk_cache_size": None,
        "disk_cache_bytes": None,
        "reload_interval": 10.0,
    }
    assert ModelPath(**ONE).signature_key is None


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("models/iris", "models/iris"),
        (Path("models/iris"), "models/iris"),
        ("/srv/models", "/srv/models"),
        ("s3://bucket/models", "s3://bucket/models"),
        ("~/models", str(Path("~/models").expanduser())),
    ],
)
def test_a_place_is_a_path_or_a_url(place: object, kept: str) -> None:
    assert Models(dir=place).dir == kept


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"dir": "../models"}, f"`Models.dir` {INSIDE}, got '../models'"),
        ({"dir": ""}, f"`Models.dir` {INSIDE}, got ''"),
        ({"path": 5}, "`Models.path` must be text, got 5"),
        (
            {"dir": "a", "cache_size": 0},
            "`Models.cache_size` must be at least 1, got 0",
        ),
        (
            {"dir": "a", "reload_interval": 0.01},
            "`Models.reload_interval` must be at least 0.1, got 0.01",
        ),
        (
            {"paths": [{"name": "a b", "path": "x"}]},
            "`ModelPath.name` must match `^[A-Za-z0-9_][A-Za-z0-9_.-]*$`, got 'a b'",
        ),
        (
            {"dir": "a", "path": "b"},
            "`Models`: exactly one of path, paths and dir must be given",
        ),
        ({}, "`Models`: exactly one of path, paths and dir must be given"),
        ({"paths": []}, "`Models`: paths must name at least one model"),
        ({"paths": [ONE, ONE]}, "`Models`: the names in paths must differ, got a, a"),
        (
            {"dir": "a", "cache_size": 3, "disk_cache_size": 2},
            "`Models`: cache_size must be at most disk_cache_size (2), not 3",
        ),
        (
            {"dir": "a", "cache_bytes": 3, "disk_cache_bytes": 2},
            "`Models`: cache_bytes must be at most disk_cache_bytes (2), not 3",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused(fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        Models(**fields)

    assert str(caught.value) == rule


def test_a_password_in_a_url_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="put it into `secrets`"):
        Models(dir="https://ada:s3cret@example.com/models")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("models/iris.joblib", "iris"),
        ("/srv/models/iris/", "iris"),
        ("s3://bucket/models/my%20iris.onnx", "my iris"),
        ("https://example.com/iris.onnx?download=1", "iris"),
    ],
)
def test_a_model_given_by_its_place_is_named_as_that(place: str, name: str) -> None:
    assert name_of(place) == name


def test_who_asks_for_models_must_declare_them() -> None:
    with pytest.raises(InvalidSpecError, match="`Asks` asks for `models`; declare"):
        SyncAPI(Asks)


def test_declared_models_must_be_asked_for() -> None:
    with pytest.raises(InvalidSpecError, match="no method of `AsksNot` takes"):
        SyncAPI(AsksNot, models=Models(dir="models"))

    assert SyncAPI(Asks, models={"dir": "models"}).models == Models(dir="models")
