import json
import sys
from pathlib import Path

import pytest
import urllib3
from kubernetes.client import ApiException

from cortex_sdk.errors import CortexError, TargetError
from cortex_sdk.kubernetes.cluster.connection import Connection, NotThereError
from cortex_stacks.args import Cluster

_KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: a, cluster: {server: "https://a.example:6443"}}
- {name: b, cluster: {server: "https://b.example:6443"}}
users: [{name: u, user: {token: secret-token}}]
contexts:
- {name: one, context: {cluster: a, user: u}}
- {name: two, context: {cluster: b, user: u}}
"""


@pytest.fixture
def connection() -> Connection:
    return Connection(Cluster(kubeconfig=_KUBECONFIG))


def _failing(connection: Connection, error: Exception) -> str:
    with pytest.raises(CortexError) as caught, connection.explained():
        raise error
    return str(caught.value)


def _refusal(status: int, message: str = "") -> ApiException:
    error = ApiException(status=status, reason="Reason")
    error.body = json.dumps({"kind": "Status", "message": message}).encode()
    return error


def test_takes_the_current_context_of_a_text(connection: Connection) -> None:
    assert connection.host == "https://a.example:6443"


def test_takes_the_context_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(_KUBECONFIG)

    connection = Connection(Cluster(kubeconfig=str(path), context="two"))

    assert connection.host == "https://b.example:6443"


def test_a_context_that_is_not_there_is_told_the_nearest() -> None:
    with pytest.raises(TargetError, match="no context 'twoo'; did you mean 'two'"):
        Connection(Cluster(kubeconfig=_KUBECONFIG, context="twoo"))


def test_a_context_that_is_near_to_none_is_told_all() -> None:
    with pytest.raises(TargetError, match="no context 'xyz'; it has one, two"):
        Connection(Cluster(kubeconfig=_KUBECONFIG, context="xyz"))


def test_a_program_that_does_not_sign_in_is_quoted() -> None:
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", "import sys; sys.exit('the session has expired')"],
        "interactiveMode": "Never",
    }
    user = json.dumps({"name": "u", "user": {"exec": command}})
    text = _KUBECONFIG.replace("{name: u, user: {token: secret-token}}", user)

    with pytest.raises(TargetError, match=r"signing in .*the session has expired"):
        Connection(Cluster(kubeconfig=text))


def test_a_missing_kubeconfig_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        TargetError, match=r"no cluster to use: .*name file and context"
    ):
        Connection(Cluster(kubeconfig=str(tmp_path / "none")))


def test_a_cluster_that_does_not_answer_is_named(connection: Connection) -> None:
    refused = urllib3.exceptions.ProtocolError("connection refused")

    assert _failing(connection, refused) == (
        "the cluster at https://a.example:6443 cannot be reached: connection refused;"
        " see whether `kubectl cluster-info` works"
    )


def test_a_certificate_that_does_not_fit_is_a_cluster_out_of_reach(
    connection: Connection,
) -> None:
    error = ApiException(status=0, reason="SSLError\ncertificate verify failed")

    assert "cannot be reached: certificate verify failed" in _failing(connection, error)


def test_who_is_not_known_is_told_to_log_in(connection: Connection) -> None:
    assert "does not know who you are" in _failing(connection, _refusal(401))


def test_what_is_not_allowed_is_said_in_the_words_of_the_cluster(
    connection: Connection,
) -> None:
    told = _failing(connection, _refusal(403, 'pods is forbidden: User "ann" cannot'))

    assert 'does not allow that: pods is forbidden: User "ann" cannot' in told


def test_what_is_not_there_is_an_error_of_its_own(connection: Connection) -> None:
    with pytest.raises(NotThereError, match="no such pod"), connection.explained():
        raise _refusal(404, "no such pod")


def test_an_answer_that_is_no_json_is_given_by_its_status(
    connection: Connection,
) -> None:
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>"

    assert _failing(connection, error).endswith("answered: 502 Bad Gateway")


def test_no_error_has_the_token_in_it(connection: Connection) -> None:
    assert "secret-token" not in _failing(connection, _refusal(500, "boom"))
