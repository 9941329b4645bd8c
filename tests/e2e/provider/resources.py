"""What the engine asks for resources, put to the API server; nothing decided here."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from e2e.provider import checkpoint, differences, objects
from e2e.provider.apiserver import ApiError, ApiServer, NoKindError
from e2e.provider.awaiting import Awaiting, Tell, UnreadyError, timeout_of
from e2e.provider.dry_runs import DryRuns
from e2e.provider.settings import Settings
from e2e.provider.wire import Object, has_unknown, plain
from pulumi.runtime.proto.provider_pb2 import PropertyDiff

_RETRIES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between attempts to create
_STOPS_AT_ONCE: Final = {
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("v1", "Namespace"),
    ("v1", "Pod"),
}
"""Kinds whose deletion `pulumi.com/skipAwait` does not wait for."""


class PartialError(Exception):
    """An operation that left an object behind, but not as it should be."""

    def __init__(
        self, error: Exception, item: str, state: Object, inputs: Object | None = None
    ) -> None:
        super().__init__(str(error))
        self.identity = item
        self.state = state
        self.inputs = inputs
        self.reasons = [str(error), *getattr(error, "problems", ())]


@dataclass(frozen=True)
class Difference:
    """What an update would change, path by path."""

    kinds: dict[str, PropertyDiff.Kind.ValueType]
    replaces: list[str]
    delete_first: bool


class Resources:
    """The resources of one API server, under the settings of a provider."""

    def __init__(self, server: ApiServer, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._awaiting = Awaiting(server)
        self.dry_runs = DryRuns(server)

    def cancel(self) -> None:
        """End every wait."""
        self._awaiting.cancelled.set()

    def diff(self, state: Object, item: Object, ignored: Iterable[str]) -> Difference:
        """Compare an object as the engine last saw it with what it shall be."""
        old = checkpoint.read(state)
        live = objects.prune(old.live, objects.encoded(old.inputs))
        new = self.dry_runs.as_served(objects.encoded(item), old.manager)
        live, new = self.dry_runs.canonical(live), self.dry_runs.canonical(new)
        fixed = differences.replaced_for(
            new,
            mutable_config_maps=self._settings.mutable_config_maps,
            mutable_secrets=self._settings.mutable_secrets,
        )
        kinds = {
            differences.written(path): differences.replacing(kind, path, new, fixed)
            for path, kind in differences.between(live, new).items()
            if not differences.is_ignored(path, ignored)
        }
        replaces = [path for path, kind in kinds.items() if differences.is_new(kind)]
        keeps_name = objects.identity(live) == objects.identity(new)
        fixed_name = not objects.is_set(new, objects.AUTONAMED)
        return Difference(kinds, replaces, bool(replaces) and keeps_name and fixed_name)

    def create(
        self, marked: Object, timeout: float, tell: Tell, *, preview: bool
    ) -> tuple[str, Object]:
        """Create an object and wait for it; its identity and its state.

        Raises:
            PartialError: It is there, but not ready.
            ApiError: The API server did not take it.
        """
        item = plain(marked)
        if preview and (has_unknown(item) or not self.dry_runs.is_known(item)):
            return "", marked
        manager = _manager(item)
        try:
            live = (self._preview if preview else self._create)(item, manager)
        except ApiError as error:
            if preview and (error.code in {403, 409} or error.is_namespace_missing):
                return "", marked
            raise
        if preview:
            live.pop("status", None)
            return "", checkpoint.write(item, live, marked, manager)
        return self._finish(item, live, marked, manager, timeout, tell)

    def read(
        self, token: str, identity: str, known: Object, state: Object
    ) -> tuple[Object, Object]:
        """The state and the inputs of an object as it is now.

        Raises:
            PartialError: It is there, but not ready.
            ApiError, NoKindError: It is not there, or cannot be read.
        """
        old = checkpoint.read(state)
        inputs = objects.typed(objects.encoded(plain(known)), token)
        live = self._server.get(objects.identified(inputs, identity))
        now = objects.prune(live, inputs) if known else objects.importable(live)
        manager = old.manager or _manager(now)
        found = checkpoint.write(now, live, known, manager)
        seen = checkpoint.secretly(now, known)
        try:
            if known:
                self._awaiting.glance(live)
        except UnreadyError as error:
            raise PartialError(error, identity, found, seen) from error
        return found, seen

    def update(
        self,
        state: Object,
        marked: Object,
        timeout: float,
        tell: Tell,
        *,
        preview: bool,
    ) -> Object:
        """Update an object and wait for it; its state.

        Raises:
            PartialError: It is as it was, or not ready.
            ApiError: The API server has no such object any more.
        """
        item = plain(marked)
        if preview and (has_unknown(item) or not self.dry_runs.is_known(item)):
            return marked
        manager = objects.annotation(item, "pulumi.com/patchFieldManager") or (
            checkpoint.read(state).manager
        )
        before = self._server.get(item)
        try:
            live = self._server.apply(
                item, manager, force=self._forces(item), dry_run=preview
            )
        except ApiError as error:
            if preview:
                raise
            kept = checkpoint.write(item, before, marked, manager)
            raise PartialError(error, objects.identity(before), kept) from error
        if preview:
            return checkpoint.write(item, live, marked, manager)
        return self._finish(item, live, marked, manager, timeout, tell)[1]

    def delete(self, state: Object, timeout: float, tell: Tell) -> None:
        """Delete an object and wait until it is gone.

        Raises:
            PartialError: It does not go.
            ApiError: The API server does not let it go.
        """
        old = checkpoint.read(state)
        policy = objects.annotation(
            old.inputs, "pulumi.com/deletionPropagationPolicy"
        ).capitalize()
        kept = policy if policy in {"Orphan", "Background"} else "Foreground"
        try:
            self._server.delete(old.live, kept)
            key = (old.live["apiVersion"], old.live["kind"])
            if key in _STOPS_AT_ONCE and objects.is_set(
                old.inputs, "pulumi.com/skipAwait"
            ):
                return
            self._awaiting.gone(old.live, timeout_of(old.inputs, timeout), tell)
        except NoKindError:
            return
        except ApiError as error:
            if error.code != 404:
                raise
        except UnreadyError as error:
            raise PartialError(error, objects.identity(old.live), state) from error

    def _finish(
        self,
        item: Object,
        live: Object,
        marked: Object,
        manager: str,
        timeout: float,
        tell: Tell,
    ) -> tuple[str, Object]:
        if item["kind"] == "CustomResourceDefinition":
            self._server.forget()
        identity = objects.identity(live)
        try:
            live = self._awaiting.ready(item, live, timeout_of(item, timeout), tell)
        except UnreadyError as error:
            kept = checkpoint.write(item, error.live, marked, manager)
            raise PartialError(error, identity, kept) from error
        return identity, checkpoint.write(item, live, marked, manager)

    def _create(self, item: Object, manager: str) -> Object:
        return self._retried(
            lambda: self._apply_new(item, manager, force=self._forces(item))
        )

    def _preview(self, item: Object, manager: str) -> Object:
        return self.dry_runs.tried(
            item,
            lambda one: self._apply_new(one, manager, force=True, dry_run=True),
        )

    def _apply_new(
        self, item: Object, manager: str, *, force: bool, dry_run: bool = False
    ) -> Object:
        if not self._settings.upsert:
            self._server.refuse_existing(item)
        return self._server.apply(item, manager, force=force, dry_run=dry_run)

    def _retried(self, attempt: Callable[[], Object]) -> Object:
        """Try again while a namespace or a kind is still to come."""
        for pause in _RETRIES:
            try:
                return attempt()
            except NoKindError:
                pass
            except ApiError as error:
                if error.code != 404:
                    raise
            self._awaiting.cancelled.wait(pause)
        return attempt()

    def _forces(self, item: Object) -> bool:
        return self._settings.patch_force or objects.is_set(
            item, "pulumi.com/patchForce"
        )


def _manager(item: Object) -> str:
    """The name under which the fields of a new object are ours."""
    chosen = objects.annotation(item, "pulumi.com/patchFieldManager")
    return chosen or f"pulumi-kubernetes-{secrets.token_hex(4)}"
