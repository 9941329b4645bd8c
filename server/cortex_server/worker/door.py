"""What every request passes that Sanic handles, before it is routed or its body read.

Web pages of other origins are told what they may do, and calls without a key are
turned away. The short way leaves to Sanic whatever is not let in at once.
"""

from collections.abc import Callable
from typing import Any

from sanic.exceptions import PayloadTooLarge, Unauthorized
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.admission import Admission
from cortex_server.worker.call import Call
from cortex_server.worker.cors import Origins, is_preflight
from cortex_server.worker.exchange import fields_of
from cortex_server.worker.wire import Reader

_READING = ("GET", "HEAD")
_NO_KEY = (
    "this API needs a key; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
)


class Door:
    """Lets requests of an application in.

    Args:
        app: Sanic's application.
        admission: Who may call, None for everybody.
        origins: Which web pages may, None for those of no other origin.
        count: Called with the status of an answer that is no prediction's.
    """

    def __init__(
        self,
        app: Any,  # noqa: ANN401  # Sanic knows its type only with all its parameters
        admission: Admission | None,
        origins: Origins | None,
        count: Callable[[int], None],
    ) -> None:
        self._app = app
        self._admission = admission
        self._origins = origins
        self._count = count
        if origins is not None:
            app.on_response(self._allow_origin)

    async def __call__(self, request: Request) -> None:
        """Handle a request, as the application does, or turn it away."""
        if self._origins and is_preflight(request.method, request.headers):
            fields = self._origins.preflight(request.headers)
            response = await request.respond(HTTPResponse(status=204, headers=fields))
            await response.send(end_stream=True)
        elif not self._lets_in(request):
            self._count(Unauthorized.status_code)
            error = Unauthorized(_NO_KEY, scheme="Bearer", realm="API")
            await self._app.handle_exception(request, error)
        elif _is_too_large(request.stream):
            await self._app.handle_exception(request, PayloadTooLarge())
        else:
            await self._app.handle_request(request)

    def _lets_in(self, request: Request) -> bool:
        """Whether it brings a key, or asks for a page that tells nothing of the API."""
        if self._admission is None:
            return True
        if request.method in _READING and request.path in self._app.ctx.open_paths:
            return True
        return self._admission.admits_now(fields_of(request))

    def reader(self, *options: Any) -> Reader:  # noqa: ANN401  # see Reader
        """Reads the requests of a connection that may take the short way."""
        if self._admission is None and self._origins is None:
            return Reader(*options)
        return _GuardedReader(self._admits, *options)

    def _admits(self, call: Call) -> bool:
        if self._origins is not None and call.field(b"origin"):
            return False
        return self._admission is None or self._admission.admits(call.fields)

    async def _allow_origin(self, request: Request, response: HTTPResponse) -> None:
        if self._origins and not is_preflight(request.method, request.headers):
            fields = self._origins.answer(request.headers)
            others = response.headers.get("vary")
            if others and "vary" in fields:
                fields["vary"] += f", {others}"
            response.headers.update(fields)


def _is_too_large(http: Any) -> bool:  # noqa: ANN401  # Sanic's part that reads
    """Whether it announces more than may come: then nobody need send it."""
    if not http.request_bytes or http.request_bytes <= http.request_max_size:
        return False
    http.keep_alive = http.expecting_continue = False
    return True


class _GuardedReader(Reader):
    """Leaves requests to Sanic that are not let in at once."""

    __slots__ = ("_admits",)

    def __init__(self, admits: Callable[[Call], bool], *options: Any) -> None:  # noqa: ANN401  # see Reader
        super().__init__(*options)
        self._admits = admits

    def begin(self, data: bytes) -> bool:
        """Read a request that begins here, if it is plain and let in."""
        if not super().begin(data):
            return False
        if self._admits(self.call):
            return True
        self.forget()
        return False
