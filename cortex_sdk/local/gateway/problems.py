"""What the gateway itself answers: the same problem documents as the replicas."""

from http import HTTPStatus
from typing import Any

_LOST_ON_THE_WAY = ["UC", "UR", "LR"]
_RETRY_AFTER = {
    "header": {"key": "retry-after", "value": "1"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
_DETAILS = {
    HTTPStatus.NOT_FOUND: "no API is served at this path",
    HTTPStatus.BAD_GATEWAY: "the replica ended before it answered",
    HTTPStatus.SERVICE_UNAVAILABLE: "no replica is ready",
}
_OTHERS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.UPGRADE_REQUIRED,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.GATEWAY_TIMEOUT,
)


def local_replies() -> dict[str, Any]:
    """The `local_reply_config` of the connection manager."""
    lost = {"response_flag_filter": {"flags": _LOST_ON_THE_WAY}}
    statuses = [*_DETAILS, *_OTHERS]
    return {
        "mappers": [
            {
                "filter": lost,
                "status_code": HTTPStatus.BAD_GATEWAY.value,
                "body_format_override": _problem(HTTPStatus.BAD_GATEWAY),
            },
            *(_mapper(status) for status in statuses),
        ],
        "body_format": _format("%RESPONSE_CODE_DETAILS%", "%LOCAL_REPLY_BODY%"),
    }


def _mapper(status: HTTPStatus) -> dict[str, Any]:
    value = {"default_value": status.value, "runtime_key": f"status.{status.value}"}
    mapper: dict[str, Any] = {
        "filter": {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}},
        "body_format_override": _problem(status),
    }
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        mapper["headers_to_add"] = [_RETRY_AFTER]
    return mapper


def _problem(status: HTTPStatus) -> dict[str, Any]:
    return _format(status.phrase, _DETAILS.get(status, "%LOCAL_REPLY_BODY%"))


def _format(title: str, detail: str) -> dict[str, Any]:
    problem = {
        "type": "about:blank",
        "title": title,
        "status": "%RESPONSE_CODE%",
        "detail": detail,
    }
    return {"json_format": problem, "content_type": "application/problem+json"}
