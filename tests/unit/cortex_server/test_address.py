import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex_server.address import bind, unlink


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="s-") as folder:  # short enough for sockets
        yield Path(folder)


def test_a_unix_socket_is_private_and_refuses_until_it_listens(folder: Path) -> None:
    path = folder / "http.sock"
    with bind(f"unix:{path}") as bound, socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(ConnectionRefusedError):
            client.connect(str(path))

        bound.listen()
        client.connect(str(path))


def test_a_socket_that_was_left_behind_is_replaced(folder: Path) -> None:
    path = folder / "http.sock"
    bind(f"unix:{path}").close()
    assert path.exists()

    with bind(f"unix:{path}") as bound:
        assert bound.getsockname() == str(path)


def test_a_file_is_never_replaced(folder: Path) -> None:
    path = folder / "data"
    path.write_text("precious")

    with pytest.raises(OSError, match="Address already in use"):
        bind(f"unix:{path}")

    assert path.read_text() == "precious"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_refuses_until_it_listens(host: str) -> None:
    with bind(f"{host}:0") as bound, socket.socket() as client:
        with pytest.raises(ConnectionRefusedError):
            client.connect(bound.getsockname())

        bound.listen()
        client.connect(bound.getsockname())


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_stands_in_brackets() -> None:
    with bind("[::1]:0") as bound:
        assert bound.family is socket.AF_INET6


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        with pytest.raises(OSError, match=r"^cannot listen on 127.0.0.1:\d+: Address"):
            bind(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "nonsense", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:-1"),
        *("unix:/no/such/folder/a.sock", f"unix:/tmp/{'x' * 200}", "unix:"),
    ],
)
def test_an_impossible_address_is_named(address: str) -> None:
    with pytest.raises(OSError, match=r"^cannot listen on ") as caught:
        bind(address)

    assert str(caught.value).startswith(f"cannot listen on {address}: ")
    assert "\n" not in str(caught.value)


def test_only_socket_files_are_removed(folder: Path) -> None:
    path = folder / "http.sock"
    bind(f"unix:{path}").close()

    unlink(f"unix:{path}", "127.0.0.1:1", f"unix:{folder / 'gone.sock'}")

    assert not path.exists()
