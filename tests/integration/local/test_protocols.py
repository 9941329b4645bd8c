"""What the server offers beside predictions, through the gateway."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from docs.page import Block, read_page
from integration import clients
from integration.local.project import Project

DOUBLE = """
import numpy as np

class Echo:
    def predict(self, payload: np.ndarray) -> np.ndarray:
        return payload * 2
"""


def test_the_document_says_where_the_gateway_is(project: Project) -> None:
    endpoint = project.deploy_code(DOUBLE, name="double").endpoint

    document = httpx.get(f"{endpoint}/openapi.json").json()

    assert document["servers"] == [{"url": urlsplit(endpoint).path}]
    assert httpx.get(f"{endpoint}/docs").is_success


def test_a_client_cannot_say_where_the_gateway_is(project: Project) -> None:
    endpoint = project.deploy_code(DOUBLE, name="double").endpoint

    headers = {"x-forwarded-prefix": "/elsewhere"}
    document = httpx.get(f"{endpoint}/openapi.json", headers=headers).json()

    assert document["servers"] == [{"url": urlsplit(endpoint).path}]


def test_clients_of_the_protocol_reach_an_api_by_its_endpoint(
    project: Project, client_python: Path
) -> None:
    endpoint = project.deploy_code(DOUBLE, name="double").endpoint
    address = endpoint.removeprefix("http://")

    for claim in ("asks_for_state_and_metadata", "infers_with_every_datatype"):
        clients.show(client_python, clients.TRITON, claim, address)
    clients.show(client_python, clients.KSERVE, "infers", endpoint)


ROOT = Path(__file__).parents[3]
GUIDE = [
    block
    for block in read_page(ROOT / "docs" / "guides" / "protocols.md", ROOT)
    if block.directives.get("needs")
]


@pytest.mark.parametrize("block", GUIDE, ids=lambda block: block.directives["needs"])
def test_the_guides_programs_for_clients_run(
    project: Project, client_python: Path, tmp_path: Path, block: Block
) -> None:
    endpoint = project.deploy_code(DOUBLE, name="double").endpoint
    program = tmp_path / "program.py"
    address = urlsplit(endpoint).netloc
    program.write_text(block.text.replace("127.0.0.1:8077", address))

    clients.run(client_python, "-W", "ignore", program)
