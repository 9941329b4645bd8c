"""What the API server would make of an object, without keeping it."""

import secrets
from collections.abc import Callable
from typing import Final

from e2e.provider import objects
from e2e.provider.apiserver import ApiError, ApiServer, NoKindError
from e2e.provider.wire import Object, has_unknown

_CHECKER: Final = "pulumi-kubernetes-check"


class DryRuns:
    """Questions to one API server that change nothing."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def place(self, item: Object) -> Object:
        """The object in the default namespace, when it is of a kind that has one."""
        if objects.namespace_of(item) or not self._is_namespaced(item):
            return item
        return objects.placed(item, self._server.namespace)

    def validate(self, item: Object) -> str:
        """What the API server has against an object, empty when nothing.

        What only hangs on others (a namespace to come, a kind to come, a field of
        somebody else) is not the object's fault.
        """
        try:
            self._apply(item, _CHECKER)
        except NoKindError:
            return ""
        except ApiError as error:
            return "" if error.code in {403, 404, 409} else str(error)
        return ""

    def tried(self, item: Object, attempt: Callable[[Object], Object]) -> Object:
        """A dry run of an object; a replacement is tried beside what it replaces."""
        try:
            return attempt(item)
        except ApiError as error:
            if not error.is_immutable:
                raise
            name = objects.name_of(item)
            beside = f"{name}-{secrets.token_hex(3)}"
            done = attempt(objects.renamed(item, beside))
            return objects.renamed(done, name)

    def as_served(self, item: Object, manager: str) -> Object:
        """The object in the API server's own notation (quantities, defaults)."""
        if has_unknown(item) or not objects.is_built_in(item):
            return item
        try:
            served = self._apply(item, manager)
        except (ApiError, NoKindError):
            return item
        pruned: Object = objects.prune(served, item)
        return pruned

    def _apply(self, item: Object, manager: str) -> Object:
        return self.tried(
            item,
            lambda one: self._server.apply(one, manager, force=True, dry_run=True),
        )

    def canonical(self, item: Object) -> Object:
        """The object in its namespace, or in none when it can have none."""
        if not isinstance(item.get("metadata"), dict):
            return item
        if not self._is_namespaced(item):
            return objects.placed(item, "")
        return self.place(item)

    def is_known(self, item: Object) -> bool:
        """Whether the API server has the kind."""
        try:
            self._server.kind(item["apiVersion"], item["kind"])
        except NoKindError:
            return False
        return True

    def _is_namespaced(self, item: Object) -> bool:
        try:
            return self._server.kind(item["apiVersion"], item["kind"]).is_namespaced
        except NoKindError:
            return bool(objects.namespace_of(item))
