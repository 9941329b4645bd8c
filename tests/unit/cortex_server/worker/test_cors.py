"""The rules of https://fetch.spec.whatwg.org/#http-cors-protocol as a table."""

import pytest

from cortex_server.manifest import Cors
from cortex_server.worker.cors import Origins, is_preflight

PAGE = "https://shop.example"
ASKS = {"origin": PAGE, "access-control-request-method": "POST"}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("OPTIONS", ASKS, True),
        ("POST", ASKS, False),
        ("OPTIONS", {"origin": PAGE}, False),
        ("OPTIONS", {"access-control-request-method": "POST"}, False),
    ],
)
def test_a_preflight_is_options_with_origin_and_method(
    method: str, headers: dict[str, str], *, expected: bool
) -> None:
    assert is_preflight(method, headers) is expected


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        ("*", PAGE, "*"),
        ("*", "null", "*"),
        ("*", None, None),
        (PAGE, PAGE, PAGE),
        (PAGE, "HTTPS://Shop.example", "HTTPS://Shop.example"),
        (f"{PAGE}/", PAGE, PAGE),
        (PAGE, None, None),
        (PAGE, "null", None),
        (PAGE, "http://shop.example", None),
        (PAGE, f"{PAGE}:8443", None),
        (PAGE, f"{PAGE}.evil.example", None),
        (PAGE, "https://evilshop.example", None),
    ],
)
def test_only_an_origin_that_is_allowed_is_named(
    allowed: str, origin: str | None, answer: str | None
) -> None:
    headers = {} if origin is None else {"origin": origin}
    fields = Origins(Cors(allow_origins=(allowed,))).answer(headers)

    assert fields.get("access-control-allow-origin") == answer


def test_an_answer_that_differs_by_origin_says_so_to_caches_whoever_asks() -> None:
    named, every = Origins(Cors(allow_origins=(PAGE,))), Origins(Cors())

    for headers in ({}, {"origin": PAGE}, {"origin": "https://evil.example"}):
        assert named.answer(headers)["vary"] == "origin"
        assert "vary" not in every.answer(headers)


@pytest.mark.parametrize(
    ("allowed", "asked", "answer"),
    [
        (("*",), "authorization,x-mine", "authorization,x-mine"),
        (("*",), "", "*"),
        (("*",), "no\r\nfield", "*"),
        (("x-a", "x-b"), "x-c", "x-a, x-b"),
        ((), "x-c", None),
    ],
)
def test_the_fields_that_a_page_may_set(
    allowed: tuple[str, ...], asked: str, answer: str | None
) -> None:
    headers = {**ASKS, "access-control-request-headers": asked}
    fields = Origins(Cors(allow_headers=allowed)).preflight(headers)

    assert fields.get("access-control-allow-headers") == answer


@pytest.mark.parametrize("credentials", [True, False])
def test_credentials_are_allowed_in_one_word_or_not_at_all(
    *, credentials: bool
) -> None:
    cors = Cors(allow_origins=(PAGE,), allow_credentials=credentials)

    for fields in (Origins(cors).answer(ASKS), Origins(cors).preflight(ASKS)):
        said = fields.get("access-control-allow-credentials")
        assert said == ("true" if credentials else None)


def test_a_browser_may_remember_for_whole_seconds() -> None:
    fields = Origins(Cors(max_age=90.4)).preflight(ASKS)

    assert fields["access-control-max-age"] == "90"
