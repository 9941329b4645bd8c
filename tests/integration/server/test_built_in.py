"""Predictors without a class: real models, real runtimes, over the wire."""

import importlib.util
import struct
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from integration.server.replica import Replica, running, starting
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from cortex_sdk import Models as Declared
from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.predictors import Onnx, Sklearn, TensorFlow, TorchScript
from cortex_sdk.project.models import models_of

ROW = [5.1, 3.5, 1.4, 0.2]
NAMED = {"X": [ROW, [6.7, 3.0, 5.2, 2.3]]}


def served(predictor: BuiltIn, **models: Any) -> dict[str, Any]:
    """The fields of a manifest that serves models with a built-in predictor."""
    declared = predictor.models(Declared(**models) if models else None)
    return {
        "predictor": predictor.reference,
        "config": predictor.options(declared),
        "models": models_of(declared, ()),
    }


@pytest.fixture(scope="module")
def iris() -> Any:
    features, species = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=1000).fit(features, species)


@pytest.fixture(scope="module")
def onnx(iris: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    example = np.array([ROW], dtype=np.float32)
    model = to_onnx(iris, example, options={"zipmap": False})
    path = tmp_path_factory.mktemp("onnx") / "iris.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def post(replica: Replica, payload: object, query: str = "") -> Any:
    return replica.client.post(f"/{query}", json=payload)


def test_an_onnx_model_takes_its_inputs_by_name(onnx: Path) -> None:
    with running({}, **served(Onnx(str(onnx)))) as replica:
        answer = post(replica, NAMED)
        assert answer.status_code == 200, answer.text
        assert answer.json()["label"] == [0, 2]
        assert np.shape(answer.json()["probabilities"]) == (2, 3)

        other = post(replica, {"Y": [ROW]})
        narrow = post(replica, {"X": [[1.0, 2.0]]})
        text = post(replica, {"X": [["a", "b", "c", "d"]]})

    assert [other.status_code, narrow.status_code, text.status_code] == [422] * 3
    assert "#/X: Field required" in other.json()["detail"]
    assert narrow.json()["detail"] == "X has shape [1, 2], but [-1, 4] is wanted"


def test_an_onnx_model_gives_the_outputs_that_are_asked_for(onnx: Path) -> None:
    with running({}, **served(Onnx(str(onnx), outputs=["label"]))) as replica:
        assert post(replica, NAMED).json() == {"label": [0, 2]}

    with starting({}, **served(Onnx(str(onnx), outputs=["labels"]))) as replica:
        assert replica.wait() == 1
        assert (
            "has no output 'labels'; it has label, probabilities"
            in (replica.failure()["message"])
        )


def test_an_onnx_model_speaks_v2_with_its_own_names_and_datatypes(onnx: Path) -> None:
    with running({}, **served(Onnx(str(onnx)))) as replica:
        metadata = replica.client.get("/v2/models/test").json()
        body = {
            "inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP32", "data": ROW}],
        }
        answer = replica.client.post("/v2/models/test/infer", json=body).json()

    assert [(each["name"], each["datatype"]) for each in metadata["inputs"]] == [
        ("X", "FP32")
    ]
    assert [(each["name"], each["datatype"]) for each in metadata["outputs"]] == [
        ("label", "INT64"),
        ("probabilities", "FP32"),
    ]
    assert {each["name"]: each["shape"] for each in answer["outputs"]} == {
        "label": [1],
        "probabilities": [1, 3],
    }
    assert answer["outputs"][0]["data"] == [0]


