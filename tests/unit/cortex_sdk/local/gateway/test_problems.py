from typing import Any

from cortex_sdk.local.gateway.problems import local_replies


def mapper(status: int) -> dict[str, Any]:
    for found in local_replies()["mappers"]:
        comparison = found["filter"].get("status_code_filter", {}).get("comparison")
        if comparison and comparison["value"]["default_value"] == status:
            return dict(found)
    raise AssertionError(status)


def test_every_answer_is_a_problem_document() -> None:
    replies = local_replies()
    formats = [one["body_format_override"] for one in replies["mappers"]]

    for body in [*formats, replies["body_format"]]:
        assert set(body["json_format"]) == {"type", "title", "status", "detail"}
        assert body["content_type"] == "application/problem+json"


def test_an_unknown_path_says_so() -> None:
    body = mapper(404)["body_format_override"]["json_format"]

    assert body["title"] == "Not Found"
    assert body["detail"] == "no API is served at this path"


def test_an_api_without_a_replica_says_when_to_come_again() -> None:
    (header,) = mapper(503)["headers_to_add"]

    assert header["header"]["key"] == "retry-after"


def test_a_request_lost_on_the_way_is_a_502_before_anything_else() -> None:
    first = local_replies()["mappers"][0]

    assert first["filter"]["response_flag_filter"]["flags"] == ["UC", "UR", "LR"]
    assert first["status_code"] == 502
