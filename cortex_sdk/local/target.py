"""The local target: its plan, and its verbs."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cortex_sdk._counting import add_up
from cortex_sdk._preview import Preview
from cortex_sdk._target import (
    Access,
    Applied,
    Bounds,
    LogLine,
    Metrics,
    Progress,
    Replicas,
    Served,
    Status,
    silent,
)
from cortex_sdk._traffic import Traffic, has_no
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.local import envs, logs, offline
from cortex_sdk.local.agent.request import DeployRequest, SplitRequest
from cortex_sdk.local.agent.state import Reach
from cortex_sdk.local.agent.state import Release as StoredRelease
from cortex_sdk.local.client import Client
from cortex_sdk.local.gateway.port import wanted_port
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.home import Home, write
from cortex_sdk.local.planning import LocalPlan, plan_of
from cortex_sdk.local.preview import preview_of

if TYPE_CHECKING:
    from cortex_sdk.declaration.deployable import Deployable


class LocalTarget:
    """Replicas on this machine, behind a gateway on loopback.

    All of it lies in `$CORTEX_HOME`; an agent in the background keeps it running.

    Example:
        >>> LocalTarget().name
        'local'
    """

    name = "local"

    def __init__(self) -> None:
        self._home = Home.of_user()
        self._client = Client(self._home)

    def plan(
        self,
        thing: "Deployable",
        *,
        saved: Path | None = None,
        refresh: bool = False,  # noqa: ARG002  # the agent lets nobody change a thing
    ) -> LocalPlan | Split:
        """What deploying it would do; touches nothing.

        Raises:
            UnsupportedError: A setting cannot be honoured here.
            InvalidSpecError: The project cannot be deployed.
        """
        if saved is not None:
            raise _refused("saved plans", "leave out --plan")
        return plan_of(thing, self._home)

    def preview(
        self,
        thing: "Deployable",
        *,
        refresh: bool = False,  # noqa: ARG002  # see plan
        save: Path | None = None,
    ) -> Preview:
        """What a deploy would change; raises as `plan` does."""
        if save is not None:
            raise _refused("saved plans", "leave out --save")
        return preview_of(self.plan(thing), self._home)

    def apply(self, plan: LocalPlan | Split, progress: Progress) -> Applied:
        """Make it serve, and return when the gateway leads to it.

        Interrupted, it is not undone: the agent goes on with the deploy.

        Raises:
            DeployError: It did not come up; what served before still does.
            InvalidSpecError: Its requirements cannot be installed.
            NotFoundError: A splitter leads to an API that is not there.
            TargetError: The home, the agent or the gateway is in the way.
        """
        port = wanted_port()
        if isinstance(plan, Split):
            wanted = SplitRequest(split=plan, gateway_port=port)
            asked = wanted.model_dump_json().encode()
            return self._change(plan.name, "POST", "/splitters", progress, asked)
        self._home.make()
        self._store(plan)
        manifest = plan.release.manifest
        request = DeployRequest(
            manifest=manifest,
            secrets=plan.release.secrets,
            keys=plan.release.keys,
            python=envs.python_for(self._home, manifest.requirements, progress),
            reach=Reach(endpoint=plan.endpoint, idempotent=plan.idempotent),
            gateway_port=port,
        )
        body = request.model_dump_json().encode()
        return self._change(plan.name, "POST", "/deploy", progress, body)

    def history(self, name: str) -> "list[Served]":
        """Revisions that served, oldest first; the last one does now."""
        self._check_is_api(name, "revisions")
        if self._is_off():
            past = list(offline.state(self._home, name).history)
        else:
            answer = self._client.get(_path(name, "history"))
            past = [StoredRelease.model_validate(one) for one in answer]
        return [_served(one) for one in past]

    def names(self) -> "list[str]":
        """Names of all APIs, read from disk: starts nothing."""
        return offline.names(self._home)

    def list(self) -> "list[Status]":
        """All APIs, by name."""
        if self._is_off():
            return offline.statuses(self._home)
        return [_status(one) for one in self._client.get("/apis")]

    def status(self, name: str) -> Status:
        """One API; raises NotFoundError."""
        if self._is_off():
            return offline.status(self._home, name)
        return _status(self._client.get(_path(name)))

    def logs(self, name: str, *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        """Log lines of all replicas; needs no agent."""
        self._check_is_api(name, "log")
        folder = offline.folder(self._home, name)
        return logs.read(folder.logs, follow=follow, tail=tail)

    def metrics(self, name: str) -> Metrics:
        """What the replicas counted; nothing while all is stopped."""
        self._check_is_api(name, "metrics")
        if self._is_off():
            offline.folder(self._home, name)
            return Metrics()
        return add_up(self._client.get(_path(name, "metrics")))

    def rollback(
        self, name: str, to: str | None = None, progress: Progress = silent
    ) -> Applied:
        """Make the revision `to` serve again, or the one before the current.

        Raises:
            NotFoundError: There is no such API.
            DeployError: It has no such revision, or that does not come up.
        """
        self._check_is_api(name, "revisions")
        self._check_found(name)
        query = f"?to={quote(to)}" if to else ""
        return self._change(name, "POST", _path(name, f"rollback{query}"), progress)

    def scale(self, name: str, bounds: Bounds, progress: Progress) -> Applied:  # noqa: ARG002  # same verb everywhere
        """Refused: one replica runs."""
        raise _refused("`scale`", "one replica of each API runs here")

    def refresh(self, name: str, progress: Progress) -> Applied:  # noqa: ARG002  # same
        """Refused: what ends is started again without being told."""
        raise _refused("`refresh`", "a change of the project starts a new replica")

    def reach(self, name: str, endpoint: str) -> AbstractContextManager[Access]:  # noqa: ARG002  # same
        """The endpoint itself: the gateway listens on this machine."""
        return nullcontext(Access(endpoint))

    def delete(self, name: str) -> None:
        """End the API; accepted requests are answered first."""
        self._check_found(name)
        self._client.do("DELETE", _path(name), silent)

    def stop(self) -> None:
        """End all replicas, the gateway and the agent; a deploy brings all back."""
        if not self._home.agent.exists():
            return
        if self._home.stopped.exists() and not self._client.is_up():
            return
        with self._home.writing():
            self._home.stopped.touch()  # so that an agent that has to be started waits
        self._client.do("POST", "/stop", silent)
        self._client.wait_until_gone()

    def _store(self, plan: LocalPlan) -> None:
        """Put what the agent and the replicas will read where they expect it."""
        release, home = plan.release, self._home
        pickle, identity = release.pickle(), release.manifest.by_value
        archive = home.bundle(release.bundle.digest)
        with home.writing():
            archive.parent.mkdir(exist_ok=True)
            if release.secrets:
                home.keep_key(plan.key)
            if pickle is not None and identity is not None:
                _store_class(home.class_file(identity), pickle)
            if archive.exists():
                archive.touch()  # it is in use again, see tidy
        if not archive.exists():
            release.bundle.write(archive)

    def _change(
        self, name: str, method: str, path: str, progress: Progress, body: bytes = b""
    ) -> Applied:
        heard: list[str] = []

        def tell(line: str) -> None:
            heard.append(line)
            progress(line)

        try:
            done = self._client.do(method, path, tell, body)
        except KeyboardInterrupt:
            if heard:  # else the agent does not know of it yet
                say = (
                    f"goes on in the background; `cortex get {name}` shows how it ends"
                )
                progress(say)
            raise
        return Applied(
            name=name,
            endpoint=done["endpoint"],
            revision=done["revision"],
            changed=done["changed"],
        )

    def _check_found(self, name: str) -> None:
        """A name that does not exist must not start an agent to find out."""
        if self._is_off() and offline.split(self._home, name) is None:
            offline.folder(self._home, name)

    def _check_is_api(self, name: str, wanted: str) -> None:
        """A splitter has no replicas, so nothing of theirs either."""
        split = offline.split(self._home, name)
        if split is not None:
            raise has_no(wanted, name, split.names)

    def _is_off(self) -> bool:
        """Whether disk says it all: everything is stopped, or nothing was started."""
        home = self._home
        has_work = not home.stopped.exists() and any(home.apis.glob("*/api.json"))
        return not has_work and not self._client.is_up()


def _refused(what: str, advice: str) -> UnsupportedError:
    return UnsupportedError(f"local has no {what}; {advice}")


def _store_class(path: Path, pickle: bytes) -> None:
    if path.exists():
        path.touch()
    else:
        write(path, pickle)


def _path(name: str, *rest: str) -> str:
    return "/".join(("/apis", quote(name, safe=""), *rest))


def _status(values: dict[str, Any]) -> Status:
    traffic = values["traffic"] and Traffic(**values["traffic"])
    parts = {"replicas": Replicas(**values["replicas"]), "traffic": traffic}
    return Status(**values | parts)


def _served(release: StoredRelease) -> Served:
    when = datetime.fromtimestamp(release.deployed_at, UTC)
    return Served(release.revision, when)
