"""The API server: objects there, applied, read and deleted over plain HTTP."""

import json
import threading
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import urllib3
from e2e.provider.kubeconfig import Access
from e2e.provider.objects import name_of, namespace_of
from e2e.provider.wire import Object

_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_CONNECTIONS = 128
# A connection that was idle may be gone; what was sent is never sent twice.
_RETRIES = urllib3.Retry(connect=1, read=0, redirect=0, status=0, other=0)


class ApiError(Exception):
    """What the API server answered instead of an object, in its own words."""

    def __init__(self, code: int, reason: str, message: str, kind: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.is_namespace_missing = code == 404 and kind == "namespaces"

    @property
    def is_immutable(self) -> bool:
        """Whether the object is fine, but not as a change of the one there."""
        return self.code == 422 and "immutable" in str(self)


class NoKindError(Exception):
    """The API server has no such kind (yet)."""


@dataclass(frozen=True)
class Kind:
    """A kind of object, as the API server's discovery tells it."""

    base: str  # "/api/v1" or "/apis/<group>/<version>"
    plural: str
    is_namespaced: bool


class ApiServer:
    """One API server, reached the way a kubeconfig says; safe to use from threads."""

    def __init__(self, access: Access) -> None:
        self.namespace = access.namespace
        self._access = access
        self._http = urllib3.PoolManager(
            maxsize=_CONNECTIONS, ssl_context=access.tls, retries=_RETRIES
        )
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._lock = threading.Lock()

    def kind(self, version: str, kind: str) -> Kind:
        """Look a kind up, in discovery when it was not met before.

        Raises:
            NoKindError: There is none.
        """
        with self._lock:
            if (version, kind) not in self._kinds:
                self._discover(version)
            if (version, kind) not in self._kinds:
                raise NoKindError(f'no matches for kind "{kind}" in "{version}"')
            return self._kinds[version, kind]

    def forget(self) -> None:
        """Ask discovery again: a definition of kinds came or went."""
        with self._lock:
            self._kinds.clear()

    def reach(self) -> None:
        """Ask for the version, which every API server tells.

        Raises:
            urllib3.exceptions.HTTPError: Nobody is there.
            ApiError: Somebody is, but does not let us in.
        """
        self._ask("GET", "/version")

    def get(self, item: Object) -> Object:
        """The live form of an object."""
        return self._ask("GET", self._path(item))

    def list(self, version: str, kind: str, namespace: str) -> list[Object]:
        """The objects of a kind in a namespace."""
        path = self._collection(self.kind(version, kind), namespace)
        items: list[Object] = self._ask("GET", path)["items"]
        return items

    def apply(
        self,
        item: Object,
        manager: str,
        *,
        force: bool,
        dry_run: bool = False,
        validation: Literal["Strict", "Warn"] = "Strict",
    ) -> Object:
        """Server-side apply."""
        query = {
            "fieldManager": manager,
            "force": str(force).lower(),
            "fieldValidation": validation,
        }
        asked = query | ({"dryRun": "All"} if dry_run else {})
        return self._ask("PATCH", self._path(item), asked, item, _APPLY)

    def refuse_existing(self, item: Object) -> None:
        """Have the API server refuse an object that it has already.

        Raises:
            ApiError: It has it, or would not take it for another reason.
        """
        path = self._path(item).rpartition("/")[0]
        self._ask("POST", path, {"dryRun": "All"}, item)

    def delete(self, item: Object, propagation: str) -> None:
        """Ask for the end of an object; it may take its time."""
        self._ask("DELETE", self._path(item), {"propagationPolicy": propagation})

    def _path(self, item: Object) -> str:
        kind = self.kind(item["apiVersion"], item["kind"])
        return f"{self._collection(kind, namespace_of(item))}/{name_of(item)}"

    def _collection(self, kind: Kind, namespace: str) -> str:
        place = namespace or self.namespace
        return (
            f"{kind.base}/namespaces/{place}/{kind.plural}"
            if (kind.is_namespaced)
            else f"{kind.base}/{kind.plural}"
        )

    def _discover(self, version: str) -> None:
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            resources = self._ask("GET", base)["resources"]
        except ApiError as error:
            if error.code == 404:
                return
            raise
        for one in resources:
            if "/" not in one["name"]:
                kind = Kind(base, one["name"], one["namespaced"])
                self._kinds[version, one["kind"]] = kind

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        headers: dict[str, str] | None = None,
    ) -> Object:
        asked = f"?{urlencode(query)}" if query else ""
        answer = self._http.request(
            method,
            f"{self._access.server}{path}{asked}",
            body=None if body is None else json.dumps(body),
            headers={
                "Content-Type": "application/json",
                **self._access.headers,
                **(headers or {}),
            },
        )
        if answer.status < 300:
            found: Object = answer.json()
            return found
        raise _error(answer)


def _error(answer: urllib3.BaseHTTPResponse) -> ApiError:
    try:
        status = answer.json()
    except ValueError:
        status = {}
    message = status.get("message") or answer.data.decode() or str(answer.reason)
    kind = (status.get("details") or {}).get("kind", "")
    return ApiError(answer.status, status.get("reason", ""), message, kind)
