"""Calling an API over HTTP, as its users do."""

from typing import Any

import httpx
import orjson

from cortex_sdk.errors import CortexError, PredictError, TargetError


def call(endpoint: str, payload: Any, *, timeout: float) -> Any:  # noqa: ANN401  # user's data
    """POST one payload and return the decoded answer.

    Raises:
        CortexError: The payload is neither bytes nor text nor JSON.
        PredictError: The API answered with status 400 or above.
        TargetError: Nothing answers there, or not in time.
    """
    content, content_type = encoded(payload)
    return send(endpoint, content, content_type, timeout=timeout)


def send(endpoint: str, content: bytes, content_type: str, *, timeout: float) -> Any:  # noqa: ANN401  # user's data
    """POST a body as it is and return the decoded answer; raises as `call` does."""
    try:
        response = httpx.post(
            endpoint,
            content=content,
            headers={"content-type": content_type},
            timeout=timeout,
            trust_env=False,
        )
    except httpx.TimeoutException as error:
        msg = f"{endpoint} did not answer within {timeout:g} seconds"
        raise TargetError(msg) from error
    except httpx.TransportError as error:
        msg = f"nothing answers at {endpoint} ({error}); see `cortex get`"
        raise TargetError(msg) from error
    if response.is_error:
        raise _predict_error(response)
    return decoded(response)


def encoded(payload: Any) -> tuple[bytes, str]:  # noqa: ANN401  # user's data
    """Body and content type of a payload: bytes and text as such, the rest as JSON."""
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload), "application/octet-stream"
    if isinstance(payload, str):
        return payload.encode(), "text/plain; charset=utf-8"
    try:
        content = orjson.dumps(payload, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        msg = f"the payload cannot be sent as JSON ({error}); give bytes, text or JSON"
        raise CortexError(msg) from error
    return content, "application/json"


def decoded(response: httpx.Response) -> Any:  # noqa: ANN401  # user's data
    """Body of a response by its content type: JSON, text, or bytes."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json" or kind.endswith("+json"):
        return response.json()
    return response.text if kind.startswith("text/") else response.content


def _predict_error(response: httpx.Response) -> PredictError:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    said = problem.get("detail") or problem.get("title") or response.text[:200]
    msg = f"the API answered {response.status_code}: {said}"
    return PredictError(msg, response.status_code, problem)
