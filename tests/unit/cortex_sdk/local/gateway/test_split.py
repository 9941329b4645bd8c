from pathlib import Path

from cortex_sdk import TrafficSplitter
from cortex_sdk.local.gateway.split import Split

DECLARED = TrafficSplitter(
    "iris",
    apis={"iris-a": 80, "iris-b": 20},
    shadow={"iris-c": 10},
    rules=[{"header": "x-variant", "value": "b", "api": "iris-b"}],
    sticky={"cookie": "variant", "lifetime": "1h"},
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    split = Split.of(DECLARED)

    split.write(tmp_path / "iris.json")

    assert Split.read(tmp_path / "iris.json") == split


def test_other_weights_are_another_revision() -> None:
    moved = TrafficSplitter("iris", apis={"iris-a": 70, "iris-b": 30})
    again = TrafficSplitter("iris", apis={"iris-a": 70, "iris-b": 30})

    assert Split.of(moved).revision == Split.of(again).revision
    assert Split.of(moved).revision != Split.of(DECLARED).revision


def test_its_traffic_reads_well() -> None:
    assert Split.of(DECLARED).traffic.rows() == {
        "traffic": "80% iris-a · 20% iris-b",
        "copies": "10% iris-c",
        "rules": "x-variant: b to iris-b",
        "sticky": "cookie variant for 3600 s",
    }
