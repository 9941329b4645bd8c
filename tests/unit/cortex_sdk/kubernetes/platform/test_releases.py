import re

import pytest

from cortex_sdk.kubernetes.platform.releases import (
    ENVOY_GATEWAY,
    GATEWAY_API,
    KEDA,
    Release,
)
from cortex_sdk.kubernetes.platform.settings import Platform

_ALL = pytest.mark.parametrize("release", [GATEWAY_API, ENVOY_GATEWAY, KEDA])


@_ALL
def test_a_release_is_pinned_by_version_and_checksum(release: Release) -> None:
    assert release.url.startswith("https://github.com/")
    assert f"/v{release.version}/" in release.url
    assert re.fullmatch("[0-9a-f]{64}", release.sha256)


@_ALL
def test_each_release_can_be_given_from_elsewhere(release: Release) -> None:
    assert release.field in Platform.model_fields
