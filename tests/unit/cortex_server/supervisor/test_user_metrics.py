import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cortex_server.supervisor.metrics_folder import MetricsFolder
from cortex_server.supervisor.user_metrics import UserMetrics

LABELS = {"api": "iris", "revision": "abc"}
ALIVE = os.getpid()


def count(folder: Path, source: str, pid: int | None = None) -> None:
    """Run code in a process that keeps its metrics in the folder and ends."""
    as_pid = f"""
        from prometheus_client import values
        values.ValueClass = values.MultiProcessValue(lambda: {pid})
    """
    program = textwrap.dedent(as_pid if pid else "") + (
        "from prometheus_client import Counter, Gauge, Histogram, Summary\n" + source
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def values(folder: Path) -> dict[str, float]:
    """Every sample by name and label values, those of the replica left out."""
    found = {}
    for metric in UserMetrics(folder, LABELS).collect():
        for sample in metric.samples:
            assert sample.labels.items() >= LABELS.items()
            rest = [v for k, v in sample.labels.items() if k not in LABELS]
            found[" ".join([sample.name, *rest])] = sample.value
    return found


def test_what_processes_count_is_added_up(tmp_path: Path) -> None:
    for pid in (ALIVE, None):
        count(tmp_path, "Counter('hits', 'Hits', ['kind']).labels('a').inc(2)", pid)

    assert values(tmp_path) == {"hits_total a": 4}


def test_what_dead_processes_counted_stays_in_one_file(tmp_path: Path) -> None:
    source = (
        "Counter('hits', '').inc(); Histogram('size', '', buckets=[1]).observe(0.5)\n"
        "Summary('price', '').observe(3)\n"
    )
    for _ in range(3):
        count(tmp_path, source)
        assert values(tmp_path)

    assert values(tmp_path) == {
        "hits_total": 3,
        "size_bucket 1.0": 3,
        "size_bucket +Inf": 3,
        "size_count": 3,
        "size_sum": 1.5,
        "price_count": 3,
        "price_sum": 9,
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "counter_0.db",
        "histogram_0.db",
        "summary_0.db",
    ]


def test_gauges_end_with_their_process_except_for_extremes(tmp_path: Path) -> None:
    modes = ("all", "liveall", "livesum", "livemostrecent", "sum", "min", "max")
    made = "\n".join(
        f"Gauge('g_{mode}', '', multiprocess_mode='{mode}').set({{0}})"
        for mode in modes
    )
    count(tmp_path, made.format(1))
    count(tmp_path, made.format(3))

    assert values(tmp_path) == {"g_min": 1, "g_max": 3}


def test_a_gauge_of_living_processes_is_shown(tmp_path: Path) -> None:
    for pid, value in ((ALIVE, 1), (os.getppid(), 3)):
        source = f"Gauge('depth', '', multiprocess_mode='livesum').set({value})"
        count(tmp_path, source, pid)

    assert values(tmp_path) == {"depth": 4}


def test_metrics_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    made = "Counter('c', '').inc(); Gauge('b', '', multiprocess_mode='max').set(1)\n"
    count(tmp_path, made + "Counter('a', '').inc(); Summary('d', '').observe(1)")

    names = [metric.name for metric in UserMetrics(tmp_path, LABELS).collect()]
    assert names == ["a", "b", "c", "d"]


def test_names_of_the_replica_are_not_taken_by_others(tmp_path: Path) -> None:
    names = ("cortex_ready", "process_mine", "cortex_predictions", "mine")
    count(tmp_path, "\n".join(f"Counter('{name}', '').inc()" for name in names))

    assert values(tmp_path) == {"cortex_predictions_total": 1, "mine_total": 1}


def test_a_label_that_is_ours_is_renamed_as_prometheus_does(tmp_path: Path) -> None:
    count(tmp_path, "Counter('hits', '', ['api']).labels('theirs').inc()")

    ((sample,),) = [m.samples for m in UserMetrics(tmp_path, LABELS).collect()]
    assert sample.labels == {**LABELS, "exported_api": "theirs"}


def test_broken_text_can_be_written(tmp_path: Path) -> None:
    count(tmp_path, "Counter('hits', '', ['kind']).labels('\\ud800').inc()")

    assert values(tmp_path) == {"hits_total ?": 1}


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff\x7f" + bytes(60), b"\x40\0\0"])
def test_a_file_that_cannot_be_read_hides_no_other(
    tmp_path: Path, content: bytes
) -> None:
    count(tmp_path, "Counter('hits', '').inc()", ALIVE)
    (tmp_path / f"histogram_{ALIVE}.db").write_bytes(content)

    assert values(tmp_path) == {"hits_total": 1}


def test_a_broken_file_of_a_dead_process_goes(tmp_path: Path) -> None:
    count(tmp_path, "")
    (tmp_path / "counter_x.db").write_bytes(b"")

    assert values(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_has_nothing(tmp_path: Path) -> None:
    assert values(tmp_path / "gone") == {}


def test_the_folder_lies_beside_the_admin_socket(tmp_path: Path) -> None:
    folder = MetricsFolder(f"unix:{tmp_path}/admin.sock")

    assert folder.path.parent == tmp_path
    count(Path(folder.variables["PROMETHEUS_MULTIPROC_DIR"]), "Counter('a', '').inc()")
    folder.retire_dead()
    assert [file.name for file in folder.path.iterdir()] == ["counter_0.db"]
    folder.remove()
    assert not folder.path.exists()


def test_a_replica_with_a_port_has_a_folder_too() -> None:
    folder = MetricsFolder("127.0.0.1:8081")

    assert folder.path.is_dir()
    folder.remove()
