"""The API server: objects there, applied, read and deleted over plain HTTP."""

import json
import ssl
import threading
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from e2e.provider import settings as provider_settings
from e2e.provider.objects import name_of, namespace_of
from e2e.provider.wire import Object
from kubernetes import client, config

_APPLY = {"Content-Type": "application/apply-patch+yaml"}


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

    def __init__(self, settings: provider_settings.Settings) -> None:
        self._settings = client.Configuration()
        self.namespace = settings.namespace or _load(settings, self._settings)
        self._http = httpx.Client(
            base_url=self._settings.host, verify=_tls(self._settings), timeout=60
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
            httpx.TransportError: Nobody is there.
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
        # Read each time: credentials of a kubeconfig may be short-lived.
        auth = {
            one["key"]: one["value"] for one in self._settings.auth_settings().values()
        }
        answer = self._http.request(
            method,
            path,
            params=query,
            content=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json"} | auth | (headers or {}),
        )
        if answer.is_success:
            found: Object = answer.json()
            return found
        raise _error(answer)


def _load(settings: provider_settings.Settings, into: client.Configuration) -> str:
    """Load the kubeconfig; the namespace of its context."""
    context = settings.context or None
    if not settings.kubeconfig:
        config.load_kube_config(context=context, client_configuration=into)
        return _namespace(config.list_kube_config_contexts(), context)
    found, path = provider_settings.kubeconfig(settings.kubeconfig)
    if path:
        config.load_kube_config(str(path), context, into)
    else:
        config.load_kube_config_from_dict(found, context, into)
    contexts = found.get("contexts") or []
    name = context or found.get("current-context")
    active = next((one for one in contexts if one["name"] == name), None)
    return _namespace((contexts, active), context)


def _namespace(known: tuple[Any, Any], context: str | None) -> str:
    contexts, active = known
    chosen = next((one for one in contexts if one["name"] == context), active)
    return str(((chosen or {}).get("context") or {}).get("namespace") or "default")


def _tls(settings: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if not settings.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


def _error(answer: httpx.Response) -> ApiError:
    try:
        status = answer.json()
    except ValueError:
        status = {}
    message = status.get("message") or answer.text or answer.reason_phrase
    kind = (status.get("details") or {}).get("kind", "")
    return ApiError(answer.status_code, status.get("reason", ""), message, kind)
