"""TrafficSplitter, one endpoint in front of several APIs."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.declaration.predictor import Name
from cortex_sdk.declaration.settings import Networking
from cortex_sdk.declaration.sync_api import SyncAPI
from cortex_sdk.declaration.units import Seconds
from cortex_sdk.declaration.value import Value
from cortex_sdk.errors import InvalidSpecError

WHOLE = 100
"""What the weights add up to: each is a percentage."""
_MOST = 16
"""Destinations and rules that one route of the Gateway API has at most."""
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]{0,4094}[!-~])?")


def _named(value: object) -> object:
    """The name of an API that is given itself."""
    return value.name if isinstance(value, SyncAPI) else value


def _named_each(value: object) -> object:
    """A dict by API with the names of the APIs as its keys."""
    if not isinstance(value, Mapping):
        return value
    names = Counter(_named(key) for key in value)
    for name, count in names.items():
        if count > 1:
            msg = f"must name each API once, but has {name!r} {count} times"
            raise ValueError(msg)
    return {_named(key): share for key, share in value.items()}


def _token(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        msg = "must be letters, digits and hyphens"
        raise ValueError(msg)
    return value


def _header_value(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        msg = "must be visible ASCII characters, without spaces around them"
        raise ValueError(msg)
    return value


ApiName = Annotated[str, BeforeValidator(_named), Name]
Percentage = Annotated[int, Field(ge=0, le=WHOLE)]
Percentages = Annotated[dict[ApiName, Percentage], BeforeValidator(_named_each)]
Token = Annotated[str, AfterValidator(_token)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]


class Rule(Value):
    """Requests with a header of exactly this value go to one API."""

    header: Token
    """Name of the request header, such as "x-variant"; case does not matter."""
    value: HeaderValue
    """What it has to be, case and all."""
    api: ApiName
    """Where such requests go: one of `apis`, which may have a weight of 0."""


class Sticky(Value):
    """A caller stays with one API: by a cookie, or by a header that tells them apart.

    With a cookie the first answer says which API gave it, and later requests go there,
    whatever the weights are by then, unless the API has a weight of 0. With a header
    its value decides: equal values go to the same API, and as few as possible move
    when weights change.
    """

    cookie: Token | None = None
    """Name of the cookie."""
    header: Token | None = None
    """Name of the request header, such as "x-user-id"; requests without it go to any
    API."""
    lifetime: Annotated[Seconds, Field(ge=1)] | None = None
    """Seconds that the cookie is kept for; unset, as long as a browser is open."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.cookie is None) == (self.header is None):
            msg = "must have either a cookie or a header"
            raise ValueError(msg)
        if self.header is not None and self.lifetime is not None:
            msg = "lifetime needs a cookie; what goes by a header does not end"
            raise ValueError(msg)
        return self


class TrafficSplitter(Deployable):
    """An endpoint that shares its requests out among APIs: a value as SyncAPI is.

    An API is given as its SyncAPI or by name; it keeps its own endpoint, and has to be
    deployed first. A change of weights restarts nothing. Every answer names the API
    that gave it in the header `x-cortex-api`.

    Raises:
        InvalidSpecError: A field is unknown, or a value breaks its rule.

    Example:
        >>> TrafficSplitter("iris", apis={"iris-a": 80, "iris-b": 20}).endpoint
        '/iris'
    """

    first_step: ClassVar[str] = "looking for its APIs"
    rank: ClassVar[int] = 1

    name: Annotated[str, Name]
    """At most 42 lower-case letters, digits and hyphens; no API has the same."""
    apis: Percentages
    """Percentage of the requests for each API; together 100. With 0 an API is reached
    by a rule alone."""
    shadow: Percentages = Field(default={})
    """Percentage of the requests that an API gets a copy of, 0 to 100; what it answers
    is thrown away."""
    rules: tuple[Rule, ...] = ()
    """Requests that go to one API whatever the weights are; the first that fits
    counts."""
    sticky: Sticky | None = None
    """How a caller stays with one API; unset, each request goes to any."""
    networking: Networking = Field(default_factory=Networking)
    """Where the splitter is reached; CORS is its APIs' own."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: object, **fields: object) -> None:
            if args:
                if len(args) > 1 or "name" in fields:
                    msg = "`TrafficSplitter` takes one value without a name, its name"
                    raise InvalidSpecError(msg)
                fields["name"] = args[0]
            super().__init__(**fields)
            self._note()
    else:

        def __init__(self, name: str, **fields: Any) -> None: ...  # noqa: ANN401  # fields as pydantic takes them

    def names(self) -> list[str]:
        """Every API that requests or copies go to."""
        return [*self.apis, *self.shadow]

    @model_validator(mode="after")
    def _weights_agree(self) -> Self:
        total = sum(self.apis.values())
        if total != WHOLE:
            msg = f"the weights in apis must add up to {WHOLE}, not {total}"
            raise ValueError(msg)
        if self.name in self.names():
            msg = f"it cannot have the name of its API {self.name!r}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shadows_are_others(self) -> Self:
        for name in self.shadow:
            if name in self.apis:
                msg = (
                    f"{name!r} is in apis and in shadow, and would get some requests"
                    " twice; leave it out of one"
                )
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _rules_lead_somewhere(self) -> Self:
        for rule in self.rules:
            if rule.api not in self.apis:
                msg = _no_such_api(rule.api, self.apis)
                raise ValueError(msg)
        matches = Counter((rule.header.lower(), rule.value) for rule in self.rules)
        for (header, value), count in matches.items():
            if count > 1:
                msg = f"{count} rules are for {header}: {value}; only one can count"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_into_a_route(self) -> Self:
        by_cookie = len(self.apis) if self.sticky and self.sticky.cookie else 0
        rules = len(self.rules) + by_cookie + 1
        for count, what in ((len(self.names()), "APIs"), (rules, "rules")):
            if count > _MOST:
                msg = f"it needs {count} {what}, and a route has at most {_MOST}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _apis_answer_browsers(self) -> Self:
        if self.networking.cors is not None:
            msg = "networking.cors is for its APIs to have, not for a splitter"
            raise ValueError(msg)
        return self


def _no_such_api(name: str, names: Iterable[str]) -> str:
    """A rule leads to what is none of the APIs."""
    names = list(names)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"they are {', '.join(names)}"
    return f"a rule leads to {name!r}, which is none of its apis; {hint}"
