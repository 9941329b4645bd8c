import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from integration import browser
from integration.server.replica import Replica, running

SOURCE = """
class P:
    def predict(self, payload: list[int]) -> int:
        if payload == [0]:
            raise RuntimeError
        return sum(payload)
"""
PAGE = "https://shop.example"
OTHER = "https://evil.example"
KEY = "key-0123456789abcdef"
ASKED = {"access-control-request-method": "POST"}
NAMED = {
    "allow_origins": [PAGE, "http://localhost:3000"],
    "allow_credentials": True,
    "allow_headers": ["content-type"],
    "expose_headers": ["x-request-id"],
    "max_age": 60,
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(KEY)
    with running(SOURCE, ("--keys", str(keys)), cors=NAMED) as replica:
        replica.client.headers["x-api-key"] = KEY
        del replica.client.headers["connection"]  # it would keep all off the short way
        yield replica


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Replica]:
    with running(SOURCE, cors={}) as replica:
        del replica.client.headers["connection"]
        yield replica


def allows(headers: object) -> dict[str, str]:
    items = dict(headers).items()  # type: ignore[call-overload]  # headers of httpx
    names = ("access-control", "vary")
    return {name: value for name, value in items if name.startswith(names)}


def test_a_preflight_is_answered_without_a_key(named: Replica) -> None:
    del named.client.headers["x-api-key"]
    answer = named.client.options("/", headers={"origin": PAGE, **ASKED})
    named.client.headers["x-api-key"] = KEY

    assert (answer.status_code, answer.content) == (204, b"")
    assert allows(answer.headers) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": "content-type",
        "access-control-max-age": "60",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }


def test_a_stranger_is_allowed_nothing(named: Replica) -> None:
    preflight = named.client.options("/", headers={"origin": OTHER, **ASKED})
    answer = named.client.post("/", json=[1], headers={"origin": OTHER})

    assert list(allows(preflight.headers)) == ["vary"]
    assert allows(answer.headers) == {"vary": "origin"}
    assert answer.json() == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/", "[1]", 200),
        ("GET", "/", "", 200),
        ("POST", "/", "[0]", 500),
        ("POST", "/", "{", 400),
        ("POST", "/", '["x"]', 422),
        ("POST", "/nowhere", "[1]", 404),
        ("PUT", "/", "[1]", 405),
        ("OPTIONS", "/", "", 405),
    ],
)
def test_a_page_may_read_every_answer_of_its_api(
    named: Replica, method: str, path: str, body: str, status: int
) -> None:
    answer = named.client.request(
        method,
        path,
        content=body,
        headers={"origin": PAGE, "content-type": "application/json"},
    )

    assert answer.status_code == status
    assert allows(answer.headers) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-request-id",
        "vary": "origin",
    }


def test_a_page_may_read_that_its_key_is_wrong(named: Replica) -> None:
    headers = {"origin": PAGE, "x-api-key": "wrong"}
    answer = named.client.post("/", json=[1], headers=headers)

    assert answer.status_code == 401
    assert allows(answer.headers)["access-control-allow-origin"] == PAGE


def test_every_origin_may_call_an_api_that_is_open_to_all(open_to_all: Replica) -> None:
    asked = {**ASKED, "access-control-request-headers": "authorization, x-mine"}
    preflight = open_to_all.client.options("/", headers={"origin": OTHER, **asked})
    answer = open_to_all.client.post("/", json=[1], headers={"origin": "null"})

    assert preflight.headers["access-control-allow-origin"] == "*"
    # "*" would leave out Authorization.
    assert preflight.headers["access-control-allow-headers"] == "authorization, x-mine"
    assert allows(answer.headers) == {"access-control-allow-origin": "*"}


def test_what_no_page_sends_is_answered_as_ever(open_to_all: Replica) -> None:
    assert allows(open_to_all.client.post("/", json=[1]).headers) == {}


def test_other_reasons_to_vary_stay(named: Replica) -> None:
    answer = named.client.get("/openapi.json", headers={"origin": PAGE})

    assert answer.headers["vary"] == "origin, x-forwarded-prefix"
    assert answer.headers["access-control-allow-origin"] == PAGE


class _Page(BaseHTTPRequestHandler):
    """Serves one page, from an origin of its own."""

    html = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(self.html)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


_SAID = "(document.body?.textContent.match(/^said .*/) ?? [''])[0]"
SCRIPT = """<!doctype html><body>waiting<script>
const send = (payload, key) => fetch("%s", {
  method: "POST", body: JSON.stringify(payload),
  headers: {"content-type": "application/json", "authorization": "Bearer " + key},
}).then(async answer => [answer.status, await answer.json()].map(part =>
    typeof part == "object" ? part.status : part).join(":"), () => "blocked");
(async () => {
  const said = [await send([1, 2], "%s"), await send([0], "%s"), await send([1], "no")];
  document.body.textContent = "said " + said.join(" ");
})();
</script>"""


@browser.needed
@pytest.mark.parametrize(
    ("is_allowed", "said"),
    [(True, "said 200:3 500:500 401:401"), (False, "said blocked blocked blocked")],
)
def test_a_real_browser_lets_its_pages_call_only_where_they_may(
    tmp_path: Path, *, is_allowed: bool, said: str
) -> None:
    (tmp_path / "keys").write_text(KEY)
    with ExitStack() as stack:
        pages = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Page))
        stack.callback(pages.shutdown)
        Thread(target=pages.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{pages.server_address[1]}"
        cors = {"allow_origins": [origin if is_allowed else PAGE]}
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"127.0.0.1:{server.getsockname()[1]}"
        arguments = ("--keys", str(tmp_path / "keys"), "--listen", address)
        stack.enter_context(running(SOURCE, arguments, cors=cors))
        _Page.html = (SCRIPT % (f"http://{address}/", KEY, KEY)).encode()

        page = stack.enter_context(browser.page(browser.command()))
        page.open(origin)

        assert page.wait_for(_SAID) == said
