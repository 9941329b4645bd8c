"""What the public address has to know of a predictor, as plain data.

Where predictors run in processes of their own, the public address has none at hand.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from cortex_server.interface import Interface
from cortex_server.manifest import Manifest, Record
from cortex_server.worker.problems import Problem

TENSORS, DOCUMENT = "tensors", "document"
"""Questions to a predictor: its metadata in V2, and its OpenAPI document."""

Ask = Callable[[str, Any], Awaitable[list[Any]]]
Questions = dict[str, Callable[[Any], Awaitable[Any]]]


class Description(Record, frozen=True, kw_only=True):
    """What a predictor says of itself when it is ready."""

    is_async: bool
    payload: str | None
    """The type of the payload for people, None where there is none."""


def description_of(interface: Interface) -> Description:
    """Describe a predictor whose methods these are."""
    hint = interface.predict.payload_type
    name = hint.__name__ if isinstance(hint, type) else str(hint)
    return Description(
        is_async=interface.predict.is_async, payload=None if hint is None else name
    )


def questions_about(
    interface: Interface, manifest: Manifest, *, needs_key: bool
) -> Questions:
    """What it says when it is asked; it takes time that few need at a start."""

    async def tensors(_: None) -> dict[str, Any]:
        from cortex_server.worker.v2.tensors import Tensors  # noqa: PLC0415  # see above

        return Tensors(interface).metadata()

    async def document(_: None) -> dict[str, Any]:
        from cortex_server.worker.openapi.document import Document  # noqa: PLC0415  # same

        return Document(manifest, interface, needs_key=needs_key).at("")

    return {TENSORS: tensors, DOCUMENT: document}


class Constant:
    """The reply to a question that is always the same: asked once, when needed.

    Args:
        ask: Asks each process that has a predictor.
        question: What is asked.
    """

    def __init__(self, ask: Ask, question: str) -> None:
        self._ask = ask
        self._question = question
        self._reply: Any = None

    async def get(self) -> Any:  # noqa: ANN401  # plain data
        """The reply.

        Raises:
            Problem: There is nobody to ask at the moment.
        """
        if self._reply is None:
            replies = await self._ask(self._question, None)
            if not replies:
                raise Problem(503, "the predictor is starting again; try again later")
            self._reply = replies[0]
        return self._reply
