import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from sanic.exceptions import PayloadTooLarge, SanicException

from cortex_server.worker.compression import unpacked

MEBIBYTE = 1 << 20


def raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body)[2:-4]


PACK: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd.compress),
]


@pytest.mark.parametrize(("encoding", "pack"), PACK)
@given(body=st.binary(max_size=50) | st.integers(1 << 16, 1 << 18).map(bytes))
def test_what_was_packed_comes_out(
    encoding: str, pack: Callable[[bytes], bytes], body: bytes
) -> None:
    assert unpacked(pack(body), encoding, len(body)) == body


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_several_streams_are_one_body(pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "zstd"
    parts = [b"one", b"", b"x" * (1 << 18), b"four"]

    assert unpacked(b"".join(map(pack, parts)), encoding, MEBIBYTE) == b"".join(parts)


@pytest.mark.parametrize(("encoding", "pack"), PACK)
@pytest.mark.parametrize("size", [1001, 64 * MEBIBYTE])
def test_a_bomb_is_defused_at_the_limit(
    encoding: str, pack: Callable[[bytes], bytes], size: int
) -> None:
    bomb = pack(bytes(size))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge):
            unpacked(bomb, encoding, 1000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < MEBIBYTE


def test_a_bomb_of_many_small_streams_ends_too() -> None:
    with pytest.raises(SanicException) as error:
        unpacked(gzip.compress(b"") * 1_000_000, "gzip", MEBIBYTE)

    assert error.value.status_code == 400


@pytest.mark.parametrize(("encoding", "pack"), PACK)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-1],
        lambda body: body[: len(body) // 2],
        lambda body: b"\xff\xfe" + body,
        lambda body: body + b"more",
    ],
)
def test_what_is_broken_is_told(
    encoding: str,
    pack: Callable[[bytes], bytes],
    spoil: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(SanicException) as error:
        unpacked(spoil(pack(b"a body of some length")), encoding, MEBIBYTE)

    assert error.value.status_code == 400
    assert encoding in str(error.value)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "compress", "gzip;q=1"])
def test_other_encodings_are_refused_with_those_that_are_not(encoding: str) -> None:
    with pytest.raises(SanicException) as error:
        unpacked(b"x", encoding, MEBIBYTE)

    assert error.value.status_code == 415
    assert error.value.headers == {"Accept-Encoding": "gzip, deflate, zstd"}
