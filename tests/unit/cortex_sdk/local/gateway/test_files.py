import json
from pathlib import Path

from cortex_sdk.local.gateway.files import Files
from cortex_sdk.local.gateway.routing import Table
from cortex_sdk.local.gateway.xds import Route
from cortex_sdk.local.home import Home


def files(folder: Path) -> Files:
    home = Home(folder)
    home.gateway.mkdir()
    return Files(home)


def test_envoy_finds_all_it_needs_to_start(tmp_path: Path) -> None:
    files(tmp_path).prepare(8077)

    written = {path.name for path in (tmp_path / "gateway").iterdir()}
    assert written == {"bootstrap.json", "lds.json", "rds.json", "cds.json"}


def test_a_restart_serves_what_was_served_before(tmp_path: Path) -> None:
    written = files(tmp_path)
    written.write_clusters(["iris"])
    version = written.write_routes(Table((Route("iris", "/iris", ()),)))

    written.prepare(8077)

    table = json.loads((tmp_path / "gateway" / "rds.json").read_bytes())
    assert written.clusters() == {"iris"}
    assert table["version_info"] == version


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    written = files(tmp_path)
    written.prepare(8077)
    before = (tmp_path / "gateway" / "lds.json").stat().st_ino

    written.listen(8077)

    assert (tmp_path / "gateway" / "lds.json").stat().st_ino == before


def test_another_port_is_another_listener(tmp_path: Path) -> None:
    written = files(tmp_path)
    written.listen(8077)
    before = written.listener()

    written.listen(8078)

    assert before[0] == "gateway-8077"
    assert written.listener()[0] == "gateway-8078"
    assert written.listener()[1] != before[1]


def test_no_file_means_no_clusters(tmp_path: Path) -> None:
    assert files(tmp_path).clusters() == set()
