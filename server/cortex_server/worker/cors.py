"""Which pages of other origins may read answers, as the fetch standard has it."""

import re
from collections.abc import Mapping

from cortex_server.manifest import Cors

_NAMES = re.compile(r"[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*", re.ASCII)
_ASKED_METHOD = "access-control-request-method"
_ASKED_HEADERS = "access-control-request-headers"
_PREFLIGHT_VARIES = f"origin, {_ASKED_METHOD}, {_ASKED_HEADERS}"

Fields = dict[str, str]


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks what a page may do, rather than a page something."""
    return method == "OPTIONS" and "origin" in headers and _ASKED_METHOD in headers


class Origins:
    """The header fields that let pages of other origins call an API."""

    def __init__(self, cors: Cors) -> None:
        self._all = "*" in cors.allow_origins
        self._origins = {_plain(origin) for origin in cors.allow_origins}
        self._may_set_all = "*" in cors.allow_headers
        self._credentials = cors.allow_credentials
        self._headers = ", ".join(cors.allow_headers)
        self._exposed = ", ".join(cors.expose_headers)
        self._methods = ", ".join(cors.allow_methods)
        self._max_age = f"{cors.max_age:.0f}"

    def preflight(self, headers: Mapping[str, str]) -> Fields:
        """Fields of the answer to a preflight request; they allow strangers nothing."""
        varies = {"vary": _PREFLIGHT_VARIES}
        allowed = self._allowed(headers.get("origin"))
        if not allowed:
            return varies
        may = {
            "access-control-allow-methods": self._methods,
            "access-control-allow-headers": self._settable(headers),
            "access-control-max-age": self._max_age,
        }
        return {
            **varies,
            **allowed,
            **{name: what for name, what in may.items() if what},
        }

    def answer(self, headers: Mapping[str, str]) -> Fields:
        """Fields of any other answer, an error too."""
        allowed = self._allowed(headers.get("origin"))
        if allowed and self._exposed:
            allowed["access-control-expose-headers"] = self._exposed
        return allowed if self._all else {"vary": "origin", **allowed}

    def _allowed(self, origin: str | None) -> Fields:
        if origin is None or not (self._all or _plain(origin) in self._origins):
            return {}
        fields = {"access-control-allow-origin": "*" if self._all else origin}
        if self._credentials:
            fields["access-control-allow-credentials"] = "true"
        return fields

    def _settable(self, headers: Mapping[str, str]) -> str:
        """The fields asked for where all may be set: "*" would not stand for keys."""
        asked = headers.get(_ASKED_HEADERS, "")
        if self._may_set_all:
            return asked if _NAMES.fullmatch(asked) else "*"
        return self._headers


def _plain(origin: str) -> str:
    return origin.lower().rstrip("/")
