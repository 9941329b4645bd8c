"""Where a traffic splitter sends its requests, in words that every target uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from cortex_sdk.errors import DeployError, UnsupportedError

if TYPE_CHECKING:
    from cortex_sdk._target import State, Status


class _Rule(Protocol):
    @property
    def header(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def api(self) -> str: ...


class _Sticky(Protocol):
    @property
    def cookie(self) -> str | None: ...
    @property
    def header(self) -> str | None: ...
    @property
    def lifetime(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """How a splitter shares its requests out."""

    apis: Mapping[str, int]
    """Percentage of the requests for each API."""
    shadow: Mapping[str, int] = field(default_factory=dict)
    """Percentage of the requests that each API gets a copy of."""
    rules: tuple[str, ...] = ()
    """What goes to one API in any case, such as "x-variant: b to iris-b"."""
    sticky: str = ""
    """What keeps a caller with one API, such as "header x-user-id"; "" for nothing."""

    @classmethod
    def of(
        cls,
        apis: Mapping[str, int],
        shadow: Mapping[str, int],
        rules: Iterable[_Rule],
        sticky: _Sticky | None,
    ) -> Self:
        """What a declaration, or what a target remembers of it, says."""
        said = tuple(f"{rule.header}: {rule.value} to {rule.api}" for rule in rules)
        return cls(dict(apis), dict(shadow), said, _sticky(sticky))

    def rows(self) -> dict[str, str]:
        """All of it, a word for each kind; what is not there is none."""
        return {
            "traffic": _shares(self.apis),
            "copies": _shares(self.shadow) or "none",
            "rules": " · ".join(self.rules) or "none",
            "sticky": self.sticky or "none",
        }

    def __str__(self) -> str:
        """The shares, on one line."""
        copies = [f"copies of {_shares({k: v})}" for k, v in self.shadow.items()]
        return " · ".join([_shares(self.apis), *copies])


def condition_of(
    apis: Iterable[str], statuses: "Mapping[str, Status]"
) -> "tuple[State, str]":
    """How a splitter is doing, and why: as well as the APIs that it leads to."""
    worst: tuple[State, str] = "live", ""
    for name in apis:
        api = statuses.get(name)
        if api is None:
            return "error", f"there is no API {name!r}"
        if api.status not in {"live", worst[0]}:
            worst = api.status, f"{name} is {api.status}: {api.reason}".rstrip(": ")
        if api.status == "error":
            break
    return worst


def has_no(verb: str, name: str, apis: Iterable[str]) -> UnsupportedError:
    """What a verb that only APIs have says about a splitter."""
    which = " or ".join(apis)
    return UnsupportedError(
        f"{name!r} is a traffic splitter and has no {verb} of its own; ask {which}"
    )


def in_use(api: str, splitters: Iterable[str]) -> DeployError:
    """Why an API cannot be deleted."""
    which = " and ".join(map(repr, splitters))
    return DeployError(
        f"the API {api!r} gets requests from the traffic splitter {which}; take it out"
        " there, or delete the splitter first"
    )


def _shares(shares: Mapping[str, int]) -> str:
    return " · ".join(f"{share}% {name}" for name, share in shares.items())


def _sticky(sticky: _Sticky | None) -> str:
    if sticky is None:
        return ""
    if sticky.cookie is None:
        return f"header {sticky.header}"
    lasts = "" if sticky.lifetime is None else f" for {sticky.lifetime:g} s"
    return f"cookie {sticky.cookie}{lasts}"
