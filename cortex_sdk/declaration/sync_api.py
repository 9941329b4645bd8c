"""SyncAPI, the declaration that everything starts from."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    model_validator,
)

from cortex_sdk import _loading
from cortex_sdk.declaration.autoscaling import Autoscaling
from cortex_sdk.declaration.settings import (
    ApiKeys,
    Batching,
    Compute,
    Models,
    Monitoring,
    Networking,
    UpdateStrategy,
)
from cortex_sdk.declaration.units import Seconds
from cortex_sdk.declaration.value import Value
from cortex_server.interface import InterfaceError, interface_of
from cortex_server.manifest import LogLevel

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment
    from cortex_sdk._target import Metrics, Progress, Status, Target

NAME_LENGTH = 42
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_REFERENCE = re.compile(r"[^:\s]+(\.[^:\s]+)*:[A-Za-z_]\w*")


def _predictor(value: object) -> object:
    if isinstance(value, str):
        if not _REFERENCE.fullmatch(value):
            msg = 'must be a class or text such as "module:Class"'
            raise ValueError(msg)
        return value
    try:
        interface_of(value)  # type: ignore[arg-type]  # it refuses what is no class
    except InterfaceError as error:
        raise ValueError(str(error)) from None
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value) or len(value) > NAME_LENGTH:
        msg = (
            f"must be at most {NAME_LENGTH} lower-case letters, digits and hyphens,"
            " starting with a letter and not ending in a hyphen"
        )
        raise ValueError(msg)
    return value


def _variables(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if name.startswith("CORTEX_"):
            msg = f"must not set {name}: names that start with CORTEX_ are ours"
            raise ValueError(msg)
        if not name or "=" in name or "\0" in name + value[name]:
            msg = f"must hold names and values of environment variables, not {name!r}"
            raise ValueError(msg)
    return value


def kebab(name: str) -> str:
    """A class name as the name of an API: MyPredictor becomes my-predictor."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name)
    return re.sub(r"-+", "-", words).strip("-").lower()


Variables = Annotated[dict[str, str], AfterValidator(_variables)]


class SyncAPI(Value):
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

    predictor: Annotated[Any, BeforeValidator(_predictor)]
    """The class, or "module:Class"."""
    name: Annotated[str, AfterValidator(_name)] = ""
    """At most 42 lower-case letters, digits and hyphens; unset, the name of the class
    in kebab case."""
    config: dict[str, JsonValue] = {}
    """Given to the predictor's `__init__` as `config`; any JSON."""
    env: Variables = {}
    """Environment variables of the replicas; none may start with CORTEX_."""
    secrets: Annotated[Variables, Field(repr=False)] = {}
    """Environment variables that are kept out of manifest, logs and state."""
    requirements: str | tuple[str, ...] | None = None
    """Packages that the predictor needs: a list as pip takes it, or the path of a
    requirements file inside the project; unset, those of this interpreter."""
    project: str | None = None
    """Folder whose files go along; unset, the folder of the predictor's file, or the
    working directory of a notebook."""
    python_path: str | None = None
    """Folder inside the project that is put first on the import path."""
    log_level: LogLevel = "info"
    """Least level that is logged: debug, info, warning or error."""
    processes_per_replica: Annotated[int, Field(ge=1, le=100)] = 1
    """Processes in a replica, each with a predictor of its own, from 1 to 100."""
    threads_per_process: Annotated[int, Field(ge=1)] = 1
    """Threads that run a predictor which is not async, at least 1."""
    timeout: Annotated[Seconds, Field(gt=0)] = 600.0
    """Seconds that a request may take, waiting included; then it is answered 504."""
    idempotent: bool = False
    """Whether a request may run twice, so that one whose replica died is retried."""
    models: Models | None = None
    """Models that the predictor asks for by name."""
    batching: Batching | None = None
    """Several requests in one call; unset, one by one."""
    post_predict: tuple[Any, ...] = ()
    """Functions that run after the response, besides the predictor's own method."""
    monitoring: Monitoring | None = None
    """Which predictions are counted; unset, none."""
    auth: ApiKeys | None = None
    """Who may call; unset, everybody who reaches the endpoint."""
    networking: Networking = Networking()
    """Where the API is reached."""
    compute: Compute = Compute()
    """What one replica asks for."""
    autoscaling: Autoscaling = Autoscaling()
    """How many replicas there are."""
    update_strategy: UpdateStrategy = UpdateStrategy()
    """How old replicas give way to new ones."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: object, **fields: object) -> None:
            if len(args) > 1:
                msg = "SyncAPI takes one positional argument, the predictor"
                raise TypeError(msg)
            if args:
                fields = {"predictor": args[0], **fields}
            if not fields.get("name") and "predictor" in fields:
                fields = {**fields, "name": _default_name(fields["predictor"])}
            super().__init__(**fields)
    else:

        def __init__(self, predictor: Any, **fields: Any) -> None: ...

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

    @property
    def endpoint(self) -> str:
        """Path of the API, such as "/iris"."""
        return self.networking.endpoint or f"/{self.name}"

    def deploy(
        self,
        target: "str | Target | None" = None,
        *,
        progress: "Progress | None" = None,
    ) -> "Deployment":
        """Bring the API into the declared state and wait until it serves.

        Called again without a change it does nothing. While a new revision starts,
        the old one serves; when the new one does not come up, it goes on serving.

        Args:
            target: Where: "local", or a target object; unset, `$CORTEX_TARGET`, else
                "local".
            progress: Called with a short line as work moves on; unset, lines are
                printed where somebody watches.

        Raises:
            InvalidSpecError: The project cannot be deployed; nothing was touched.
            UnsupportedError: The target cannot honour a setting; nothing was touched.
            TargetError: The target cannot be used.
            DeployError: The new revision did not come up.
        """
        if _loading.is_loading():
            return _loading.Inert("deploy")  # type: ignore[return-value]  # refuses use
        from cortex_sdk import _verbs  # noqa: PLC0415  # loads what a target needs

        return _verbs.deploy(self, target, progress)

    def deployment(self, target: "str | Target | None" = None) -> "Deployment":
        """The API as it is on a target; raises NotFoundError where it is not."""
        if _loading.is_loading():
            return _loading.Inert("deployment")  # type: ignore[return-value]  # same
        from cortex_sdk import _verbs  # noqa: PLC0415  # loads what a target needs

        return _verbs.find(self.name, target)

    def status(self, target: "str | Target | None" = None) -> "Status":
        """How the API is doing on a target."""
        return self.deployment(target).status()

    def predict(self, payload: Any = None, *, target: "str | Target | None" = None) -> Any:  # noqa: ANN401, E501  # user's data
        """Send one prediction; see Deployment.predict."""
        return self.deployment(target).predict(payload)

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

    def delete(self, target: "str | Target | None" = None) -> None:
        """End the API on a target; accepted requests are answered first."""
        self.deployment(target).delete()


def _default_name(predictor: object) -> str:
    if isinstance(predictor, str):
        return kebab(Path(predictor.rpartition(":")[2]).name)
    return kebab(getattr(predictor, "__name__", ""))
