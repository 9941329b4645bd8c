import inspect
import subprocess
import sys

import pytest

import cortex_sdk
from cortex_sdk import errors
from cortex_sdk.declaration.value import Value

FORBIDDEN = (
    "pulumi",
    "grpc",
    "kubernetes",
    "cortex_stacks",
    "sanic",
    "envoy",
    "httpx",
    "structlog",
    "prometheus_client",
    "psutil",
    "typer",
    "rich",
    "cloudpickle",
    "pathspec",
    "packaging",
    "dotenv",
    "orjson",
    "asyncio",
)
PUBLIC = [getattr(cortex_sdk, name) for name in cortex_sdk.__all__]


def test_the_public_names_are_sorted_and_there() -> None:
    in_order = sorted(cortex_sdk.__all__, key=lambda name: (not name.isupper(), name))
    assert in_order == cortex_sdk.__all__
    assert len(set(cortex_sdk.__all__)) == len(cortex_sdk.__all__)
    for name in cortex_sdk.__all__:
        assert hasattr(cortex_sdk, name)


def test_the_public_names_are_few() -> None:
    assert len(cortex_sdk.__all__) <= 24


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_every_public_name_has_a_docstring_of_its_own(thing: type) -> None:
    assert vars(thing)["__doc__"].strip().partition("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_every_public_method_has_a_docstring(thing: type) -> None:
    for name, member in vars(thing).items():
        if not name.startswith("_") and inspect.isroutine(member):
            assert inspect.getdoc(member), f"{thing.__name__}.{name}"


@pytest.mark.parametrize(
    "model",
    [thing for thing in PUBLIC if issubclass(thing, Value)],
    ids=lambda thing: thing.__name__,
)
def test_every_field_has_a_sentence_about_it(model: type[Value]) -> None:
    source = inspect.getsource(model)
    for name in model.model_fields:
        _, _, after = source.partition(f"\n    {name}: ")
        assert '"""' in after.split("\n    ", 2)[1], name


def test_every_error_is_public_and_a_cortex_error() -> None:
    assert set(errors.__all__) <= set(cortex_sdk.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.CortexError)


def test_importing_the_package_loads_nothing_that_only_a_verb_needs() -> None:
    code = f"import sys, cortex_sdk; print(set(sys.modules) & set({FORBIDDEN!r}))"
    command = [sys.executable, "-c", code]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_declaring_an_api_loads_nothing_that_only_a_verb_needs() -> None:
    code = f"""
import sys, cortex_sdk
class Iris:
    def predict(self, payload: int) -> int: ...
cortex_sdk.SyncAPI(Iris, compute={{"mem": "1Gi"}})
print(set(sys.modules) & set({FORBIDDEN!r}))
"""
    command = [sys.executable, "-c", code]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
