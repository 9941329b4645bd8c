from typing import Any

import pytest

from cortex_sdk import (
    CORS,
    ApiKeys,
    Batching,
    Compute,
    InvalidSpecError,
    Monitoring,
    Networking,
    UpdateStrategy,
)
from cortex_sdk.declaration.value import Value

REQUIRED: dict[type[Value], dict[str, Any]] = {
    Batching: {"max_batch_size": 2, "batch_interval": "10ms"},
    Monitoring: {"model_type": "regression"},
}


def refusal(model: type[Value], **fields: object) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        model(**REQUIRED.get(model, {}) | fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (Networking(), {"endpoint": None, "cors": None}),
        (Compute(), {"cpu": 0.2, "mem": None, "gpu": 0, "inf": 0}),
        (UpdateStrategy(), {"max_surge": "25%", "max_unavailable": "25%"}),
        (
            CORS(),
            {
                "allow_origins": ("*",),
                "allow_methods": ("GET", "POST", "OPTIONS"),
                "allow_headers": ("*",),
                "expose_headers": ("x-request-id",),
                "allow_credentials": False,
                "max_age": 600,
            },
        ),
        (Batching(**REQUIRED[Batching]), {"max_batch_size": 2, "batch_interval": 0.01}),
        (
            Monitoring(model_type="regression"),
            {"model_type": "regression", "key": None},
        ),
        (ApiKeys(), {"file": ".api-keys"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_defaults(value: Value, fields: dict[str, Any]) -> None:
    assert value.model_dump() == fields


@pytest.mark.parametrize(
    ("model", "field", "given", "kept"),
    [
        (Networking, "endpoint", "/iris", "/iris"),
        (Networking, "endpoint", "iris", "/iris"),
        (Networking, "endpoint", "/v1/my-iris_2.0", "/v1/my-iris_2.0"),
        (Networking, "endpoint", "/" + "a" * 999, "/" + "a" * 999),
        (Networking, "cors", {}, CORS()),
        (Compute, "cpu", "20m", 0.02),
        (Compute, "cpu", 2, 2.0),
        (Compute, "mem", "20Mi", 20 * 1024**2),
        (Compute, "mem", "2G", 2 * 10**9),
        (Compute, "gpu", 8, 8),
        (Compute, "inf", 1, 1),
        (UpdateStrategy, "max_surge", 0, 0),
        (UpdateStrategy, "max_surge", "0%", "0%"),
        (UpdateStrategy, "max_surge", "100%", "100%"),
        (UpdateStrategy, "max_unavailable", 3, 3),
        (Batching, "max_batch_size", 1024, 1024),
        (Batching, "batch_interval", "1ms", 0.001),
        (Monitoring, "model_type", "classification", "classification"),
        (Monitoring, "key", "label", "label"),
        (CORS, "allow_origins", ["https://a.example"], ("https://a.example",)),
        (CORS, "max_age", "1h", 3600),
    ],
)
def test_values_inside_the_rules_are_kept(
    model: type[Value], field: str, given: object, kept: object
) -> None:
    assert getattr(model(**REQUIRED.get(model, {}) | {field: given}), field) == kept


ENDPOINT = 'must be a path such as "/iris" of letters, digits, "-", "_", ".", "/"'
SHARE = 'must be a whole number of at least 0, or a percentage from "0%" to "100%"'


@pytest.mark.parametrize(
    ("model", "field", "value", "rule"),
    [
        (Networking, "endpoint", "/", ENDPOINT),
        (Networking, "endpoint", "", ENDPOINT),
        (Networking, "endpoint", "/a//b", ENDPOINT),
        (Networking, "endpoint", "/a/", ENDPOINT),
        (Networking, "endpoint", "/a b", ENDPOINT),
        (Networking, "endpoint", "/a?b", ENDPOINT),
        (Networking, "endpoint", "/../a", ENDPOINT),
        (Networking, "endpoint", "/./a", ENDPOINT),
        (Networking, "endpoint", "/é", ENDPOINT),
        (Networking, "endpoint", "/a\n", ENDPOINT),
        (Networking, "endpoint", 5, "must be text"),
        (Compute, "cpu", "19m", "must be at least 0.02"),
        (Compute, "cpu", "1Mi", 'must be a number of cores such as 0.5, "2", "200m"'),
        (Compute, "mem", "19Mi", "must be at least 20Mi"),
        (Compute, "mem", -1, "must be at least 20Mi"),
        (
            Compute,
            "mem",
            1.5,
            'must be a size such as "512Mi", "2G", or a number of bytes',
        ),
        (Compute, "gpu", -1, "must be at least 0"),
        (Compute, "inf", 2, "must be at most 1"),
        (UpdateStrategy, "max_surge", "101%", SHARE),
        (UpdateStrategy, "max_surge", "1.5%", SHARE),
        (UpdateStrategy, "max_surge", "25", SHARE),
        (UpdateStrategy, "max_surge", -1, SHARE),
        (UpdateStrategy, "max_surge", 0.25, SHARE),
        (UpdateStrategy, "max_unavailable", True, SHARE),
        (Batching, "max_batch_size", 1, "must be at least 2"),
        (Batching, "max_batch_size", 1025, "must be at most 1024"),
        (Batching, "batch_interval", 0, "must be above 0"),
        (Monitoring, "model_type", "both", "must be 'classification' or 'regression'"),
        (CORS, "allow_origins", "https://a.example", "must be a list"),
        (CORS, "allow_credentials", "perhaps", "must be True or False"),
        (CORS, "max_age", -1, "must be at least 0"),
    ],
)
def test_values_outside_the_rules_are_refused(
    model: type[Value], field: str, value: object, rule: str
) -> None:
    assert refusal(model, **{field: value}) == (
        f"`{model.__name__}.{field}` {rule}, got {value!r}"
    )


def test_an_endpoint_may_not_be_longer_than_cortex_had_it() -> None:
    assert "must be at most 1000 characters" in refusal(Networking, endpoint="a" * 1000)


@pytest.mark.parametrize("model", REQUIRED)
def test_what_has_no_default_is_required(model: type[Value]) -> None:
    with pytest.raises(InvalidSpecError, match="required"):
        model()


@pytest.mark.parametrize(
    ("model", "fields", "rule"),
    [
        (Compute, {"gpu": 1, "inf": 1}, "gpu and inf cannot be used together"),
        (
            UpdateStrategy,
            {"max_surge": 0, "max_unavailable": "0%"},
            "max_surge and max_unavailable cannot both be zero",
        ),
        (
            UpdateStrategy,
            {"max_surge": 0, "max_unavailable": 0},
            "max_surge and max_unavailable cannot both be zero",
        ),
        (
            CORS,
            {"allow_credentials": True},
            'allow_credentials needs origins by name, not "*"',
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    model: type[Value], fields: dict[str, Any], rule: str
) -> None:
    assert refusal(model, **fields) == f"`{model.__name__}`: {rule}"


@pytest.mark.parametrize(
    "origin",
    ["shop.example", "https://shop.example/path", "https://*.example", "https://", ""],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    said = refusal(CORS, allow_origins=["https://a.example", origin])

    assert said.startswith('`CORS.allow_origins[1]` must be "*" or an origin such as')


@pytest.mark.parametrize(
    "origin", ["*", "null", "http://localhost:3000", "https://[::1]:8", "app://x"]
)
def test_an_origin_that_a_browser_sends_is_taken(origin: str) -> None:
    assert CORS(allow_origins=[origin]).allow_origins == (origin,)
