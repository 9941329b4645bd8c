import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.local.gateway.port import PORT_VARIABLE, url, wanted_port


def test_the_variable_gives_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PORT_VARIABLE, "9000")

    assert wanted_port() == 9000


@pytest.mark.parametrize("text", ["", None])
def test_unset_leaves_the_port_as_it_is(
    text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(PORT_VARIABLE, text)

    assert wanted_port() is None


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80a", "8077.0", "abc", "\u0661"])
def test_refuses_what_is_no_port(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PORT_VARIABLE, text)

    with pytest.raises(TargetError) as caught:
        wanted_port()

    assert str(caught.value) == (
        f"CORTEX_GATEWAY_PORT must be a port from 1 to 65535, got {text!r}"
    )


def test_an_api_is_reached_on_loopback() -> None:
    assert url(8077, "/iris") == "http://127.0.0.1:8077/iris"
