"""A deployed API as an object: its address and the verbs on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cortex_sdk._call import call, stream
from cortex_sdk._rendering import deployment_as_html
from cortex_sdk._target import Bounds, Metrics, Served, Status, Target


@dataclass(frozen=True, slots=True)
class Deployment:
    """An API on a target, as `deploy` returns it."""

    name: str
    endpoint: str
    """URL that answers predictions."""
    revision: str
    """Content hash of what serves, 12 hex digits."""
    changed: bool
    """False when the API was up to date already."""
    target: Target = field(repr=False)

    def status(self) -> Status:
        """How the API is doing; raises NotFoundError when it is gone."""
        return self.target.status(self.name)

    def predict(
        self,
        payload: Any = None,  # noqa: ANN401  # user's data
        *,
        timeout: float = 600,
        key: str | None = None,
    ) -> Any:  # noqa: ANN401  # user's data
        """Send one prediction and return its decoded answer.

        Args:
            payload: `bytes` are sent as they are, `str` as text, anything else as
                JSON.
            timeout: Seconds to wait for the answer.
            key: API key to send; unset, `$CORTEX_API_KEY` if there is one.

        Raises:
            PredictError: The API answered with an error.
            TargetError: Nothing answers at the endpoint.
        """
        with self.target.reach(self.name, self.endpoint) as there:
            return call(there.url, payload, timeout=timeout, key=key, host=there.host)

    def stream(
        self,
        payload: Any = None,  # noqa: ANN401  # user's data
        *,
        timeout: float = 600,
        key: str | None = None,
    ) -> Iterator[Any]:
        """Send one prediction and give its answer piece by piece, as it comes.

        JSON comes item by item, text and bytes in pieces of any size. Leaving the
        loop early stops the prediction.

        Args:
            payload: As for `predict`.
            timeout: Seconds to wait for each piece.
            key: As for `predict`.

        Raises:
            PredictError: The API answered with an error.
            TargetError: Nothing answers at the endpoint, or the answer broke off.
        """
        with self.target.reach(self.name, self.endpoint) as there:
            yield from stream(
                there.url, payload, timeout=timeout, key=key, host=there.host
            )

    def logs(self, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """Log lines of all replicas, oldest first, each a JSON object as text.

        Args:
            follow: Wait for new lines, for ever.
            tail: Only the last so many of those already written.
        """
        for line in self.target.logs(self.name, follow=follow, tail=tail):
            yield line.text

    def metrics(self) -> Metrics:
        """What the replicas counted since each of them started."""
        return self.target.metrics(self.name)

    def history(self) -> Sequence[Served]:
        """Revisions that served, oldest first; the last one serves."""
        return self.target.history(self.name)

    def rollback(self, to: str | None = None) -> "Deployment":
        """Make an earlier revision serve again, unset the one before this one."""
        from cortex_sdk import _verbs  # noqa: PLC0415  # it makes deployments

        return _verbs.rollback(self, to)

    def scale(
        self, *, min_replicas: int | None = None, max_replicas: int | None = None
    ) -> "Deployment":
        """Move the bounds of the replica count; restarts nothing.

        Raises:
            UnsupportedError: The target cannot do that.
        """
        from cortex_sdk import _verbs  # noqa: PLC0415  # it makes deployments

        return _verbs.scale(self, Bounds(min_replicas, max_replicas))

    def refresh(self) -> "Deployment":
        """Start all replicas anew, a few at a time; no request is lost.

        Raises:
            UnsupportedError: The target cannot do that.
        """
        from cortex_sdk import _verbs  # noqa: PLC0415  # it makes deployments

        return _verbs.refresh(self)

    def delete(self) -> None:
        """End the API; accepted requests are answered first."""
        self.target.delete(self.name)

    def __str__(self) -> str:
        return f"{self.name} at {self.endpoint} (revision {self.revision})"

    def _repr_html_(self) -> str:
        return deployment_as_html(self)
