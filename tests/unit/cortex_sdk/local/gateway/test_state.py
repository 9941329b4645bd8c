from pathlib import Path

from cortex_sdk.local.gateway.state import GatewayState
from cortex_sdk.local.home import Home


def test_what_was_written_is_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    state = GatewayState(port=9000, pid=12, started=3.5)

    state.write(home)

    assert GatewayState.read(home) == state


def test_nothing_written_is_the_default_port_and_no_process(tmp_path: Path) -> None:
    state = GatewayState.read(Home(tmp_path))

    assert state.port == 8077
    assert not state.process.is_alive()


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.gateway.mkdir()
    (home.gateway / "state").write_text("{")

    assert GatewayState.read(home) == GatewayState()
