"""Archives in an S3 store, and what pods fetch; the server is rclone's."""

import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.storage import blob_of, put
from cortex_sdk.project.bundle import Bundle, pack
from cortex_server.bundle import unpack

RCLONE = str(Path(sys.executable).with_name("rclone"))
KEY, SECRET = "an-id", "a-secret"
SECONDS = 30


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    """Each folder in it is a bucket."""
    folder = tmp_path / "buckets"
    (folder / "models").mkdir(parents=True)
    return folder


@pytest.fixture
def s3(
    buckets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """Variables that lead to a real S3 server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    variables = {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command = [RCLONE, "serve", "s3", "--auth-key", f"{KEY},{SECRET}"]
    server = subprocess.Popen([*command, "--addr", f"127.0.0.1:{port}", str(buckets)])
    try:
        _wait_for(port)
        yield variables
    finally:
        server.terminate()
        server.wait(SECONDS)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A project of 12 MiB that cannot be compressed: S3 takes it in several parts."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("")
    (root / "model.bin").write_bytes(Random(1).randbytes(12 << 20))
    return pack(root)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "the S3 server does not listen"
            time.sleep(0.05)
        else:
            return


def _fetch(url: str, digest: str, path: Path, **variables: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "cortex_server.fetch", url, digest, str(path)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        command,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS * 2,
    )
    return done.returncode, done.stderr


def test_an_archive_goes_through_s3_into_a_pod(
    bundle: Bundle, s3: dict[str, str], buckets: Path, tmp_path: Path
) -> None:
    url = put(bundle, "s3://models/cortex")

    code, said = _fetch(url, bundle.digest, tmp_path / "bundle.tar.gz", **s3)

    assert (code, said) == (0, "")
    assert url == blob_of(bundle, "s3://models/cortex").url
    assert (buckets / "models/cortex/bundles" / f"{bundle.digest}.tar.gz").is_file()
    unpack(tmp_path / "bundle.tar.gz", bundle.digest, tmp_path / "root")
    model = (tmp_path / "root" / "model.bin").read_bytes()
    assert model == (tmp_path / "project" / "model.bin").read_bytes()


@pytest.mark.usefixtures("s3")
def test_an_archive_that_s3_has_is_not_sent_again(
    bundle: Bundle, buckets: Path
) -> None:
    put(bundle, "s3://models")
    [file] = (buckets / "models" / "bundles").iterdir()
    before = file.stat()

    put(bundle, "s3://models")

    assert file.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named_and_not_made(
    bundle: Bundle, buckets: Path
) -> None:
    with pytest.raises(TargetError, match="s3://other does not exist; make the bucket"):
        put(bundle, "s3://other")

    assert [path.name for path in buckets.iterdir()] == ["models"]


@pytest.mark.usefixtures("s3")
def test_wrong_credentials_are_told_in_one_sentence(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")

    with pytest.raises(TargetError) as caught:
        put(bundle, "s3://models/wrong")

    assert "may not write to s3://models/wrong" in str(caught.value)


@pytest.mark.usefixtures("s3")
def test_no_credentials_are_told_in_one_sentence(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(TargetError, match="there are no credentials for s3://models"):
        put(bundle, "s3://models/none")


def test_a_pod_without_credentials_says_so_in_one_line(
    bundle: Bundle, s3: dict[str, str], tmp_path: Path
) -> None:
    url = put(bundle, "s3://models")
    anonymous = {k: v for k, v in s3.items() if "KEY" not in k}

    code, said = _fetch(url, bundle.digest, tmp_path / "file", **anonymous)

    assert code == 1
    assert said.startswith(f"{url} cannot be read: ")
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.glob("*file*"))


def test_any_web_server_will_do(tmp_path: Path) -> None:
    content = Random(1).randbytes(3 << 20)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(content)
    handler = partial(_Files, directory=str(tmp_path / "served"))
    digest = hashlib.sha256(content).hexdigest()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"

        good = _fetch(f"{base}/file", digest, tmp_path / "file")
        missing = _fetch(f"{base}/other", digest, tmp_path / "other")
        wrong = _fetch(f"{base}/file", digest[::-1], tmp_path / "wrong")

        server.shutdown()
    assert good == (0, "")
    assert (tmp_path / "file").read_bytes() == content
    assert missing == (1, f"there is nothing at {base}/other\n")
    assert wrong[0] == 1
    assert "is not the file with the hash" in wrong[1]


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
