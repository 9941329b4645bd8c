"""What runs after a response, and how."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from cortex_sdk.declaration.units import Seconds
from cortex_sdk.declaration.value import ByName, Value
from cortex_sdk.errors import InvalidSpecError
from cortex_server.interface import InterfaceError, hook_of
from cortex_server.manifest import WhenFull


def _functions(value: object) -> tuple[object, ...]:
    functions = tuple(value) if isinstance(value, list | tuple) else (value,)
    for function in functions:
        try:
            hook_of(function)
        except InterfaceError as error:
            raise ValueError(str(error)) from None
    return functions


def _options(value: object) -> object:
    """Functions alone stand for PostPredict with them."""
    if isinstance(value, PostPredict | Mapping):
        return value
    return {"hooks": value}


class PostPredict(Value):
    """Functions that run after the response, and how they and the predictor's own do.

    Example:
        >>> def record(response):
        ...     print(response)
        >>> PostPredict(record, workers=8, retries=3).queue
        1000
    """

    hooks: Annotated[tuple[Any, ...], BeforeValidator(_functions)] = ()
    """Functions that run besides the predictor's method `post_predict`; `async` or
    not, taking the same arguments by name."""
    workers: Annotated[int, Field(ge=1, le=1000)] = 4
    """Most that run at a time, in each process."""
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Most that wait for a worker, in each process."""
    when_full: WhenFull = "drop_new"
    """What gives way when as many wait: the new one, the one that waits longest, or
    none: then the request keeps its place until its hooks are queued, and callers
    feel it as 503."""
    timeout: Annotated[Seconds, Field(gt=0)] = 30.0
    """Seconds that one may take; then it has failed, and is not tried again."""
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    """How often one that raised is tried again, after a pause that doubles from a
    quarter of a second to 30 seconds."""
    drain: Annotated[Seconds, Field(ge=0)] = 30.0
    """Seconds that those accepted get to finish when a replica is told to end."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: object, **fields: object) -> None:
            if args:
                if len(args) > 1 or "hooks" in fields:
                    msg = (
                        "`PostPredict` takes one value without a name, a function or a"
                        " list of functions"
                    )
                    raise InvalidSpecError(msg)
                fields["hooks"] = args[0]
            super().__init__(**fields)
    else:

        def __init__(self, hooks: object = (), **fields: object) -> None: ...

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What a repr shows, functions by their names."""
        for name, value in super().__repr_args__():
            yield name, [ByName(each) for each in value] if name == "hooks" else value


Options = BeforeValidator(_options)
