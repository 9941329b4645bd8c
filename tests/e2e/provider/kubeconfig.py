"""How to reach a cluster: what a kubeconfig says, be it a path or a text."""

import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig, and the folder that relative paths in it start from."""

    config: Config
    folder: Path


@dataclass(frozen=True)
class Access:
    """An API server, how to trust it, and how it trusts us."""

    server: str
    tls: ssl.SSLContext
    headers: Mapping[str, str]
    namespace: str


def load(path_or_text: str) -> Kubeconfig:
    """Read a kubeconfig; without one, the user's own.

    Raises:
        ValueError: It is neither a file nor a kubeconfig.
    """
    path = _path(path_or_text or _default())
    config = yaml.safe_load(path.read_text() if path else path_or_text)
    if not isinstance(config, dict):
        raise ValueError(  # noqa: TRY004 - a wrong text, not a wrong type
            "failed to parse kubeconfig: neither a file nor a kubeconfig"
        )
    return Kubeconfig(config, path.parent if path else Path())


def entry(config: Config, kind: str, name: str | None) -> dict[str, Any]:
    """A context, a cluster or a user by name; empty when there is none.

    Without a name the current context is meant.
    """
    wanted = config.get("current-context") if kind == "context" and not name else name
    found = (one for one in config.get(f"{kind}s") or [] if one["name"] == wanted)
    return dict(next(found, {}).get(kind) or {})


def access(loaded: Kubeconfig, context: str) -> Access:
    """What is needed to talk to the API server of a context.

    Raises:
        ValueError: There is no such context, or its user proves who it is in a way
            that the stand-in does not know.
    """
    chosen = entry(loaded.config, "context", context)
    cluster = entry(loaded.config, "cluster", chosen.get("cluster"))
    if "server" not in cluster:
        raise ValueError(f'context "{context}" does not exist')
    user = entry(loaded.config, "user", chosen.get("user"))
    return Access(
        cluster["server"],
        _tls(cluster, user, loaded.folder),
        _headers(user, loaded.folder),
        chosen.get("namespace") or "default",
    )


def _default() -> str:
    named = os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0]
    return named or str(Path.home() / ".kube" / "config")


def _path(path_or_text: str) -> Path | None:
    if "\n" in path_or_text or path_or_text.lstrip().startswith("{"):
        return None
    path = Path(path_or_text).expanduser()
    return path if path.is_file() else None


def _headers(user: Config, folder: Path) -> dict[str, str]:
    if "exec" in user or "auth-provider" in user:
        raise ValueError("The stand-in knows only certificates and tokens.")
    token = user.get("token")
    if "tokenFile" in user:
        token = (folder / user["tokenFile"]).read_text().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _tls(cluster: Config, user: Config, folder: Path) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _content(user, "client-certificate", folder)
    key = _content(user, "client-key", folder)
    if certificate and key:
        _present(context, certificate + key)
    return context


def _present(context: ssl.SSLContext, pair: str) -> None:
    """Load a certificate and its key, which Python reads from a file only."""
    with tempfile.NamedTemporaryFile("w") as file:  # mode 0600
        file.write(pair)
        file.flush()
        context.load_cert_chain(file.name)


def _content(section: Config, key: str, folder: Path) -> str | None:
    if f"{key}-data" in section:
        return base64.b64decode(section[f"{key}-data"]).decode()
    return (folder / section[key]).read_text() if key in section else None
