"""Objects of a cluster as plain dicts, whatever their kind."""

from typing import Any, Protocol
from urllib.parse import quote

from cortex_sdk.kubernetes.cluster.connection import NotThereError

Json = dict[str, Any]
Objects = list[Json]

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Api(Protocol):
    """Answers requests as the API server of a cluster does, see `Connection`."""

    def request(
        self, method: str, path: str, body: object = None, **options: object
    ) -> Json:
        """The decoded answer; raises NotThereError where nothing is."""


class Access:
    """Reads, makes and deletes objects; a kind is an API version and a name.

    Every verb raises TargetError when the cluster cannot be reached or refuses.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kinds: dict[tuple[str, str], Json] = {}

    @property
    def version(self) -> str:
        """Version of Kubernetes, such as "1.36.3"."""
        found: str = self._api.request("get", "/version")["gitVersion"]
        return found.removeprefix("v")

    @property
    def uid(self) -> str:
        """What tells this cluster from all others: of its namespace kube-system."""
        found = self._api.request("get", "/api/v1/namespaces/kube-system")
        uid: str = found["metadata"]["uid"]
        return uid

    def get(
        self, version: str, kind: str, name: str, namespace: str | None = None
    ) -> Json | None:
        """One object; None where there is none, or not even its kind."""
        if (path := self._path(version, kind, namespace)) is None:
            return None
        try:
            return self._api.request("get", f"{path}/{quote(name)}")
        except NotThereError:
            return None

    def list(
        self, version: str, kind: str, namespace: str | None = None, selector: str = ""
    ) -> Objects:
        """Objects with the labels of `selector`, in all namespaces unless one is given.

        None of a kind that the cluster does not know.
        """
        if (path := self._path(version, kind, namespace)) is None:
            return []
        items = self._items(path, selector, "application/json")
        return [{**item, "apiVersion": version, "kind": kind} for item in items]

    def metadata(
        self, version: str, kind: str, namespace: str | None = None, selector: str = ""
    ) -> Objects:
        """Only `metadata` of what `list` gives: for objects that are large."""
        if (path := self._path(version, kind, namespace)) is None:
            return []
        return [item["metadata"] for item in self._items(path, selector, _METADATA)]

    def create(self, manifest: Json) -> Json:
        """Make an object, and give it back as the cluster has it."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        namespace = manifest.get("metadata", {}).get("namespace")
        if (path := self._path(version, kind, namespace)) is None:
            msg = f"the cluster does not know {kind} of {version}"
            raise NotThereError(msg)
        return self._api.request("post", path, manifest)

    def merge(
        self, version: str, kind: str, name: str, namespace: str | None, patch: Json
    ) -> None:
        """Change fields of an object; raises NotThereError where there is none."""
        if (path := self._path(version, kind, namespace)) is None:
            msg = f"the cluster does not know {kind} of {version}"
            raise NotThereError(msg)
        options = {"content_type": "application/merge-patch+json"}
        self._api.request("patch", f"{path}/{quote(name)}", patch, **options)

    def delete(
        self, version: str, kind: str, name: str, namespace: str | None = None
    ) -> None:
        """Delete an object if it is there; it goes when its finalizers let it."""
        if (path := self._path(version, kind, namespace)) is None:
            return
        try:
            self._api.request("delete", f"{path}/{quote(name)}")
        except NotThereError:
            return

    def may(
        self, verb: str, version: str, kind: str, namespace: str | None = None
    ) -> bool:
        """Whether the user may do that; yes for a kind that is not there yet."""
        if (resource := self._resource(version, kind)) is None:
            return True
        group = version.rpartition("/")[0]
        asked = {"verb": verb, "group": group, "resource": resource["name"]}
        if resource["namespaced"] and namespace:
            asked["namespace"] = namespace
        answer = self.create(
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": asked},
            }
        )
        return bool(answer["status"]["allowed"])

    def _items(self, path: str, selector: str, accepted: str) -> Objects:
        options: Json = {"header_params": {"Accept": accepted}}
        if selector:
            options["label_selector"] = selector
        try:
            found = self._api.request("get", path, **options)
        except NotThereError:
            return []
        items: Objects = found["items"] or []  # null for no metadata
        return items

    def _path(self, version: str, kind: str, namespace: str | None) -> str | None:
        if (resource := self._resource(version, kind)) is None:
            return None
        within = f"/namespaces/{quote(namespace)}" if namespace else ""
        if not resource["namespaced"]:
            within = ""
        return f"{_root(version)}{within}/{resource['name']}"

    def _resource(self, version: str, kind: str) -> Json | None:
        """What the cluster says about a kind; only a yes is remembered."""
        if (version, kind) not in self._kinds:
            try:
                listed = self._api.request("get", _root(version))["resources"]
            except NotThereError:
                return None
            for resource in listed:
                if "/" not in resource["name"]:
                    self._kinds[version, resource["kind"]] = resource
        return self._kinds.get((version, kind))


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
