"""The smaller parts of a declaration, each a value of its own."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cortex_sdk.declaration.units import Bytes, Cores, Seconds, Share
from cortex_sdk.declaration.value import Value

_ENDPOINT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://[^/?#@\s*]+/?", re.IGNORECASE)
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


def _origin(value: str) -> str:
    if value != "*" and not _ORIGIN.fullmatch(value):
        msg = 'must be "*" or an origin such as "https://example.com", without a path'
        raise ValueError(msg)
    return value


class CORS(Value):
    """Which web pages of other origins may call the API."""

    allow_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ("*",)
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
