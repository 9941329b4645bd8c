from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import InvalidSpecError, ModelPath, Models, SyncAPI
from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.predictors import Onnx, Sklearn, TensorFlow, TorchScript
from cortex_sdk.project.release import release_of
from cortex_server.manifest import ModelPath as Told
from cortex_server.manifest import PredictorModule

KEY = b"k" * 32


@pytest.mark.parametrize("kind", [Onnx, Sklearn, TorchScript, TensorFlow])
def test_each_names_a_class_of_the_server(kind: type[BuiltIn]) -> None:
    reference = kind("m").reference

    assert reference == PredictorModule(
        module=f"cortex_server.worker.built_in.{kind.__name__.lower()}",
        qualname=kind.__name__,
    )


def test_an_api_is_named_as_its_model() -> None:
    assert SyncAPI(Onnx("models/My_iris.onnx")).name == "my-iris"
    assert SyncAPI(Sklearn(), models={"dir": "models"}).name == "sklearn"


@pytest.mark.parametrize(
    ("predictor", "settings", "rule"),
    [
        (Onnx(), {}, "`Onnx` needs the path of a model, or the API `models`"),
        (Onnx("m"), {"models": {"dir": "d"}}, "or the API `models`, not both"),
        (Onnx("m"), {"config": {"a": 1}}, "`Onnx` takes no config"),
        (
            Sklearn("m"),
            {"batching": {"max_batch_size": 2, "batch_interval": 1}},
            "`Sklearn` takes no batching; send several rows in one request",
        ),
    ],
)
def test_settings_that_do_not_go_with_it_are_refused(
    predictor: BuiltIn, settings: dict[str, Any], rule: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(predictor, name="iris", **settings)

    assert rule in str(caught.value)


def test_the_path_may_be_given_once() -> None:
    with pytest.raises(InvalidSpecError, match="takes one value without a name"):
        Onnx("a", path="b")


def test_the_manifest_has_the_model_and_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.onnx").write_text("")
    (tmp_path / "requirements.txt").write_text("")
    api = SyncAPI(Onnx("iris.onnx", outputs=["label"]), project=str(tmp_path))

    manifest = release_of(api, KEY).manifest

    assert manifest.predictor == Onnx("iris.onnx").reference
    assert manifest.models is not None
    assert manifest.models.paths == (Told(name="iris", path="iris.onnx"),)
    assert manifest.config == {
        "outputs": ["label"],
        "providers": ["CPUExecutionProvider"],
        "threads": 1,
    }


def test_signatures_of_tensorflow_go_along() -> None:
    paths = (
        ModelPath(name="a", path="a", signature_key="s"),
        ModelPath(name="b", path="b"),
    )
    models = Models(paths=paths, signature_key="t")

    assert TensorFlow().options(models) == {
        "signature_key": "t",
        "signature_keys": {"a": "s"},
    }
