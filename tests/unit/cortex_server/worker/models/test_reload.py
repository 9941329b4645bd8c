import shutil
from pathlib import Path

import pytest
from sanic.exceptions import NotFound
from unit.cortex_server.worker.models.test_store import (
    Clock,
    Loads,
    models_in,
    write,
)

from cortex_server.worker.models.errors import LoadError
from cortex_server.worker.models.memory import Limits
from cortex_server.worker.models.reload import Reloader
from cortex_server.worker.models.store import Models


class Setting:
    """Models in a folder, one of which is in memory, and their reloader."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.clock, self.loads = folder, Clock(), Loads()
        write(folder / "iris", "1", "one")
        self.models: Models = models_in(folder, self.clock, limits)
        self.models.load_with(self.loads)
        self.models.get("iris")
        sources = self.models._sources
        self.reloader = Reloader(self.models, sources, self.clock)

    def look(self) -> None:
        """Often enough for what is new to have settled."""
        for _ in range(2):
            self.reloader.step()


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_a_new_version_is_loaded_before_it_is_asked_for(setting: Setting) -> None:
    write(setting.folder / "iris", "2", "two")
    setting.look()
    assert setting.loads.seen == [("iris", 1), ("iris", 2)]

    assert setting.models.get("iris") == "two"
    assert setting.loads.seen == [("iris", 1), ("iris", 2)]


def test_the_version_before_leaves_memory_and_can_still_be_had(
    setting: Setting,
) -> None:
    write(setting.folder / "iris", "2", "two")
    setting.look()

    assert [v.number for v in setting.models.memory.versions()] == [2]
    assert setting.models.get("iris", 1) == "one"


def test_a_new_version_that_is_broken_changes_nothing(setting: Setting) -> None:
    write(setting.folder / "iris", "2", "broken")
    setting.look()
    setting.look()

    assert setting.models.catalog.latest("iris").number == 1
    assert setting.models.get("iris") == "one"
    assert setting.loads.seen.count(("iris", 2)) == 1, "it is tried too often"
    setting.clock.now = 5.0
    setting.look()
    assert setting.loads.seen.count(("iris", 2)) == 2


def test_a_broken_version_that_is_repaired_is_taken_up_at_once(
    setting: Setting,
) -> None:
    write(setting.folder / "iris", "2", "broken")
    setting.look()
    write(setting.folder / "iris", "2", "repaired")
    setting.look()

    assert setting.models.get("iris") == "repaired"


def test_a_model_that_is_not_in_memory_is_not_loaded(tmp_path: Path) -> None:
    setting = Setting(tmp_path, Limits(1))
    setting.models.memory.drop(("iris", 1))
    write(tmp_path / "iris", "2", "two")

    setting.look()

    assert setting.loads.seen == [("iris", 1)]
    assert setting.models.get("iris") == "two"


def test_a_new_model_is_loaded_where_all_are_kept(setting: Setting) -> None:
    write(setting.folder / "rose", "1", "rose")
    setting.look()

    assert ("rose", 1) in setting.loads.seen
    setting.models.memory.drop(("rose", 1))
    setting.look()
    assert setting.loads.seen.count(("rose", 1)) == 1, "what is unloaded stays so"


def test_a_new_model_waits_to_be_asked_for_where_memory_is_limited(
    tmp_path: Path,
) -> None:
    setting = Setting(tmp_path, Limits(1))
    write(tmp_path / "rose", "1", "rose")
    setting.look()

    assert setting.loads.seen == [("iris", 1)]
    assert setting.models.get("rose") == "rose"


def test_files_that_change_are_loaded_anew(setting: Setting) -> None:
    write(setting.folder / "iris", "1", "changed")
    setting.look()
    setting.look()

    assert setting.models.get("iris") == "changed"
    assert setting.loads.seen == [("iris", 1), ("iris", 1)]


def test_files_that_change_to_broken_ones_change_nothing(setting: Setting) -> None:
    write(setting.folder / "iris", "1", "broken")
    setting.look()

    assert setting.models.get("iris") == "one"


def test_what_has_gone_leaves_memory(setting: Setting) -> None:
    write(setting.folder / "rose", "1", "rose")
    setting.look()
    shutil.rmtree(setting.folder / "iris")
    setting.look()

    assert [v.name for v in setting.models.memory.versions()] == ["rose"]
    with pytest.raises(NotFound):
        setting.models.get("iris")


def test_limits_hold_after_a_reload(tmp_path: Path) -> None:
    setting = Setting(tmp_path, Limits(1))
    write(tmp_path / "iris", "1", "broken")
    setting.look()
    with pytest.raises(LoadError):
        setting.models.ready(setting.models.catalog.latest("iris"))
    write(tmp_path / "iris", "2", "two")
    setting.look()

    assert [v.number for v in setting.models.memory.versions()] == [2]
