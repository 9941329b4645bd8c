import json

import pytest
from fakes import FakeTarget, Run


@pytest.mark.parametrize(
    ("arguments", "bounds"),
    [
        (["3"], "3..3"),
        (["--min", "2"], "2..None"),
        (["--max", "9"], "None..9"),
        (["--min", "2", "--max", "9"], "2..9"),
    ],
)
def test_scale_moves_the_bounds_it_was_given(
    cortex: Run, target: FakeTarget, arguments: list[str], bounds: str
) -> None:
    target.with_api("iris")

    result = cortex("scale", "iris", *arguments)

    assert result.code == 0
    assert target.did == [f"scale {bounds} iris"]
    assert "replicas   1 of 1 live" in result.out


@pytest.mark.parametrize("arguments", [[], ["3", "--min", "2"]])
def test_scale_wants_a_number_or_bounds(
    cortex: Run, target: FakeTarget, arguments: list[str]
) -> None:
    target.with_api("iris")

    result = cortex("scale", "iris", *arguments)

    assert result.code == 2
    assert "either a number of replicas" in result.err


def test_refresh_starts_all_replicas_anew(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris")

    result = cortex("refresh", "iris", "-o", "json")

    assert target.did == ["refresh iris"]
    assert json.loads(result.out)["name"] == "iris"
