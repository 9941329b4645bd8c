"""Predictors that need no class: a model's file is enough."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from cortex_sdk.declaration.models import Models, Place, name_of
from cortex_sdk.declaration.value import Value
from cortex_sdk.errors import InvalidSpecError
from cortex_server.manifest import PredictorModule

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI

_MODULE = "cortex_server.worker.built_in"


class BuiltIn(Value):
    """A predictor of the server's own, for the model at `path` or for `models`."""

    module: ClassVar[str]
    path: Place | None = None
    """File or folder of the model: a path inside the project, an absolute path, or a
    URL; left out where the API declares `models`."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: object, **fields: object) -> None:
            if args:
                if len(args) > 1 or "path" in fields:
                    name = type(self).__name__
                    msg = f"`{name}` takes one value without a name, the path"
                    raise InvalidSpecError(msg)
                fields["path"] = args[0]
            super().__init__(**fields)
    else:

        def __init__(self, path: object = None, **fields: object) -> None: ...

    @property
    def reference(self) -> PredictorModule:
        """Where the server has it."""
        return PredictorModule(
            module=f"{_MODULE}.{self.module}", qualname=type(self).__name__
        )

    @property
    def default_name(self) -> str:
        """The name of an API that was given none."""
        return name_of(self.path) if self.path else self.module

    def models(self, declared: Models | None) -> Models:
        """The models that it serves."""
        return declared or Models(path=self.path)

    def options(self, models: Models) -> dict[str, Any]:  # noqa: ARG002  # of some
        """What the server is told besides."""
        return self.model_dump(mode="json", exclude={"path"})

    def check(self, api: "SyncAPI") -> Self:
        """Raise a ValueError if the API has a setting that does not go with it."""
        name = type(self).__name__
        if (self.path is None) == (api.models is None):
            msg = f"`{name}` needs the path of a model, or the API `models`, not both"
            raise ValueError(msg)
        if api.batching is not None:
            msg = f"`{name}` takes no batching; send several rows in one request"
            raise ValueError(msg)
        if api.config:
            msg = f"`{name}` takes no config"
            raise ValueError(msg)
        return self


class Onnx(BuiltIn):
    """Serves ONNX models with onnxruntime: named inputs in, named outputs out.

    Needs the extra `onnx`. The payload is an object with an array for each input.

    Example:
        >>> Onnx("iris.onnx", outputs=["label"]).path
        'iris.onnx'
    """

    module: ClassVar[str] = "onnx"
    outputs: tuple[str, ...] | None = None
    """Outputs that are given; unset, all."""
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    """Execution providers of onnxruntime, the first that works for a part runs it."""
    threads: Annotated[int, Field(ge=0)] = 1
    """Threads that compute one request, 0 for as many as there are cores."""


class Sklearn(BuiltIn):
    """Serves models of scikit-learn: a list of rows in, a list of results out.

    Needs the extra `sklearn`. A joblib file is a pickle, and loading one runs whatever
    code it holds: serve only files of your own. A skops file is checked first.

    Example:
        >>> Sklearn("iris.skops", method="predict_proba").method
        'predict_proba'
    """

    module: ClassVar[str] = "sklearn"
    method: Literal[
        "predict", "predict_proba", "decision_function", "transform", "score_samples"
    ] = "predict"
    """Method of the model that is called with the rows."""
    trusted: tuple[str, ...] = ()
    """Types in a skops file that are trusted besides those known to be safe."""


class TorchScript(BuiltIn):
    """Serves TorchScript files of PyTorch: an array in, an array out.

    Needs PyTorch. A file may run any code: serve only files of your own.

    Example:
        >>> TorchScript("net.pt").device
        'cpu'
    """

    module: ClassVar[str] = "torchscript"
    device: str = "cpu"
    """Where the network computes, such as "cpu" or "cuda"."""


class TensorFlow(BuiltIn):
    """Serves SavedModels of TensorFlow: named inputs in, named outputs out.

    Needs TensorFlow. A model may run any code: serve only models of your own.

    Example:
        >>> TensorFlow("models/iris").path
        'models/iris'
    """

    module: ClassVar[str] = "tensorflow"
    signature_key: str | None = None
    """Signature that is called; unset, `serving_default`, else the only one."""

    def options(self, models: Models) -> dict[str, Any]:
        """The signature of each model that names one, and that of the others."""
        keys = {each.name: each.signature_key for each in models.paths or ()}
        return {
            "signature_key": self.signature_key or models.signature_key,
            "signature_keys": {name: key for name, key in keys.items() if key},
        }
