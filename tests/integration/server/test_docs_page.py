"""The page of an API in a real browser."""

from collections.abc import Iterator

import pytest
from integration import browser
from integration.conftest import free_port
from integration.server.replica import running

SOURCE = """
import pydantic
from typing import Iterator

class House(pydantic.BaseModel):
    area: float = pydantic.Field(gt=0, description="square metres")
    rooms: int = 1

class P:
    def predict(self, payload: House) -> dict[str, float]:
        "What a house costs."
        return {"price": 3000 * payload.area}
"""

pytestmark = browser.needed


@pytest.fixture
def page() -> Iterator[browser.Page]:
    listen = ("--listen", f"127.0.0.1:{free_port()}", "--endpoint", "/houses")
    with (
        running(SOURCE, listen, name="houses"),
        browser.page(browser.command()) as page,
    ):
        page.open(f"http://{listen[1]}/houses/docs")
        page.wait_for("document.querySelector('#predict textarea')?.value")
        yield page


def test_says_what_the_api_is_and_takes(page: browser.Page) -> None:
    text = page.evaluate("document.body.innerText")

    assert page.evaluate("document.title") == "houses"
    for told in ("What a house costs.", "area", "square metres", "> 0", "optional"):
        assert told in text


def test_the_example_is_one_click_from_its_answer(page: browser.Page) -> None:
    page.evaluate("document.querySelector('#predict button').click()")

    status = page.wait_for("document.querySelector('#predict .status')?.textContent")
    answer = page.wait_for("document.querySelector('#predict .answer')?.textContent")
    assert (status, answer) == ("200 OK", '{\n  "price": 3000\n}')


def test_what_is_wrong_with_a_payload_is_shown(page: browser.Page) -> None:
    page.evaluate("document.querySelector('#predict textarea').value = '{}'")
    page.evaluate("document.querySelector('#predict button').click()")

    page.wait_for("document.querySelector('#predict .answer')?.textContent")
    answer = page.wait_for(
        "document.querySelector('#predict .answer').textContent.includes('#/area')"
    )
    assert answer


def test_the_protocol_is_tried_in_the_same_way(page: browser.Page) -> None:
    page.evaluate("document.querySelector('#infer button').click()")

    answer = "document.querySelector('#infer .answer')?.textContent"
    assert '"outputs"' in page.wait_for(answer)


def test_loads_nothing_from_elsewhere_and_breaks_no_rule(page: browser.Page) -> None:
    host = page.evaluate("location.host")

    assert {url.split("/")[2] for url in page.loaded} == {host}
    assert page.errors == []
