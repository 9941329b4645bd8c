"""A stand-in for the API server of a cluster: it keeps objects, and obeys nothing."""

from dataclasses import dataclass, field
from typing import Any

from cortex_sdk.kubernetes.cluster.access import Access, Json
from cortex_sdk.kubernetes.cluster.connection import NotThereError

_BUILT_IN = {
    ("v1", "Namespace"): ("namespaces", False),
    ("v1", "Service"): ("services", True),
    ("apps/v1", "Deployment"): ("deployments", True),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): (
        "customresourcedefinitions",
        False,
    ),
    ("apiregistration.k8s.io/v1", "APIService"): ("apiservices", False),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): (
        "selfsubjectaccessreviews",
        False,
    ),
}


@dataclass
class FakeCluster:
    """Objects by path; kinds besides the few built-in ones are to be made known."""

    version: str = "1.36.3"
    denied: set[str] = field(default_factory=set)
    """Resources that the user may do nothing with."""
    requests: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kinds = dict(_BUILT_IN)
        self._objects: dict[str, Json] = {}
        self.add("v1", "Namespace", "kube-system", uid="0123456789abcdef")

    @property
    def access(self) -> Access:
        return Access(self)

    def know(self, version: str, kind: str, plural: str, *, namespaced: bool) -> None:
        """What a CRD does."""
        self._kinds[version, kind] = (plural, namespaced)

    def add(
        self,
        version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        **fields: Any,
    ) -> None:
        """Keep an object; `labels`, `annotations`, `uid` go into its metadata."""
        metadata: Json = {"name": name}
        if namespace:
            metadata["namespace"] = namespace
        for key in ("labels", "annotations", "uid"):
            if key in fields:
                metadata[key] = fields.pop(key)
        path = f"{self._folder(version, kind, namespace)}/{name}"
        self._objects[path] = {"metadata": metadata, **fields}

    def has(self, version: str, kind: str, name: str, namespace: str | None) -> bool:
        return f"{self._folder(version, kind, namespace)}/{name}" in self._objects

    def request(
        self, method: str, path: str, body: object = None, **options: Any
    ) -> Json:
        self.requests.append((method, path))
        if path == "/version":
            return {"gitVersion": f"v{self.version}"}
        if method == "post":
            return self._post(path, body)
        if method == "delete":
            return self._found(path, self._objects.pop(path, None))
        if path.count("/") <= 3 and (listed := self._discovered(path)):
            return listed
        if path.rpartition("/")[2] in {plural for plural, _ in self._kinds.values()}:
            items = self._listed(path, options.get("label_selector", ""))
            return {"items": items or None}  # as for metadata alone
        return self._found(path, self._objects.get(path))

    def _post(self, path: str, body: Any) -> Json:
        if path.endswith("selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]["resource"]
            return {"status": {"allowed": asked not in self.denied}}
        metadata = body["metadata"]
        self._objects[f"{path}/{metadata['name']}"] = body
        return {**body}

    def _discovered(self, path: str) -> Json | None:
        resources = [
            {"name": plural, "kind": kind, "namespaced": namespaced}
            for (version, kind), (plural, namespaced) in self._kinds.items()
            if path == _root(version)
        ]
        return {"resources": resources} if resources else None

    def _listed(self, path: str, selector: str) -> list[Json]:
        root, _, plural = path.rpartition("/")
        return [
            each
            for place, each in self._objects.items()
            if place.startswith(root) and place.split("/")[-2] == plural
            if _selects(selector, each["metadata"].get("labels") or {})
        ]

    def _folder(self, version: str, kind: str, namespace: str | None) -> str:
        plural, namespaced = self._kinds[version, kind]
        within = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{_root(version)}{within}/{plural}"

    def _found(self, path: str, found: Json | None) -> Json:
        if found is None:
            msg = f"{path} not found"
            raise NotThereError(msg)
        return found


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _selects(selector: str, labels: dict[str, str]) -> bool:
    for term in filter(None, selector.split(",")):
        key, unequal, value = term.partition("!=")
        if unequal:
            if labels.get(key) == value:
                return False
            continue
        key, _, value = term.partition("=")
        if labels.get(key) != value:
            return False
    return True
