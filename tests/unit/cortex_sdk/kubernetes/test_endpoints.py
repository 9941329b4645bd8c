import pytest

from cortex_sdk import Kubernetes
from cortex_sdk.kubernetes import endpoints

HTTP, HTTPS = "http://10.0.0.1", "https://10.0.0.1:8443"


@pytest.mark.parametrize(
    ("fields", "urls", "base"),
    [
        ({}, (), None),
        ({}, (HTTP,), HTTP),
        ({}, (HTTP, HTTPS), HTTPS),
        ({"hostnames": ["api.example.com"]}, (HTTP,), "http://api.example.com"),
        ({"hostnames": ["api.example.com"]}, (HTTPS,), "https://api.example.com:8443"),
        ({"hostnames": ["*.example.com"]}, (HTTP,), HTTP),
        ({"url": "http://127.0.0.1:8080/"}, (HTTP,), "http://127.0.0.1:8080"),
        ({"url": "http://h"}, (), "http://h"),
    ],
)
def test_an_endpoint_begins_where_the_gateway_is_reached(
    fields: dict[str, object], urls: tuple[str, ...], base: str | None
) -> None:
    assert endpoints.public(Kubernetes(**fields), urls) == base


def test_a_host_is_named_where_the_url_has_another() -> None:
    hosts = ["api.example.com"]

    assert endpoints.host_to_name(Kubernetes(hostnames=hosts)) is None
    named = Kubernetes(hostnames=hosts, url="http://127.0.0.1:8080")
    assert endpoints.host_to_name(named) == "api.example.com"


def test_an_api_without_an_address_has_one_for_pods() -> None:
    inside = endpoints.inside("iris", "models")

    assert inside == "http://iris.models.svc"
    assert endpoints.is_inside(inside)
    assert not endpoints.is_inside("http://10.0.0.1/iris")
