"""From a kubeconfig to a client that asks the API server, and its failures in words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from kubernetes import client, dynamic
from kubernetes.client import ApiException

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.cluster.kubeconfig import load
from cortex_stacks.args import Cluster

_PATIENCE = (10.0, 60.0)
"""Seconds to connect, and for each answer."""
_UNKNOWN, _FORBIDDEN = 401, 403


class Connection:
    """One API server, asked by path; every failure is a TargetError in words.

    Attributes:
        host: Its address, such as "https://10.0.0.1:6443".
    """

    def __init__(self, cluster: Cluster) -> None:
        configuration = client.Configuration()
        load(cluster, configuration)
        configuration.retries = False
        self.host: str = configuration.host
        self.api_client = client.ApiClient(configuration)
        # Its own discovery would keep a file in the folder for temporary files.
        self._client = dynamic.DynamicClient(
            self.api_client, discoverer=lambda *_: None
        )

    def request(
        self, method: str, path: str, body: object = None, **options: object
    ) -> dict[str, Any]:
        """The decoded answer.

        Raises:
            NotThereError: Nothing is at that path.
            TargetError: The cluster cannot be reached, or refuses.
        """
        with self.explained():
            answer: dict[str, Any] = self._client.request(
                method,
                path,
                body,
                serializer=lambda _, decoded: decoded,
                _request_timeout=_PATIENCE,
                **options,
            )
        return answer

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn whatever the client raises into one sentence."""
        try:
            yield
        except ApiException as error:
            raise _in_words(error, self.host) from error
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.host, error) from error


class NotThereError(TargetError):
    """The API server has nothing at that path."""


def _in_words(error: ApiException, host: str) -> TargetError:
    if error.status == 404:  # noqa: PLR2004  # not found
        return NotThereError(_message(error))
    if error.status == _UNKNOWN:
        return TargetError(
            f"the cluster at {host} does not know who you are; log in to it again, so"
            " that `kubectl get namespaces` works"
        )
    if error.status == _FORBIDDEN:
        return TargetError(
            f"the cluster at {host} does not allow that: {_message(error)}; ask its"
            " administrator for the right"
        )
    if not error.status:
        return _unreachable(host, error)
    return TargetError(f"the cluster at {host} answered: {_message(error)}")


def _unreachable(host: str, error: Exception) -> TargetError:
    reason = str(getattr(error, "reason", None) or error).strip()
    return TargetError(
        f"the cluster at {host} cannot be reached: {reason.splitlines()[-1]}; see"
        " whether `kubectl cluster-info` works"
    )


def _message(error: ApiException) -> str:
    body: Any = error.body or ""
    try:
        decoded = json.loads(body)
    except ValueError:
        decoded = None
    if isinstance(decoded, Mapping) and decoded.get("message"):
        return str(decoded["message"])
    return f"{error.status} {error.reason}"
