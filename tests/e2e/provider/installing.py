"""Putting the stand-in where the engine looks for the real plugin."""

import shlex
import sys
from pathlib import Path

from e2e.provider import VERSION

_TESTS = Path(__file__).resolve().parents[2]


def install(home: Path) -> Path:
    """Write the plugin into a `PULUMI_HOME`, run by this interpreter; its path."""
    folder = home / "plugins" / f"resource-kubernetes-v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    plugin = folder / "pulumi-resource-kubernetes"
    python, tests = shlex.quote(sys.executable), shlex.quote(str(_TESTS))
    plugin.write_text(
        "#!/bin/sh\n"
        "# A stand-in for the real plugin, for tests.\n"
        f'PYTHONPATH={tests} exec {python} -P -m e2e.provider "$@"\n'
    )
    plugin.chmod(0o755)
    return plugin
