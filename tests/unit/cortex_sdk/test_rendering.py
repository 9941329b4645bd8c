import pytest
from fakes import FakeTarget

from cortex_sdk import _verbs
from cortex_sdk._rendering import duration
from cortex_sdk._target import Metrics, Replicas

HOSTILE = "<script>alert('x')</script>"


def test_a_status_reads_as_one_sentence() -> None:
    target = FakeTarget().with_api(
        "iris", status="updating", replicas=Replicas(3, 1), reason="a new revision"
    )

    assert str(target.status("iris")) == (
        "iris is updating on fake at http://h/iris"
        " (1 of 3 live, revision a1b2c3d4e5f6): a new revision"
    )


def test_a_status_without_a_revision_says_so() -> None:
    status = FakeTarget().with_api("iris", status="error", revision="").status("iris")

    assert str(status).endswith("revision none)")
    assert "<code>none</code>" in status._repr_html_()


def test_nothing_of_others_is_html_in_a_notebook() -> None:
    target = FakeTarget().with_api(
        "iris", reason=HOSTILE, endpoint=f"http://h/{HOSTILE}"
    )

    for shown in (target.status("iris"), _verbs.find("iris", target)):
        assert "<script" not in shown._repr_html_()
        assert "&lt;script&gt;" in shown._repr_html_()


def test_a_deployment_has_its_address_as_a_link() -> None:
    deployment = _verbs.find("iris", FakeTarget().with_api("iris"))

    assert '<a href="http://h/iris"' in deployment._repr_html_()
    assert str(deployment) == "iris at http://h/iris (revision a1b2c3d4e5f6)"


def test_metrics_read_as_rows() -> None:
    metrics = Metrics(
        requests={"200": 3, "404": 0, "500": 1},
        in_flight=2,
        latency={"mean": 0.25, "p99": 1.0},
        hooks={"accepted": 4, "run": 3, "failed": 0},
        batches=12,
        batch_size=3.456,
    )

    assert str(metrics).splitlines() == [
        "requests   3 × 200 · 1 × 500",  # noqa: RUF001  # means times
        "in flight  2",
        "latency    mean 250 ms · p99 1 s",
        "batches    12 · 3.46 requests on average",
        "hooks      4 accepted · 3 run",
    ]
    assert "<th" in metrics._repr_html_()


def test_monitored_classes_are_shown_as_far_as_they_fit_in_a_line() -> None:
    classes = {f"class-{number}": 100 - number for number in range(25)}
    metrics = Metrics(classes=classes, unmonitored={"no_key": 2})

    *_, shown, left_out = str(metrics).splitlines()

    assert shown.startswith("predictions    100 × class-0 · 99 × class-1 · ")  # noqa: RUF001  # means times
    assert shown.endswith("81 × class-19 · and 5 more")  # noqa: RUF001  # means times
    assert left_out == "not monitored  2 no_key"


def test_a_class_with_orders_for_a_terminal_is_shown_as_text() -> None:
    shown = str(Metrics(classes={"\x1b[31mred\nnext": 1}))

    assert "'\\x1b[31mred\\nnext'" in shown


def test_monitored_numbers_are_shown_by_their_statistics() -> None:
    values = {"count": 3.0, "mean": 2.0, "deviation": 0.81649658, "min": 1, "max": 3}

    assert str(Metrics(values=values)).splitlines()[-1] == (
        "predictions  count 3 · mean 2 · deviation 0.816497 · min 1 · max 3"
    )


def test_metrics_of_an_idle_api_are_short() -> None:
    assert str(Metrics()).splitlines() == ["requests   none yet", "in flight  0"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (1, "1 s"), (0.0031, "3.1 ms"), (0.00085, "850 µs"), (0, "0 µs")],
)
def test_a_duration_has_the_unit_with_the_fewest_digits(
    seconds: float, text: str
) -> None:
    assert duration(seconds) == text
