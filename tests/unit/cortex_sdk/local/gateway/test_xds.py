from pathlib import Path
from typing import Any

from cortex_sdk.local.gateway import xds
from cortex_sdk.local.gateway.xds import Route

FOLDER = Path("/home/ada/.cortex/gateway")
IRIS = Route("iris", "/iris", (Path("/run/a/http.sock"),))


def manager(content: dict[str, Any]) -> dict[str, Any]:
    (listener,) = content["resources"]
    (chain,) = listener["filter_chains"]
    (one,) = chain["filters"]
    found: dict[str, Any] = one["typed_config"]
    return found


def test_equal_content_has_the_same_version() -> None:
    assert xds.endpoints(IRIS) == xds.endpoints(IRIS)


def test_other_content_has_another_version() -> None:
    other = Route("iris", "/iris", (Path("/run/b/http.sock"),))

    assert xds.endpoints(other)["version_info"] != xds.endpoints(IRIS)["version_info"]


def test_the_order_of_sockets_is_no_change() -> None:
    sockets = (Path("/run/a"), Path("/run/b"))

    assert xds.endpoints(Route("x", "/x", sockets)) == xds.endpoints(
        Route("x", "/x", sockets[::-1])
    )


def test_the_admin_socket_is_for_its_owner_alone() -> None:
    content = xds.bootstrap(FOLDER, FOLDER / "admin.sock")

    pipe = content["admin"]["address"]["pipe"]
    assert pipe == {"path": f"{FOLDER}/admin.sock", "mode": 0o600}


def test_the_listener_is_on_loopback_and_named_by_its_port() -> None:
    (listener,) = xds.listeners(8077, FOLDER)["resources"]

    assert listener["name"] == "gateway-8077"
    assert listener["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": 8077,
    }


def test_a_second_gateway_cannot_share_the_port() -> None:
    (listener,) = xds.listeners(8077, FOLDER)["resources"]

    assert listener["enable_reuse_port"] is False


def test_no_time_limit_is_the_listeners() -> None:
    listener = manager(xds.listeners(8077, FOLDER))

    assert listener["stream_idle_timeout"] == "0s"
    assert listener["request_timeout"] == "0s"


def test_a_request_id_is_kept_or_made() -> None:
    listener = manager(xds.listeners(8077, FOLDER))

    assert listener["preserve_external_request_id"] is True
    assert listener["generate_request_id"] is True
    assert (
        listener["request_id_extension"]["typed_config"]["pack_trace_reason"] is False
    )


def test_the_gateway_closes_idle_connections_before_the_replica_does() -> None:
    replica_closes_after = 75
    (cluster,) = xds.clusters(["iris"], FOLDER)["resources"]

    (options,) = cluster["typed_extension_protocol_options"].values()
    idle = options["common_http_protocol_options"]["idle_timeout"]

    assert int(idle.removesuffix("s")) < replica_closes_after


def test_the_gateway_refuses_nothing_for_being_too_much() -> None:
    (cluster,) = xds.clusters(["iris"], FOLDER)["resources"]
    (limits,) = cluster["circuit_breakers"]["thresholds"]

    assert min(limits.values()) > 65535
    assert "max_retries" in limits
