from pathlib import Path

from cortex_server.worker.models.locks import Lock


def is_free(path: Path) -> bool:
    lock = Lock.attempt(path)
    if lock:
        lock.release()
    return lock is not None


def test_who_holds_it_alone_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with Lock.alone(path):
        assert not is_free(path)

    assert is_free(path)


def test_several_may_share_it_and_nobody_gets_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = Lock.shared(path), Lock.shared(path)

    first.release()
    first.release()
    assert not is_free(path)
    second.release()
    assert is_free(path)


def test_the_lock_of_a_removed_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with Lock.alone(path) as lock:
        lock.remove()
        lock.remove()
        with Lock.alone(path):
            assert not is_free(path)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(5):
        with Lock.alone(tmp_path / "lock"):
            assert Lock.attempt(tmp_path / "lock") is None

    assert len(list(Path("/dev/fd").iterdir())) == before
