"""The log of an API: the lines of all its pods in one stream."""

import heapq
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import urllib3
from kubernetes import client
from kubernetes.client import ApiException

from cortex_sdk._target import LogLine
from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.current import deployment
from cortex_sdk.kubernetes.pods import SERVER, pods_of

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened

_POLL = 1.0
_DIGITS = 6
"""Of the fraction of a second, as Python knows them."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Stamped:
    """A line and when it was written, as the kubelet says."""

    at: str
    """RFC 3339 with nanoseconds."""
    line: LogLine = field(compare=False)


def read(
    opened: "Opened", name: str, *, follow: bool, tail: int | None
) -> Iterator[LogLine]:
    """Lines of all pods by time, then those that come, if wanted.

    Following goes on through scaling, restarts and rollouts, and ends with the API.
    """
    source = Source(opened)
    pods = pods_of(opened, name)
    past = heapq.merge(*(source.past(pod, tail) for pod in pods))
    last: dict[str, str] = {}
    lines = deque(past, maxlen=tail)
    for each in lines:
        yield each.line
        last[each.line.replica] = each.at
    if follow:
        yield from Follower(opened, name, source, last).lines()


class Source:
    """Reads the logs of pods through the API server."""

    def __init__(self, opened: "Opened") -> None:
        self._core = client.CoreV1Api(opened.connection.api_client)
        self._namespace = opened.namespace

    def past(self, pod: Json, tail: int | None = None) -> list[Stamped]:
        """What a pod has written; first the last words of a server that crashed."""
        statuses = (pod.get("status") or {}).get("containerStatuses") or ()
        has_restarted = any(each.get("restartCount") for each in statuses)
        found: list[Stamped] = []
        for previous in (True, False) if has_restarted else (False,):
            options = {"previous": previous} | ({"tail_lines": tail} if tail else {})
            found += self.lines(pod["metadata"]["name"], **options)
        return found if tail is None else found[len(found) - tail :]

    def lines(self, pod: str, **options: Any) -> Iterator[Stamped]:  # noqa: ANN401  # of the client
        """Lines as they come; none of a pod that has written nothing, or is gone."""
        try:
            response = self._core.read_namespaced_pod_log(
                pod,
                self._namespace,
                container=SERVER,
                timestamps=True,
                _preload_content=False,
                **options,
            )
            for line in _split(response):
                at, _, text = line.partition(" ")
                yield Stamped(at, LogLine(text=text, replica=pod))
        except (ApiException, urllib3.exceptions.HTTPError):
            return


def _split(response: Any) -> Iterator[str]:  # noqa: ANN401  # the client's
    rest = b""
    for block in response.stream(decode_content=False):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


class Follower:
    """One thread for each pod, as pods come and go."""

    def __init__(
        self, opened: "Opened", name: str, source: Source, last: dict[str, str]
    ) -> None:
        self._opened = opened
        self._name = name
        self._source = source
        self._last = last
        self._lines: queue.SimpleQueue[LogLine] = queue.SimpleQueue()
        self._threads: dict[str, threading.Thread] = {}

    def lines(self) -> Iterator[LogLine]:
        """Lines as they come, until the API and all its pods are gone."""
        is_there = True
        while is_there or not self._lines.empty():
            is_there = self._look()
            deadline = time.monotonic() + _POLL
            while (left := deadline - time.monotonic()) > 0:
                with suppress(queue.Empty):
                    yield self._lines.get(timeout=left)

    def _look(self) -> bool:
        """Follow pods that are new; whether there is anything left to follow."""
        try:
            pods = pods_of(self._opened, self._name)
            is_there = bool(pods) or deployment(self._opened, self._name) is not None
        except TargetError:
            return True  # asked again in a moment
        for pod in pods:
            name = pod["metadata"]["name"]
            if name not in self._threads:
                thread = threading.Thread(
                    target=self._follow, args=(name,), daemon=True
                )
                self._threads[name] = thread
                thread.start()
        return is_there or any(each.is_alive() for each in self._threads.values())

    def _follow(self, pod: str) -> None:
        """All lines of a pod, of each server that is started in it."""
        while True:
            began = datetime.now(UTC)
            for each in self._source.lines(pod, follow=True, **self._since(pod)):
                if each.at > self._last.get(pod, ""):
                    self._last[pod] = each.at
                    self._lines.put(each.line)
            if not self._is_there(pod):
                return
            if (datetime.now(UTC) - began).total_seconds() < _POLL:
                time.sleep(_POLL)

    def _since(self, pod: str) -> dict[str, int]:
        """Far enough back; what is known already is passed over."""
        if pod not in self._last:
            return {}
        whole, _, fraction = self._last[pod].rstrip("Z").partition(".")
        at = datetime.fromisoformat(f"{whole}.{fraction[:_DIGITS]:0<6}+00:00")
        age = (datetime.now(UTC) - at).total_seconds()
        return {"since_seconds": max(1, math.ceil(age) + 1)}

    def _is_there(self, pod: str) -> bool:
        try:
            found = self._opened.access.get("v1", "Pod", pod, self._opened.namespace)
        except TargetError:
            return True
        phase = ((found or {}).get("status") or {}).get("phase")
        return found is not None and phase not in {"Succeeded", "Failed"}
