"""How slowly a request may come: who holds connections open for long is cut."""

from sanic.exceptions import RequestTimeout

HEAD_SECONDS = 10.0
"""Seconds in which the whole head of a request has to come."""

BODY_SECONDS = 20.0
"""Seconds that any body may take, and that may pass without a byte of it."""

DRAINING_SECONDS = 5.0
"""Seconds that may pass without a byte of a body while a replica drains."""

BODY_RATE = 1024
"""Bytes per second at which a body has to come that takes longer."""

_SLOW_HEAD = f"the head of the request took more than {HEAD_SECONDS:g} seconds"
_SLOW_BODY = (
    f"the body of the request stopped coming, or came at less than {BODY_RATE} bytes"
    " per second"
)


class Patience:
    """With the client of one connection, asked every now and then."""

    __slots__ = ("_before", "_part", "_since", "received")

    def __init__(self) -> None:
        self._part: object = None
        self._since = 0.0
        self._before = 0
        self.received = 0
        """Bytes that have come so far."""

    def with_head(self, part: object, now: float) -> RequestTimeout | None:
        """What to say when it has ended, None until then.

        Args:
            part: Which head it is; time starts when it is met.
            now: Seconds of the monotonic clock.
        """
        self._meet(part, now)
        is_late = now - self._since > HEAD_SECONDS
        return RequestTimeout(_SLOW_HEAD) if is_late else None

    def with_body(
        self, part: object, last: float, now: float, *, is_draining: bool
    ) -> RequestTimeout | None:
        """The same for a body, of which something came at `last`."""
        self._meet(part, now)
        earned = (self.received - self._before) / BODY_RATE
        is_late = now - self._since > BODY_SECONDS + earned
        silence = DRAINING_SECONDS if is_draining else BODY_SECONDS
        is_silent = now - last > silence
        return RequestTimeout(_SLOW_BODY) if is_late or is_silent else None

    def _meet(self, part: object, now: float) -> None:
        if part != self._part:
            self._part, self._since, self._before = part, now, self.received
