import os
from collections.abc import Iterable
from typing import Any

import pytest
from sanic import Sanic
from sanic.config import Config

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.interface import interface_of
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.worker.app import Application, create_app
from cortex_server.worker.description import description_of
from cortex_server.worker.execution import Threads
from cortex_server.worker.runner import Runner
from cortex_server.worker.service import Service

ALL = {"GET", "HEAD", "POST"}


class P:
    def predict(self, payload: list[float]) -> None:
        """Never called here."""


@pytest.fixture(autouse=True)
def _many_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sanic, "test_mode", True)


@pytest.fixture
def threads() -> Threads:
    return Threads(1, "test")


def app_of(threads: Threads, endpoint: str | None = None, **fields: Any) -> Application:
    predictor = PredictorModule(module="app", qualname="P")
    values = {"name": "p", "bundle": "0", "predictor": predictor, **fields}
    manifest = Manifest(**values)
    interface = interface_of(P)
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    service = Service(manifest, board, Runner(P(), interface, threads))
    return create_app(manifest, description_of(interface), service, endpoint)


@pytest.mark.parametrize("timeout", [1.0, 600.0, 3600.0])
def test_sanic_never_ends_a_request_before_the_service_does(
    threads: Threads, timeout: float
) -> None:
    config = app_of(threads, timeout=timeout).config

    assert timeout < config.RESPONSE_TIMEOUT
    assert Config().RESPONSE_TIMEOUT == 60  # what it would be without a word of ours


def test_the_environment_of_the_user_does_not_configure_sanic(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANIC_REQUEST_MAX_SIZE", "1")

    assert app_of(threads).config.REQUEST_MAX_SIZE == 100 << 20


@pytest.mark.parametrize(
    ("endpoint", "paths"),
    [
        (None, {"/"}),
        ("/", {"/"}),
        ("/iris", {"/", "/iris"}),
        ("/a/b", {"/", "/a/b"}),
    ],
)
def test_answers_at_the_root_and_at_the_endpoint(
    threads: Threads, endpoint: str | None, paths: set[str]
) -> None:
    routes = app_of(threads, endpoint).router.routes

    assert {path for path, methods in _methods(routes).items() if methods >= ALL} == (
        paths
    )


@pytest.mark.parametrize("endpoint", ["/v2", "/v2/models/p", "/docs", "/openapi.json"])
def test_an_endpoint_has_its_address_for_itself(
    threads: Threads, endpoint: str
) -> None:
    routes = app_of(threads, endpoint).router.routes

    assert _methods(routes)[endpoint] == ALL


def _methods(routes: Iterable[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for route in routes:
        found.setdefault(f"/{route.path}", set()).update(route.methods)
    return found


def test_the_summary_says_what_is_served(threads: Threads) -> None:
    summary = app_of(threads).ctx.summary

    assert (summary["api"], summary["predictor"]) == ("p", "P")
    assert summary["payload"] == "list[float]"
    assert len(summary["revision"]) == 12
