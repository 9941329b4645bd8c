"""A response before it is written: what the two ways out have in common."""

from collections.abc import Callable, Mapping

NO_FIELDS: Mapping[str, str] = {}
JSON = "application/json"


class Answer:
    """Status, body and header fields of a response."""

    __slots__ = ("after", "body", "content_type", "fields", "status")

    def __init__(
        self,
        body: bytes,
        content_type: str = JSON,
        status: int = 200,
        fields: Mapping[str, str] = NO_FIELDS,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.status = status
        self.fields = fields
        self.after: Callable[[], None] | None = None
        """What is to be called when it is on the wire."""
