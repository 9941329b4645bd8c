"""SyncAPI, the declaration that everything starts from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, JsonValue, model_validator

from cortex_sdk import _rendering
from cortex_sdk.declaration.autoscaling import Autoscaling
from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.declaration.models import Models, check_asked
from cortex_sdk.declaration.post_predict import Options, PostPredict
from cortex_sdk.declaration.predictor import (
    Class,
    Folder,
    FolderInside,
    Json,
    Name,
    Requirements,
    default_name,
)
from cortex_sdk.declaration.settings import (
    ApiKeys,
    Batching,
    Compute,
    Monitoring,
    Networking,
    UpdateStrategy,
)
from cortex_sdk.declaration.units import Bytes, Seconds
from cortex_sdk.declaration.value import ByName
from cortex_sdk.declaration.variables import Variables
from cortex_sdk.errors import InvalidSpecError
from cortex_server.interface import hook_of, interface_of
from cortex_server.manifest import LogLevel

if TYPE_CHECKING:
    from cortex_sdk._target import Metrics, Target


class SyncAPI(Deployable):
    """An HTTP API made of a predictor class: a value that says what is wanted.

    Declaring one does nothing; `deploy` does. Times are seconds or text such as
    "10m", sizes bytes or text such as "512Mi"; a nested value may be a dict.

    Raises:
        InvalidSpecError: A field is unknown, or a value breaks its rule.

    Example:
        >>> class Double:
        ...     def predict(self, payload: float) -> float:
        ...         return 2 * payload
        >>> SyncAPI(Double, autoscaling={"max_replicas": 4}).name
        'double'
    """

    predictor: Annotated[Any, Class]
    """The class, "module:Class", or one of `cortex_sdk.predictors`."""
    name: Annotated[str, Name] = ""
    """At most 42 lower-case letters, digits and hyphens; unset, the name of the class
    in kebab case."""
    config: Annotated[dict[str, JsonValue], Json] = Field(default={})
    """Given to the predictor's `__init__` as `config`; any JSON."""
    env: Variables = Field(default={}, repr=False)
    """Environment variables of the replicas; none may start with CORTEX_."""
    secrets: Variables = Field(default={}, repr=False)
    """Environment variables that are kept out of manifest, logs and state."""
    requirements: Annotated[str | tuple[str, ...] | None, Requirements] = None
    """Packages that the predictor needs: a list as pip takes it, or the path of a
    requirements file inside the project; unset, those of this interpreter."""
    project: Folder | None = None
    """Folder whose files go along; unset, the folder of the predictor's file, or the
    working directory of a notebook."""
    python_path: FolderInside | None = None
    """Folder inside the project that is put first on the import path."""
    log_level: LogLevel = "info"
    """Least level that is logged: debug, info, warning or error."""
    log_requests: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of requests that have a line in the log, from 0 to 1."""
    log_slow: Annotated[Seconds, Field(gt=0)] = 10.0
    """Seconds from which on a request has a line in the log in any case."""
    processes_per_replica: Annotated[int, Field(ge=1, le=100)] = 1
    """Processes in a replica, each with a predictor of its own, from 1 to 100.

    They share one queue; see the guide on threads, processes and coroutines."""
    threads_per_process: Annotated[int, Field(ge=1)] = 1
    """Threads that run a predictor which is not async, at least 1."""
    timeout: Annotated[Seconds, Field(gt=0)] = 600.0
    """Seconds that a request may take, waiting included; then it is answered 504."""
    max_body_size: Annotated[Bytes, Field(ge=1)] = 100 * 2**20
    """Bytes that the body of a request may have, unpacked if it is compressed; more is
    answered 413."""
    idempotent: bool = False
    """Whether a request may run twice, so that one whose replica died is retried."""
    models: Models | None = None
    """Models that the predictor asks for by name."""
    batching: Batching | None = None
    """Several requests in one call; unset, one by one."""
    post_predict: Annotated[PostPredict, Options] = Field(default_factory=PostPredict)
    """What runs after the response, besides the predictor's own method, and how; a
    function or a list of them will do."""
    monitoring: Monitoring | None = None
    """Which predictions are counted; unset, none."""
    auth: ApiKeys | None = None
    """Who may call; unset, everybody who reaches the endpoint."""
    networking: Networking = Field(default_factory=Networking)
    """Where the API is reached."""
    compute: Compute = Field(default_factory=Compute)
    """What one replica asks for."""
    autoscaling: Autoscaling = Field(default_factory=Autoscaling)
    """How many replicas there are."""
    update_strategy: UpdateStrategy = Field(default_factory=UpdateStrategy)
    """How old replicas give way to new ones."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: object, **fields: object) -> None:
            if args:
                if len(args) > 1 or "predictor" in fields:
                    msg = "`SyncAPI` takes one value without a name, the predictor"
                    raise InvalidSpecError(msg)
                fields["predictor"] = args[0]
            if not fields.get("name"):
                fields["name"] = default_name(fields.get("predictor"))
            super().__init__(**fields)
            self._note()
    else:

        def __init__(self, predictor: object, **fields: object) -> None: ...

    def __hash__(self) -> int:
        """By name, so that it can stand for itself in a TrafficSplitter."""
        return hash(self.name)

    @model_validator(mode="after")
    def _batching_agrees(self) -> Self:
        if isinstance(self.predictor, type):
            interface_of(self.predictor, is_batched=self.batching is not None)
        limit = self.autoscaling.max_replica_concurrency
        if self.batching is not None and self.batching.max_batch_size > limit:
            msg = (
                "batching.max_batch_size must be at most"
                f" autoscaling.max_replica_concurrency ({limit}), the most requests"
                f" that a replica has, not {self.batching.max_batch_size}"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _concurrency_agrees(self) -> Self:
        goal = self.autoscaling.target_replica_concurrency
        default = self.processes_per_replica * self.threads_per_process
        limit = self.autoscaling.max_replica_concurrency
        if goal is None and default > limit:
            msg = (
                "autoscaling.max_replica_concurrency must be at least processes times"
                f" threads ({default}), not {limit}"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _models_are_asked_for(self) -> Self:
        if isinstance(self.predictor, BuiltIn):
            self.predictor.check(self)
        if isinstance(self.predictor, type):
            is_batched = self.batching is not None
            interface = interface_of(self.predictor, is_batched=is_batched)
            hooks = map(hook_of, self.post_predict.hooks)
            check_asked(self.predictor.__name__, self.models, interface, hooks)
        return self

    @model_validator(mode="after")
    def _options_have_a_hook(self) -> Self:
        is_needless = self.post_predict.hooks or not self.post_predict.changed()
        if is_needless or isinstance(self.predictor, str):
            return self
        if not hasattr(self.predictor, "post_predict"):
            msg = (
                "post_predict has options but no hooks, and predictor"
                f" `{self.predictor.__name__}` has no method `post_predict`"
            )
            raise ValueError(msg)
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What a repr shows, the predictor by its name."""
        for name, value in super().__repr_args__():
            yield name, ByName(value) if isinstance(value, type) else value

    def _repr_html_(self) -> str:
        return _rendering.declaration_as_html(self)

    def logs(
        self,
        *,
        follow: bool = False,
        tail: int | None = None,
        target: "str | Target | None" = None,
    ) -> Iterator[str]:
        """Log lines of all replicas; see Deployment.logs."""
        return self.deployment(target).logs(follow=follow, tail=tail)

    def metrics(self, target: "str | Target | None" = None) -> "Metrics":
        """What the replicas counted; see Deployment.metrics."""
        return self.deployment(target).metrics()
