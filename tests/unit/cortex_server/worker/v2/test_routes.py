import orjson

from cortex_server.worker.answer import Answer
from cortex_server.worker.problems import Problem
from cortex_server.worker.v2.routes import as_error


def test_an_answer_stays_as_it_is() -> None:
    answer = Answer(b"{}")

    assert as_error(answer) is answer


def test_a_problem_becomes_an_error_of_the_protocol() -> None:
    problem = Problem(503, "try again", headers={"Retry-After": "1"}).answer("id")
    problem.after = print

    error = as_error(problem)

    assert orjson.loads(error.body) == {"error": "try again"}
    assert (error.status, error.content_type) == (503, "application/json")
    assert (error.fields, error.after) == ({"Retry-After": "1"}, print)


def test_an_error_of_the_predictor_becomes_text() -> None:
    error = as_error(Answer(b"busy \xff", "text/plain", 429))

    assert orjson.loads(error.body) == {"error": "busy \ufffd"}
