"""What a kubeconfig says: where a cluster is, and who the user is there."""

import difflib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from kubernetes import config

from cortex_sdk.errors import TargetError
from cortex_stacks.args import Cluster


def load(cluster: Cluster, configuration: Any) -> None:  # noqa: ANN401  # the client's, untyped
    """Fill the client's configuration.

    Raises:
        TargetError: There is no kubeconfig, no such context in it, or the program that
            signs the user in fails.
    """
    options = {
        "context": cluster.context,
        "client_configuration": configuration,
        "persist_config": False,
    }
    given = cluster.kubeconfig
    try:
        with _complaints() as said:
            if given is not None and _is_text(given):
                config.load_kube_config_from_dict(yaml.safe_load(given), **options)
            else:
                config.load_kube_config(given, **options)
    except (config.ConfigException, yaml.YAMLError, OSError) as error:
        raise TargetError(_unusable(cluster, error)) from error
    if said:
        msg = (
            f"signing in to the cluster fails: {said[-1]}; run the command that the"
            " kubeconfig names by hand, or log in again"
        )
        raise TargetError(msg)


def _unusable(cluster: Cluster, error: Exception) -> str:
    contexts = _contexts(cluster)
    if cluster.context is not None and contexts and cluster.context not in contexts:
        near = difflib.get_close_matches(cluster.context, contexts, 1)
        listed = ", ".join(contexts)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {listed}"
        return f"the kubeconfig has no context {cluster.context!r}; {hint}"
    reason = str(error).partition("\n")[0].rstrip(".")
    return (
        f"no cluster to use: {reason}; write its kubeconfig to ~/.kube/config or name"
        " file and context in Kubernetes(kubeconfig=..., context=...)"
    )


def _contexts(cluster: Cluster) -> list[str]:
    """Names of all contexts, none where the kubeconfig cannot be read."""
    given = cluster.kubeconfig
    try:
        if given is not None and _is_text(given):
            listed = yaml.safe_load(given)["contexts"]
        else:
            listed, _ = config.list_kube_config_contexts(given)
    except (config.ConfigException, yaml.YAMLError, OSError, KeyError, TypeError):
        return []
    return [str(each["name"]) for each in listed]


def _is_text(kubeconfig: str) -> bool:
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the client only logs: that a program which signs in has failed."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage().partition("\n")[0])

    listener, root = Listener(logging.ERROR), logging.getLogger()
    root.addHandler(listener)
    try:
        yield said
    finally:
        root.removeHandler(listener)
