"""The smaller parts of a declaration, each a value of its own."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cortex_sdk.declaration.units import Bytes, Cores, Seconds, Share
from cortex_sdk.declaration.value import Value

_ENDPOINT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_ENDPOINT_LENGTH = 1000


def _endpoint(value: str) -> str:
    path = value if value.startswith("/") else f"/{value}"
    steps = path.split("/")
    if not _ENDPOINT.fullmatch(path) or "." in steps or ".." in steps:
        msg = 'must be a path such as "/iris" of letters, digits, "-", "_", ".", "/"'
        raise ValueError(msg)
    if len(path) > _ENDPOINT_LENGTH:
        msg = f"must be at most {_ENDPOINT_LENGTH} characters"
        raise ValueError(msg)
    return path


class CORS(Value):
    """Which web pages of other origins may call the API."""

    allow_origins: tuple[str, ...] = ("*",)
    """Origins such as "https://example.com"; "*" for all."""
    allow_methods: tuple[str, ...] = ("GET", "POST", "OPTIONS")
    """HTTP methods that a page may use."""
    allow_headers: tuple[str, ...] = ("*",)
    """Request headers that a page may set; "*" for all."""
    expose_headers: tuple[str, ...] = ("x-request-id",)
    """Response headers that a page may read, besides the few that it always may."""
    allow_credentials: bool = False
    """Whether a page may send cookies and HTTP authentication."""
    max_age: Annotated[Seconds, Field(ge=0)] = 600.0
    """Seconds for which a browser may remember the answer."""

    @model_validator(mode="after")
    def _credentials_need_origins(self) -> Self:
        if self.allow_credentials and "*" in self.allow_origins:
            msg = 'allow_credentials needs origins by name, not "*"'
            raise ValueError(msg)
        return self


class Networking(Value):
    """Where the API is reached."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = None
    """Path of the API, at most 1000 characters; unset, "/" and the name."""
    cors: CORS | None = None
    """Answers to browsers that ask for another origin; unset, none is given."""


class Compute(Value):
    """What one replica asks for."""

    cpu: Annotated[Cores, Field(ge=0.02)] = 0.2
    """Cores such as 0.5 or "500m", at least 0.02."""
    mem: Annotated[Bytes, Field(ge=20 * 1024**2)] | None = None
    """Memory such as "512Mi", at least 20Mi; unset, no request is made."""
    gpu: Annotated[int, Field(ge=0)] = 0
    """GPUs."""
    inf: Annotated[int, Field(ge=0, le=1)] = 0
    """AWS Inferentia devices, 0 or 1; not together with a GPU."""

    @model_validator(mode="after")
    def _one_kind_of_device(self) -> Self:
        if self.gpu and self.inf:
            msg = "gpu and inf cannot be used together"
            raise ValueError(msg)
        return self


class UpdateStrategy(Value):
    """How old replicas give way to new ones."""

    max_surge: Share = "25%"
    """Replicas above the wanted number during an update, a number or a percentage."""
    max_unavailable: Share = "25%"
    """Replicas below the wanted number during an update, a number or a percentage."""

    @model_validator(mode="after")
    def _an_update_can_move(self) -> Self:
        if {self.max_surge, self.max_unavailable} <= {0, "0%"}:
            msg = "max_surge and max_unavailable cannot both be zero"
            raise ValueError(msg)
        return self


class Batching(Value):
    """Several waiting requests in one call of the predictor.

    `predict` takes a list of payloads, `payload: list[Item]`, and returns a list with a
    result for each; or a method `predict_batch` does. Each of `threads_per_process`
    runs one batch at a time, an `async` predictor as many.
    """

    max_batch_size: Annotated[int, Field(ge=2, le=1024)]
    """Most requests in one batch, from 2 to 1024 and at most
    `autoscaling.max_replica_concurrency`."""
    batch_interval: Annotated[Seconds, Field(gt=0)]
    """Seconds that a free predictor waits at most for more requests than are there; it
    learns when that is worth it, and a lone request never waits."""


class Monitoring(Value):
    """Which part of a response is counted as the prediction, see `metrics()`."""

    model_type: Literal["classification", "regression"]
    """Whether predictions are counted by class, 1000 of them at most, or summed up as
    numbers: count, mean, deviation, least, greatest."""
    key: str | None = None
    """Key of the prediction in a response that is a JSON object; unset, the response
    is the prediction."""


class ApiKeys(Value):
    """Only callers with a key get an answer; a change of keys restarts nothing."""

    file: str = ".api-keys"
    """File with one key on each line, 16 to 512 visible ASCII characters; relative to
    the project, with which it never goes along."""


class ModelPath(Value):
    """One model of several."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    """Name that the predictor asks for."""
    path: str
    """Folder, file, or URL of the model."""
    signature_key: str | None = None
    """Signature of a TensorFlow model; unset, its only one or `predict`."""


class Models(Value):
    """The models that the predictor asks for by name; exactly one of three sources."""

    path: str | None = None
    """One model: a folder, a file, or a URL."""
    paths: tuple[ModelPath, ...] | None = None
    """Several models by name."""
    dir: str | None = None
    """A folder or URL in which each sub-folder is a model of that name."""
    signature_key: str | None = None
    """Signature of TensorFlow models that name none of their own."""
    cache_size: Annotated[int, Field(ge=1)] | None = None
    """Most models in memory; unset, all."""
    disk_cache_size: Annotated[int, Field(ge=1)] | None = None
    """Most models on disk, at least `cache_size`; unset, all."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.path, self.paths, self.dir)) != 1:
            msg = "exactly one of path, paths and dir must be given"
            raise ValueError(msg)
        names = [model.name for model in self.paths or ()]
        if len(set(names)) < len(names):
            msg = f"the names in paths must differ, got {', '.join(names)}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _caches_agree(self) -> Self:
        memory, disk = self.cache_size, self.disk_cache_size
        if (memory is None) != (disk is None):
            msg = "cache_size and disk_cache_size must be given together"
            raise ValueError(msg)
        if memory is not None and disk is not None and memory > disk:
            msg = f"cache_size must be at most disk_cache_size ({disk}), not {memory}"
            raise ValueError(msg)
        return self
