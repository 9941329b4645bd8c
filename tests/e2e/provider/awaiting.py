"""Waiting for objects to be ready, and to be gone, as the real provider does."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from e2e.provider import readiness, wait_for
from e2e.provider.apiserver import ApiError, ApiServer
from e2e.provider.objects import annotation, is_set, name_of, namespace_of, nested
from e2e.provider.readiness import Readiness
from e2e.provider.wire import Object

DEFAULT_TIMEOUT: Final = 600.0
_SETTLE: Final = 10.0  # how long a Service's endpoints must have stayed the same
_PERIOD: Final = 0.5
_SIMPLE: Final[dict[tuple[str, str], Callable[[Object], Readiness]]] = {
    ("apps/v1", "DaemonSet"): readiness.daemon_set,
    ("apps/v1", "StatefulSet"): readiness.stateful_set,
    ("batch/v1", "Job"): readiness.job,
    ("v1", "Pod"): readiness.pod,
}
_READ: Final = {*_SIMPLE, ("apps/v1", "Deployment"), ("v1", "Service")}
Tell = Callable[[Readiness], None]


class UnreadyError(Exception):
    """An object is there, but did not become what it should."""

    def __init__(self, message: str, live: Object, problems: tuple[str, ...]) -> None:
        super().__init__(message)
        self.live = live
        self.problems = problems


def timeout_of(item: Object, custom: float) -> float:
    """How many seconds to wait: the resource option, the annotation, ten minutes."""
    text = annotation(item, "pulumi.com/timeoutSeconds")
    return custom or (float(text) if text.isdecimal() else DEFAULT_TIMEOUT)


@dataclass
class Awaiting:
    """Waits for the objects of one API server, until somebody cancels."""

    server: ApiServer
    cancelled: threading.Event = field(default_factory=threading.Event)

    def ready(self, item: Object, live: Object, timeout: float, tell: Tell) -> Object:
        """Wait until an object is ready; its live form then.

        Raises:
            UnreadyError: The time is over, or somebody cancelled.
        """
        if is_set(item, "pulumi.com/skipAwait"):
            return live
        look = self._look(item, live)
        deadline = time.monotonic() + timeout
        while True:
            found = look(live)
            tell(found)
            if found.is_ready:
                return live
            self._pause(live, found, deadline)
            live = self.server.get(live)

    def glance(self, live: Object) -> None:
        """Look once, as a refresh does.

        Raises:
            UnreadyError: The object is not ready.
        """
        key = (live["apiVersion"], live["kind"])
        if key not in _READ or is_set(live, "pulumi.com/skipAwait"):
            return
        found = self._rule(live, lambda _: True)(live)
        if not found.is_ready:
            text = f"Resource '{name_of(live)}' was created but failed to initialize"
            raise UnreadyError(text, live, found.problems)

    def gone(self, live: Object, timeout: float, tell: Tell) -> None:
        """Wait until an object is gone.

        Raises:
            UnreadyError: The time is over, or somebody cancelled.
        """
        deadline = time.monotonic() + timeout
        while (there := self._still_there(live)) is not None:
            finalizers = ", ".join(nested(there, "metadata", "finalizers") or [])
            text = f"finalizers might be preventing deletion ({finalizers})"
            found = Readiness("Waiting for deletion", problems=(text,))
            tell(Readiness(found.message))
            self._pause(there, found, deadline)

    def _look(self, item: Object, live: Object) -> Callable[[Object], Readiness]:
        if expressions := annotation(item, "pulumi.com/waitFor"):
            return lambda now: wait_for.check(now, expressions)
        return self._rule(live, _Settling().check)

    def _rule(
        self, live: Object, settled: Callable[[object], bool]
    ) -> Callable[[Object], Readiness]:
        key = (live["apiVersion"], live["kind"])
        namespace = namespace_of(live)
        if key == ("apps/v1", "Deployment"):
            return lambda now: readiness.deployment(
                now,
                self.server.list("apps/v1", "ReplicaSet", namespace),
                self.server.list("v1", "Pod", namespace),
            )
        if key == ("v1", "Service"):
            return lambda now: self._service(now, settled)
        if key == ("v1", "PersistentVolumeClaim"):
            return lambda now: readiness.claim(now, self._binding(now))
        return _SIMPLE.get(key, lambda _: Readiness("", is_ready=True))

    def _service(self, now: Object, settled: Callable[[object], bool]) -> Readiness:
        all_slices = self.server.list(
            "discovery.k8s.io/v1", "EndpointSlice", namespace_of(now)
        )
        mine = [
            one
            for one in all_slices
            if nested(one, "metadata", "labels", "kubernetes.io/service-name")
            == name_of(now)
        ]
        form = [(one["metadata"]["uid"], one.get("endpoints")) for one in mine]
        return readiness.service(now, mine, settled=settled(form))

    def _binding(self, claim: Object) -> str:
        name = nested(claim, "spec", "storageClassName")
        if not name:
            return ""
        version = "storage.k8s.io/v1"
        classes = self.server.list(version, "StorageClass", "")
        found = (one for one in classes if name_of(one) == name)
        return str(next(found, {}).get("volumeBindingMode", ""))

    def _still_there(self, live: Object) -> Object | None:
        try:
            there = self.server.get(live)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        same = nested(there, "metadata", "uid") == nested(live, "metadata", "uid")
        return there if same else None

    def _pause(self, live: Object, found: Readiness, deadline: float) -> None:
        name = name_of(live)
        if found.is_hopeless:
            text = f"Resource '{name}' was created but failed to initialize"
        elif time.monotonic() > deadline:
            text = f"'{name}' timed out waiting to be Ready"
        elif self.cancelled.wait(_PERIOD):
            text = f'Resource operation was cancelled for "{name}"'
        else:
            return
        raise UnreadyError(text, live, found.problems)


class _Settling:
    """Whether something stayed the same for a while."""

    def __init__(self) -> None:
        self._seen: object = None
        self._since = time.monotonic()

    def check(self, value: object) -> bool:
        if value != self._seen:
            self._seen, self._since = value, time.monotonic()
        return time.monotonic() - self._since >= _SETTLE
