import hashlib
from pathlib import Path

import httpx
import pytest

from cortex_sdk.errors import InvalidSpecError, TargetError
from cortex_sdk.kubernetes.platform.reading import Reader
from cortex_sdk.kubernetes.platform.releases import Release

_CONTENT = b"kind: Namespace\n"
_SUM = hashlib.sha256(_CONTENT).hexdigest()
_RELEASE = Release(
    field="keda",
    title="KEDA",
    version="1.2.3",
    url="https://releases.example/keda.yaml",
    sha256=_SUM,
)


class Web:
    """A stand-in for the web: one page, and how often it was asked for."""

    def __init__(self, content: bytes = _CONTENT, status: int = 200) -> None:
        self.asked: list[str] = []
        self._answer = content, status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        content, status = self._answer
        return httpx.Response(status, content=content)


def _reader(folder: Path, web: Web, said: list[str] | None = None) -> Reader:
    said = [] if said is None else said
    return Reader(folder, said.append, httpx.MockTransport(web))


def test_a_release_is_fetched_from_where_it_was_published(tmp_path: Path) -> None:
    web, said = Web(), list[str]()

    text = _reader(tmp_path, web, said).read(_RELEASE, None)

    assert text == _CONTENT.decode()
    assert web.asked == ["https://releases.example/keda.yaml"]
    assert said == ["fetching KEDA from releases.example"]


def test_what_was_fetched_is_kept(tmp_path: Path) -> None:
    web = Web()

    _reader(tmp_path, web).read(_RELEASE, None)
    _reader(tmp_path, web).read(_RELEASE, None)

    assert len(web.asked) == 1


def test_what_is_kept_is_checked_again(tmp_path: Path) -> None:
    (tmp_path / f"{_SUM}.yaml").write_bytes(b"half of it")

    assert _reader(tmp_path, Web()).read(_RELEASE, None) == _CONTENT.decode()


def test_what_does_not_fit_the_checksum_is_refused_and_not_kept(
    tmp_path: Path,
) -> None:
    web = Web(b"kind: Evil\n")

    with pytest.raises(TargetError, match="is not what it should be: its sha256 is"):
        _reader(tmp_path, web).read(_RELEASE, None)

    assert list(tmp_path.iterdir()) == []


def test_a_url_of_the_users_own_is_checked_against_its_end(tmp_path: Path) -> None:
    web = Web()

    _reader(tmp_path, web).read(
        _RELEASE, f"https://mirror.example/k.yaml#sha256={_SUM.upper()}"
    )

    assert web.asked == ["https://mirror.example/k.yaml"]


@pytest.mark.parametrize("end", ["", "#", "#sha256=abc", f"#md5={_SUM}"])
def test_a_url_without_a_checksum_is_refused(tmp_path: Path, end: str) -> None:
    web = Web()

    with pytest.raises(InvalidSpecError, match="end it in #sha256= and 64 hex digits"):
        _reader(tmp_path, web).read(_RELEASE, f"https://mirror.example/k.yaml{end}")

    assert web.asked == []


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    web = Web()
    path = tmp_path / "my.yaml"
    path.write_text("kind: Mine\n")

    assert _reader(tmp_path, web).read(_RELEASE, str(path)) == "kind: Mine\n"
    assert web.asked == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpecError, match=r"KEDA, .*none\.yaml, cannot be read"):
        _reader(tmp_path, Web()).read(_RELEASE, str(tmp_path / "none.yaml"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tgz"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidSpecError, match="is not UTF-8 text"):
        _reader(tmp_path, Web()).read(_RELEASE, str(path))


def test_where_nothing_can_be_fetched_a_file_is_the_way(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as caught:
        _reader(tmp_path, Web(status=404)).read(_RELEASE, None)

    told = str(caught.value)
    assert told.startswith("KEDA cannot be fetched from https://releases.example/")
    assert 'name the file: Platform(keda="FILE")' in told


def test_a_network_that_does_not_answer_is_told_in_words(tmp_path: Path) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        msg = "Name or service not known"
        raise httpx.ConnectError(msg, request=request)

    reader = Reader(tmp_path, lambda _: None, httpx.MockTransport(nobody))

    with pytest.raises(TargetError, match=r"\(Name or service not known\)"):
        reader.read(_RELEASE, None)
