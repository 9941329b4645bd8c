import pytest

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.kubernetes.platform.settings import Platform


def test_unset_it_is_two_envoys_behind_a_load_balancer() -> None:
    platform = Platform()

    assert (platform.service, platform.replicas) == ("LoadBalancer", 2)
    assert platform.changed() == {}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"service": "Ingress"}, "`Platform.service` must be"),
        ({"replicas": 0}, "`Platform.replicas` must be at least 1"),
        ({"kedaa": "x"}, "keda"),
    ],
)
def test_a_wrong_setting_is_named(fields: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidSpecError, match=told):
        Platform(**fields)  # type: ignore[arg-type]  # wrong on purpose
