import pytest

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.kubernetes.policy import check

BALANCER = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "iris"},
    "spec": {"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]},
}


def test_all_that_is_wrong_is_one_error() -> None:
    with pytest.raises(InvalidSpecError, match=r"LoadBalancer.*; Service.*externalIPs"):
        check([BALANCER])


def test_what_was_asked_for_passes() -> None:
    spec = {"type": "LoadBalancer"}

    check([BALANCER | {"spec": spec}], public=True)
