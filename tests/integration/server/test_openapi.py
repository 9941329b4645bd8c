import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.server.replica import Replica, running
from openapi_spec_validator import OpenAPIV31SpecValidator

TYPED = """
import pydantic

class House(pydantic.BaseModel):
    area: float = pydantic.Field(gt=0)

class P:
    def predict(self, payload: House) -> dict[str, float]:
        "What a house costs."
        return {"price": 3000 * payload.area}
"""


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(TYPED, ("--endpoint", "/a/houses"), name="houses") as one:
        yield one


def test_the_document_is_valid(replica: Replica) -> None:
    document = replica.client.get("/openapi.json").json()

    OpenAPIV31SpecValidator(document).validate()
    assert document["info"]["title"] == "houses"


@pytest.mark.parametrize(
    ("path", "forwarded", "url"),
    [
        ("/openapi.json", "", "/"),
        ("/openapi.json", "/houses", "/houses"),
        ("/openapi.json", "/houses/", "/houses"),
        ("/a/houses/openapi.json", "", "/a/houses"),
        ("/a/houses/openapi.json", "/outer", "/outer/a/houses"),
        ("/openapi.json", "https://elsewhere", "/"),
        ("/openapi.json", "//elsewhere", "/"),
        ("/openapi.json", '/"', "/"),
    ],
)
def test_the_server_is_where_the_client_reaches_it(
    replica: Replica, path: str, forwarded: str, url: str
) -> None:
    headers = {"x-forwarded-prefix": forwarded} if forwarded else {}

    document = replica.client.get(path, headers=headers).json()

    assert document["servers"] == [{"url": url}]


def test_the_example_is_answered(replica: Replica) -> None:
    document = replica.client.get("/openapi.json").json()
    body = document["paths"]["/"]["post"]["requestBody"]["content"]

    answer = replica.client.post("/", json=body["application/json"]["example"])

    assert answer.json() == {"price": 3000}


def test_the_summary_says_where_to_look(replica: Replica) -> None:
    summary = replica.client.get("/a/houses").json()

    assert summary["docs"] == "/a/houses/docs"
    for page in (summary["docs"], summary["openapi"]):
        assert replica.client.get(page).is_success


@pytest.mark.parametrize("path", ["/docs", "/a/houses/docs"])
def test_the_page_loads_nothing_from_elsewhere(replica: Replica, path: str) -> None:
    answer = replica.client.get(path)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in re.sub(r"/\*.*?\*/", "", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; connect-src 'self'" in policy
    assert "http" not in policy


def test_the_page_is_for_everybody_and_the_document_for_those_with_a_key(
    tmp_path: Path,
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key-of-more-than-16-characters\n")

    with running(TYPED, ("--keys", str(keys)), name="houses") as replica:
        assert replica.client.get("/docs").is_success
        assert replica.client.get("/openapi.json").status_code == 401
        key = {"x-api-key": keys.read_text().strip()}
        document = replica.client.get("/openapi.json", headers=key).json()
        assert document["security"]