@pytest.mark.parametrize("suffix", ["joblib", "skops"])
def test_a_sklearn_model_takes_rows(iris: Any, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"iris.{suffix}"
    (joblib if suffix == "joblib" else skops.io).dump(iris, path)

    with running({}, **served(Sklearn(str(path)))) as replica:
        assert post(replica, NAMED["X"]).json() == [0, 2]
        row, narrow = post(replica, ROW), post(replica, [[1.0]])

    assert row.status_code == narrow.status_code == 422
    assert "must be a list of rows" in row.json()["detail"]
    assert narrow.json()["detail"] == "each row must have 4 values, got 1"


def test_a_method_of_a_sklearn_model_can_be_chosen(iris: Any, tmp_path: Path) -> None:
    joblib.dump(iris, tmp_path / "iris.joblib")
    sklearn = Sklearn(str(tmp_path / "iris.joblib"), method="predict_proba")

    with running({}, **served(sklearn)) as replica:
        answer = post(replica, [ROW]).json()

    assert answer == pytest.approx(iris.predict_proba([ROW]))


def test_a_method_that_a_model_does_not_have_fails_the_start(tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit([[1], [2]], [1, 2]), tmp_path / "m.joblib")
    sklearn = Sklearn(str(tmp_path / "m.joblib"), method="predict_proba")

    with starting({}, **served(sklearn)) as replica:
        assert replica.wait() == 1
        reason = "`LinearRegression` has no method `predict_proba`"
        assert reason in replica.failure()["message"]


def test_a_skops_file_with_unknown_types_is_not_loaded(tmp_path: Path) -> None:
    pipeline = make_pipeline(FunctionTransformer(struct.calcsize), LinearRegression())
    skops.io.dump(pipeline, tmp_path / "m.skops")

    with starting({}, **served(Sklearn(str(tmp_path / "m.skops")))) as replica:
        assert replica.wait() == 1
        message = replica.failure()["message"]

    assert "holds types that are not known to be safe: _struct.calcsize" in message
    assert "Sklearn(..., trusted=[...])" in message


def test_one_predictor_serves_many_models(iris: Any, tmp_path: Path) -> None:
    for version, model in (("1", LinearRegression().fit([[1], [2]], [2, 4])),):
        (tmp_path / "line" / version).mkdir(parents=True)
        joblib.dump(model, tmp_path / "line" / version / "m.joblib")
    joblib.dump(iris, tmp_path / "iris.joblib")

    with running({}, **served(Sklearn(), dir=str(tmp_path))) as replica:
        line = post(replica, [[3]], "?model=line&version=1")
        flower = post(replica, [ROW], "?model=iris")
        unnamed = post(replica, [ROW])

    assert line.json() == pytest.approx([6.0])
    assert flower.json() == [0]
    assert unnamed.status_code == 400
    assert unnamed.json()["detail"] == "name one of the models: iris, line"


def needs(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed")


@needs("torch")
def test_a_torchscript_model_takes_an_array(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415  # where it is installed

    torch.jit.script(torch.nn.Flatten()).save(tmp_path / "net.pt")

    with running({}, **served(TorchScript(str(tmp_path / "net.pt")))) as replica:
        assert post(replica, [[[1.0, 2.0], [3.0, 4.0]]]).json() == [[1, 2, 3, 4]]


@needs("tensorflow")
def test_a_saved_model_takes_its_inputs_by_name(tmp_path: Path) -> None:
    import tensorflow as tf  # noqa: PLC0415  # where it is installed

    class Double(tf.Module):  # type: ignore[misc]  # untyped
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
        def double(self, x: Any) -> Any:
            return {"y": 2 * x}

    model = Double()
    tf.saved_model.save(model, tmp_path / "m", {"serving_default": model.double})

    with running({}, **served(TensorFlow(str(tmp_path / "m")))) as replica:
        assert post(replica, {"x": [1.0, 2.0]}).json() == {"y": [2.0, 4.0]}


@pytest.mark.parametrize(
    ("predictor", "module", "command"),
    [
        (Onnx, "onnxruntime", "pip install 'cortex-sdk[onnx]'"),
        (Sklearn, "joblib", "pip install 'cortex-sdk[sklearn]'"),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_command(
    predictor: type[BuiltIn], module: str, command: str, onnx: Path
) -> None:
    files = {f"{module}.py": f"raise ModuleNotFoundError('no', name={module!r})"}

    with starting(files, **served(predictor(str(onnx)))) as replica:
        assert replica.wait() == 1
        message = replica.failure()["message"]

    assert f"`{module}` is not installed; run `{command}`" in message
