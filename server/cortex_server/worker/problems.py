"""Error bodies of one shape: problem details as RFC 9457 has them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from cortex_server.worker.answer import NO_FIELDS, Answer

_CLIENT_CLOSED_REQUEST = 499


class Problem(Exception):  # noqa: N818  # the word of RFC 9457
    """A request that cannot be answered as asked; becomes the response.

    Args:
        status: HTTP status, 400 to 599.
        detail: One sentence for the caller: what is wrong and what to do.
        errors: Wrong parts of the body: JSON pointer and what is wrong there.
        headers: Headers of the response.
    """

    CONTENT_TYPE = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] = NO_FIELDS,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail.encode(errors="replace").decode()
        self.errors = errors
        self.headers = headers

    def answer(self, request_id: str) -> Answer:
        """The answer with this problem as its body."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = self.errors
        return Answer(orjson.dumps(body), self.CONTENT_TYPE, self.status, self.headers)


def pointer(location: tuple[int | str, ...]) -> str:
    """A place in a body as a JSON pointer."""
    steps = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "#" + "".join(f"/{step}" for step in steps)


def _title(status: int) -> str:
    if status == _CLIENT_CLOSED_REQUEST:
        return "Client Closed Request"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
