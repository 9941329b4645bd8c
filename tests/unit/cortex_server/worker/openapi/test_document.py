from collections.abc import Iterator
from typing import Any

import numpy as np
import pydantic
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cortex_server.interface import interface_of
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.worker.openapi.document import Document


class House(pydantic.BaseModel):
    area: float = pydantic.Field(alias="square metres")


class Typed:
    def predict(self, payload: House, query_params: Any) -> House:
        """Give it back."""
        return payload


class Untyped:
    def predict(self, payload):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # that is the case
        return payload


class Array:
    def predict(self, payload: np.ndarray) -> list[np.ndarray]:
        return [payload]


class Texts:
    def predict(self, payload: str) -> Iterator[str]:
        yield payload


class Nothing:
    def predict(self) -> bytes:
        return b""


def document(cls: type, prefix: str = "", *, needs_key: bool = False) -> dict[str, Any]:
    manifest = Manifest(
        name="houses", bundle="0", predictor=PredictorModule(module="a", qualname="P")
    )
    made = Document(manifest, interface_of(cls), needs_key=needs_key)
    return made.at(prefix)


def predict(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = document(cls)["paths"]["/"]["post"]
    return found


@pytest.mark.parametrize("needs_key", [False, True])
@pytest.mark.parametrize("cls", [Typed, Untyped, Array, Texts, Nothing])
def test_is_valid_openapi(cls: type, *, needs_key: bool) -> None:
    OpenAPIV31SpecValidator(document(cls, needs_key=needs_key)).validate()  # type: ignore[arg-type]  # a plain dict


@pytest.mark.parametrize(("prefix", "url"), [("", "/"), ("/a/b", "/a/b")])
def test_the_server_is_where_the_client_reaches_it(prefix: str, url: str) -> None:
    assert document(Typed, prefix)["servers"] == [{"url": url}]


def test_names_the_api_its_revision_and_what_it_does() -> None:
    info = document(Typed)["info"]

    assert (info["title"], info["description"]) == ("houses", "Give it back.")
    assert len(info["version"]) == 12


def test_a_model_with_two_forms_has_two_names() -> None:
    schemas = document(Typed)["components"]["schemas"]
    content = predict(Typed)["requestBody"]["content"]["application/json"]["schema"]

    assert list(content["properties"]) == ["square metres"]
    assert not schemas.keys() & {"House"}


def test_each_refusal_has_its_problem() -> None:
    responses = predict(Typed)["responses"]

    refused = {"400", "413", "415", "422", "500", "503", "504", "default"}
    assert responses.keys() == {"200", *refused}
    for status in refused:
        assert list(responses[status]["content"]) == ["application/problem+json"]


def test_only_what_the_predictor_asks_for_is_asked_of_the_client() -> None:
    names = [one["name"] for one in predict(Typed)["parameters"]]

    assert names == ["x-request-id", "query_params"]
    assert [one["name"] for one in predict(Nothing)["parameters"]] == ["x-request-id"]
    assert "requestBody" not in predict(Nothing)


def test_the_protocol_is_there_with_an_example() -> None:
    paths = document(Array)["paths"]

    infer = paths["/v2/models/houses/infer"]["post"]["requestBody"]["content"]
    assert infer["application/json"]["example"]["inputs"][0]["shape"] == [2]
    assert {"/v2", "/v2/health/ready", "/v2/models/houses"} <= paths.keys()


def test_a_key_is_asked_for_where_one_is_needed() -> None:
    assert "security" not in document(Typed)
    assert document(Typed, needs_key=True)["security"] == [{"bearer": []}, {"key": []}]
