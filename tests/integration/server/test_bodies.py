"""How large a body may be, and how it may be packed."""

import gzip
import zlib
from collections.abc import Callable, Iterator

import psutil
import pytest
from backports import zstd
from integration.server.replica import Replica, receive_response, running

SOURCE = """
class P:
    def predict(self, payload: list[int]):
        return sum(payload)
"""
LIMIT = 1 << 20
JSON = {"content-type": "application/json"}
SENTENCE = (
    "the body is larger than 1 MiB, the most that this API accepts;"
    " `max_body_size` of its declaration is that limit"
)
TOO_LARGE = b"[" + b" " * LIMIT + b"]"


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE, max_body_size=LIMIT) as replica:
        yield replica


@pytest.mark.parametrize("size", [LIMIT + 1, 20 * LIMIT])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_names_it(
    replica: Replica, size: int, *, is_chunked: bool
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(0, size, 1 << 16):
            yield bytes(1 << 16)

    content = chunks() if is_chunked else bytes(size)

    response = replica.client.post("/", content=content, headers=JSON)

    assert response.status_code == 413
    assert response.json()["detail"] == SENTENCE


def test_a_body_of_just_the_limit_is_taken(replica: Replica) -> None:
    body = b"[1" + b" " * (LIMIT - 3) + b"]"

    assert replica.client.post("/", content=body, headers=JSON).json() == 1


def test_a_body_that_is_announced_too_large_need_not_be_sent(replica: Replica) -> None:
    with replica.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
            b"content-length: %d\r\n\r\n" % (LIMIT + 1)
        )

        assert receive_response(connection)[0] == 413


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstd.compress),
        ("identity", bytes),
    ],
)
def test_a_packed_body_is_read(
    replica: Replica, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    headers = {**JSON, "content-encoding": encoding}

    response = replica.client.post("/", content=pack(b"[1,2]"), headers=headers)

    assert response.json() == 3


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"[1]", 400),
        ("gzip", gzip.compress(b"[1]")[:-4], 400),
        ("zstd", b"[1]", 400),
        ("gzip", gzip.compress(b"[1"), 400),
        ("gzip", gzip.compress(b'["a"]'), 422),
        ("gzip", gzip.compress(TOO_LARGE), 413),
        ("br", b"[1]", 415),
        ("gzip, zstd", b"[1]", 415),
    ],
)
def test_a_packed_body_that_cannot_be_read_is_told(
    replica: Replica, encoding: str, body: bytes, status: int
) -> None:
    headers = {**JSON, "content-encoding": encoding}

    response = replica.client.post("/", content=body, headers=headers)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    if status == 413:
        assert response.json()["detail"] == SENTENCE


def test_bombs_do_not_take_memory(replica: Replica) -> None:
    bomb = zstd.compress(bytes(1 << 30))
    headers = {**JSON, "content-encoding": "zstd"}
    before = _memory(replica)

    codes = {
        replica.client.post("/", content=bomb, headers=headers).status_code
        for _ in range(20)
    }

    assert codes == {413}
    assert _memory(replica) - before < 64 * LIMIT


def _memory(replica: Replica) -> int:
    info: psutil._common.pmem = replica.worker.memory_info()
    return int(info.rss)
