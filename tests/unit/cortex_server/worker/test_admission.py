from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cortex_server.worker.admission import Admission, Fields

KEY, OTHER = b"key-0123456789abcdef", b"other-0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_bytes(KEY)
    return path


def test_the_field_with_the_key_is_taken_out_and_no_other(path: Path) -> None:
    fields: Fields = [
        (b"authorization", b"Basic abc"),
        (b"x-api-key", KEY),
        (b"x-a", KEY),
    ]

    assert Admission(path).admits(fields)
    assert fields == [(b"authorization", b"Basic abc"), (b"x-a", KEY)]


def test_fields_stay_as_they_are_where_there_is_no_key(path: Path) -> None:
    fields: Fields = [(b"authorization", b"Bearer x"), (b"x-api-key", OTHER)]

    assert not Admission(path).admits(fields)
    assert len(fields) == 2


def test_no_key_is_held_in_memory(path: Path) -> None:
    admission = Admission(path)

    assert KEY not in repr(vars(admission)).encode()


def test_every_key_is_compared_whichever_fits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def compare(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return given == known

    monkeypatch.setattr("hmac.compare_digest", compare)
    path.write_bytes(KEY + b"\n" + OTHER)

    assert Admission(path).admits([(b"x-api-key", KEY)])
    assert len(compared) == 2


def test_what_is_wrong_with_the_file_is_told_once_and_the_keys_stay(path: Path) -> None:
    admission = Admission(path)
    path.write_bytes(b"wrong")

    with capture_logs() as logs:
        admission.look()
        admission.look()

    assert len(logs) == 1
    assert logs[0]["event"].startswith(
        f"the keys read before stay: {path} is wrong: line"
    )
    assert admission.admits([(b"x-api-key", KEY)])


def test_a_file_that_cannot_be_read_is_told_and_the_keys_stay(path: Path) -> None:
    admission = Admission(path)
    path.unlink()
    path.mkdir()

    with capture_logs() as logs:
        admission.look()

    assert "it cannot be read: " in logs[0]["event"]
    assert admission.admits([(b"x-api-key", KEY)])


def test_a_file_that_is_gone_lets_nobody_in(path: Path) -> None:
    admission = Admission(path)
    path.unlink()

    with capture_logs() as logs:
        admission.look()

    assert logs[0]["event"] == f"nobody can call this API: there is no key in {path}"
    assert not admission.admits([(b"x-api-key", KEY)])


def test_an_unknown_key_makes_it_look_again_but_not_each_time(path: Path) -> None:
    admission = Admission(path)
    fields: Fields = [(b"x-api-key", OTHER)]
    path.write_bytes(OTHER)

    assert not admission.admits_now(fields)  # it looked a moment ago
    admission._looked = -1.0
    assert admission.admits_now(fields)
