import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from integration.conftest import free_port
from integration.local.machine import Machine, kill, wait_for
from integration.local.project import Project

from cortex_sdk._call import stream
from cortex_sdk.errors import TargetError
from cortex_sdk.local.gateway import envoy
from cortex_sdk.local.gateway.files import Files
from cortex_sdk.local.home import Home

HEADERS = """
class Echo:
    def predict(self, headers, query_params):
        return {"headers": dict(headers), "query": dict(query_params)}
"""


def test_query_and_headers_arrive_as_they_were_sent(project: Project) -> None:
    endpoint = project.deploy_code(HEADERS).endpoint

    answer = httpx.post(f"{endpoint}?a=1&b=x%20y", headers={"x-color": "red"}).json()

    assert answer["query"] == {"a": "1", "b": "x y"}
    assert answer["headers"]["x-color"] == "red"


def test_a_request_id_of_the_client_is_kept(project: Project) -> None:
    endpoint = project.deploy_code(HEADERS).endpoint
    chosen = str(uuid4())

    answer = httpx.post(endpoint, headers={"x-request-id": chosen}).json()

    assert answer["headers"]["x-request-id"] == chosen


def test_a_request_without_an_id_gets_one(project: Project) -> None:
    endpoint = project.deploy_code(HEADERS).endpoint

    ids = {httpx.post(endpoint).json()["headers"]["x-request-id"] for _ in range(2)}

    assert len(ids) == 2


def test_a_slash_after_the_endpoint_makes_no_difference(project: Project) -> None:
    endpoint = project.deploy("return payload + 1").endpoint

    assert httpx.post(f"{endpoint}/", json=1).json() == 2


@pytest.mark.parametrize("path", ["/", "/echo2", "/ech", "/other/echo"])
def test_a_path_of_no_api_is_not_found(project: Project, path: str) -> None:
    endpoint = project.deploy().endpoint

    answer = httpx.post(endpoint.replace("/echo", path), json=1)

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no API is served at this path",
    }


def test_a_request_on_a_killed_replica_gets_502(
    project: Project, machine: Machine, tmp_path: Path
) -> None:
    slow = f"import time, pathlib; pathlib.Path({str(tmp_path)!r}, 'in').touch()"
    endpoint = project.deploy(f"{slow}; time.sleep(60)").endpoint

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, endpoint, json=1, timeout=30)
        wait_for((tmp_path / "in").exists)
        kill(machine.replicas() | machine.workers())

    assert answer.result().status_code == 502
    assert answer.result().json()["title"] == "Bad Gateway"


def test_a_client_of_the_last_century_is_answered(project: Project) -> None:
    address = urlsplit(project.deploy().endpoint)

    with socket.create_connection((address.hostname, address.port), 30) as connection:
        connection.sendall(b"POST /echo HTTP/1.0\r\ncontent-length: 1\r\n\r\n7")
        answer = connection.makefile("rb").read()

    assert answer.split(b"\r\n")[0].endswith(b"200 OK")


def test_a_body_of_many_megabytes_goes_through(project: Project) -> None:
    endpoint = project.deploy("return len(payload)").endpoint
    body = b"x" * (20 << 20)

    answer = httpx.post(
        endpoint,
        content=body,
        headers={"content-type": "application/octet-stream"},
        timeout=60,
    )

    assert answer.json() == len(body)


def test_what_the_gateway_says_of_itself_is_for_its_owner_alone(
    project: Project, home: Home
) -> None:
    project.deploy()

    assert home.gateway_socket.stat().st_mode & 0o777 == 0o600
    assert home.agent_socket.stat().st_mode & 0o777 == 0o600


def test_a_log_that_has_grown_large_is_moved_away(home: Home) -> None:
    home.make()
    files, log = Files(home), envoy.log_of(home)
    files.prepare(free_port())

    async def start_and_rotate() -> None:
        started = envoy.Envoy.start(home, files.bootstrap, os.environ)

        async def listens() -> bool:
            return bool(await started.listener(files.listener()[0]))

        await started.until(listens, limit=30)
        os.truncate(log, 11 << 20)
        await started.rotate_log(home)
        wait_for(log.exists)
        await started.rotate_log(home)
        started.process.terminate()
        await started.process.gone()
        await started.close()

    asyncio.run(start_and_rotate())

    assert log.with_name("envoy.log.1").stat().st_size == 11 << 20
    assert log.stat().st_size < 1 << 20


STREAM = """
import pathlib, time

class Echo:
    def predict(self, payload):
        yield [payload]
        limit = time.monotonic() + 20
        while not pathlib.Path(payload).exists() and time.monotonic() < limit:
            time.sleep(0.005)
        yield "late" if time.monotonic() > limit else {"gate": "open"}
"""


def test_what_a_predictor_yields_passes_at_once(
    project: Project, tmp_path: Path
) -> None:
    endpoint = project.deploy_code(STREAM).endpoint
    gate = tmp_path / "gate"

    pieces = stream(endpoint, str(gate), timeout=30)

    assert next(pieces) == [str(gate)]
    gate.touch()
    assert list(pieces) == [{"gate": "open"}]


def test_a_stream_that_is_left_ends_in_the_replica(
    project: Project, tmp_path: Path
) -> None:
    code = f"""
import pathlib

class Echo:
    def predict(self):
        try:
            while True:
                yield b"x" * 1000
        finally:
            pathlib.Path({str(tmp_path)!r}, "closed").touch()
"""
    pieces = stream(project.deploy_code(code).endpoint, None, timeout=30)
    assert next(pieces)

    pieces.close()

    wait_for((tmp_path / "closed").exists)


def test_a_stream_that_breaks_off_is_no_answer(project: Project) -> None:
    code = (
        "class Echo:\n    def predict(self):\n        yield 1\n        raise OSError\n"
    )
    pieces = stream(project.deploy_code(code).endpoint, None, timeout=30)

    with pytest.raises(TargetError, match=r"broke off .*; see `cortex logs`$"):
        list(pieces)


def test_a_head_that_never_ends_is_cut(project: Project) -> None:
    endpoint = urlsplit(project.deploy().endpoint)

    with socket.create_connection((endpoint.hostname, endpoint.port)) as connection:
        connection.settimeout(30)
        connection.sendall(b"POST /echo HTTP/1.1\r\nhost: a\r\n")

        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 408 ")
