import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.problems import Problem


def body_of(problem: Problem) -> dict[str, Any]:
    answer = problem.answer("id-1")
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.body)
    return body


def test_the_body_has_the_members_of_problem_details_and_the_id() -> None:
    assert body_of(Problem(404, "not here")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "not here",
        "request_id": "id-1",
    }


def test_wrong_parts_are_listed() -> None:
    errors = [{"pointer": "#/a", "detail": "bad"}]

    assert body_of(Problem(422, "wrong", errors=errors))["errors"] == errors


def test_status_and_headers_are_in_the_answer() -> None:
    answer = Problem(503, "full", headers={"Retry-After": "1"}).answer("id-1")

    assert answer.status == 503
    assert answer.fields == {"Retry-After": "1"}


@pytest.mark.parametrize(
    ("status", "title"), [(499, "Client Closed Request"), (599, "Error")]
)
def test_a_status_that_is_not_standard_has_a_title(status: int, title: str) -> None:
    assert body_of(Problem(status, ""))["title"] == title


@given(st.text(st.characters(codec=None)) | st.just("\udcff\ud800"))
def test_any_text_can_be_the_detail(detail: str) -> None:
    body = body_of(Problem(400, detail))

    assert body["detail"] == detail.encode(errors="replace").decode()
