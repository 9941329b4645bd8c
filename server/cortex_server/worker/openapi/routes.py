"""The addresses of the document, and of the page that shows it."""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.answer import Answer
from cortex_server.worker.description import DOCUMENT, Ask, Constant
from cortex_server.worker.exchange import call_of, response_of

DOCUMENT_PATH, PAGE = "/openapi.json", "/docs"
PREFIX_FIELD = b"x-forwarded-prefix"
"""Header by which a gateway says what it has taken off the path."""

_PREFIX = re.compile(rb"(?:/[\w.~!$&'()*+,;=:@%-]+)*/?", re.ASCII)
_PARTS = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


class Pages:
    """Shows what an API looks like."""

    def __init__(self, ask: Ask) -> None:
        self._document = Constant(ask, DOCUMENT)

    def add_to(self, app: Sanic[Any, Any], prefixes: Iterable[str]) -> None:
        """Answer below each prefix, except where predictions are sent to."""
        for prefix in prefixes:
            for path, handler in ((DOCUMENT_PATH, self._openapi), (PAGE, self._page)):
                whole = f"{prefix}{path}"
                if whole.encode() not in app.ctx.paths:
                    app.add_route(handler, whole, methods=["GET"], name=whole)

    async def _openapi(self, request: Request) -> HTTPResponse:
        servers = [{"url": prefix_of(request, DOCUMENT_PATH) or "/"}]
        body = orjson.dumps({**await self._document.get(), "servers": servers})
        fields = {"vary": PREFIX_FIELD.decode()}
        return response_of(Answer(body, fields=fields), call_of(request))

    async def _page(self, request: Request) -> HTTPResponse:
        body, policy = _page()
        fields = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
        }
        answer = Answer(body, "text/html; charset=utf-8", fields=fields)
        return response_of(answer, call_of(request))


def prefix_of(request: Request, path: str = "") -> str:
    """What stands in front of the paths of the API, as its client sees them."""
    forwarded = call_of(request).field(PREFIX_FIELD)
    outer = forwarded.rstrip(b"/") if _PREFIX.fullmatch(forwarded) else b""
    inner: str = request.path.rstrip("/").removesuffix(path)
    return outer.decode() + inner


@cache
def _page() -> tuple[bytes, str]:
    """The page, and the policy that keeps it from loading anything from elsewhere."""
    page = (Path(__file__).parent / "page.html").read_bytes()
    allowed = {"script": "", "style": ""}
    for kind, text in _PARTS.findall(page):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        allowed[kind.decode()] += f" 'sha256-{digest}'"
    rules = [f"{kind}-src{sources}" for kind, sources in allowed.items()]
    rest = "default-src 'none'; connect-src 'self'; img-src blob: data:"
    return page, "; ".join([rest, "base-uri 'none'; form-action 'none'", *rules])
