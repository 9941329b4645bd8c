import pytest
from comparison.options import options


def test_everything_is_measured_unless_names_are_given() -> None:
    names = [server.name for server in options([]).servers]

    assert names == ["cortex", "sanic", "asyncio", "fastapi", "litserve", "bentoml"]


def test_names_choose_servers_and_workloads_in_the_given_order() -> None:
    asked = options(["--servers", "sanic,cortex", "--workloads", "w6,w1"])

    assert [server.name for server in asked.servers] == ["sanic", "cortex"]
    assert [workload.name for workload in asked.workloads] == ["w6", "w1"]


def test_quick_gives_way_to_what_is_said_outright() -> None:
    asked = options(["--quick", "--duration", "3"])

    assert (asked.repeats, asked.seconds) == (1, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--servers", "flask"], "'flask' is none of cortex, sanic"),
        (["--workloads", "w1,w9"], "'w9' is none of w1, w2"),
        (["--repeats", "0"], "must be a whole number above 0, not '0'"),
        (["--duration", "1.5"], "must be a whole number above 0, not '1.5'"),
    ],
)
def test_refuses_what_it_does_not_know(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options(arguments)

    assert said in capsys.readouterr().err
