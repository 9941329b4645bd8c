import base64
from typing import Any

import pytest
import yaml
from unit.cortex_sdk.kubernetes.planned import PLAIN, SECRET

from cortex_sdk.kubernetes.rendering import file_names, left_out, manifests, text


def decoded(objects: tuple[dict[str, Any], ...]) -> str:
    """All the text, whatever it is encoded in."""
    values = [
        base64.b64decode(value).decode()
        for each in objects
        for value in each.get("data", {}).values()
    ]
    return text(objects) + "".join(values)


def kinds(objects: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    return [(each["kind"], each["metadata"]["name"]) for each in objects]


def test_the_text_is_what_would_be_deployed() -> None:
    objects = manifests(PLAIN)

    assert list(yaml.safe_load_all(text(objects))) == list(objects)
    assert ("Deployment", "iris") in kinds(objects)


def test_without_secrets_nothing_is_left_out() -> None:
    assert manifests(PLAIN) == manifests(PLAIN, secrets=True)
    assert left_out(PLAIN) == ()


def test_secrets_are_placeholders_unless_they_are_asked_for() -> None:
    assert "hunter" not in decoded(manifests(SECRET))
    assert '"API_TOKEN": "REPLACE-ME"' in decoded(manifests(SECRET))
    shown = decoded(manifests(SECRET, secrets=True))
    for secret in ("hunter2", "hunter4-hunter4-hunter4", "me:hunter5@"):
        assert secret in shown


def test_no_placeholder_lets_anybody_in() -> None:
    assert ("Secret", "iris-keys") not in kinds(manifests(SECRET))
    assert ("Secret", "iris-keys") in kinds(manifests(SECRET, secrets=True))


def test_what_is_missing_is_said() -> None:
    values, index, keys = left_out(SECRET)

    assert values == "the values of API_TOKEN are REPLACE-ME"
    assert index == "the address of the package index is REPLACE-ME"
    assert "secret generic iris-keys --namespace models --from-file=keys" in keys


@pytest.mark.parametrize("secrets", [True, False])
def test_files_sort_in_the_order_in_which_they_can_be_applied(*, secrets: bool) -> None:
    objects = manifests(SECRET, secrets=secrets)

    named = file_names(objects)

    assert list(named.values()) == list(objects)
    assert list(named) == sorted(named)
    assert "01-serviceaccount-iris.yaml" in named
