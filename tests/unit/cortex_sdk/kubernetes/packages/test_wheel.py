import io
import zipfile
from email.parser import Parser
from importlib import metadata

from cortex_sdk.kubernetes.packages.wheel import wheel


def members() -> dict[str, bytes]:
    data = wheel().data
    assert data is not None
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_code_gives_the_same_bytes() -> None:
    assert wheel() == wheel()


def test_its_name_is_that_of_a_wheel_of_this_version() -> None:
    version = metadata.version("cortex-sdk")

    assert wheel().name == f"cortex_sdk-{version}-py3-none-any.whl"


def test_it_holds_the_server_and_what_a_predictor_imports_and_no_caches() -> None:
    names = members()

    assert {"cortex_sdk/__init__.py", "cortex_server/__main__.py"} <= names.keys()
    assert not [name for name in names if "__pycache__" in name]
    assert not [name for name in names if name.startswith("cortex_stacks/")]


def test_it_requires_what_the_base_installation_does_and_has_no_extras() -> None:
    version = metadata.version("cortex-sdk")

    text = members()[f"cortex_sdk-{version}.dist-info/METADATA"].decode()

    required = Parser().parsestr(text).get_all("Requires-Dist") or []
    assert any(line.startswith("sanic") for line in required)
    assert not any("extra" in line for line in required)


def test_its_record_lists_all_its_files() -> None:
    found = members()
    version = metadata.version("cortex-sdk")

    record = found[f"cortex_sdk-{version}.dist-info/RECORD"].decode()

    assert {line.partition(",")[0] for line in record.splitlines()} == found.keys()
