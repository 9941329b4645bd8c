import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sanic.exceptions import ServiceUnavailable
from unit.cortex_server.worker.models.declared import version

from cortex_server.worker.models.errors import LoadError
from cortex_server.worker.models.memory import WAIT, Entry, Holder, Limits, Memory
from cortex_server.worker.models.versions import Version

LIMIT = 20.0


class Loader:
    """Makes models, notes them, and can be held up."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.released: list[str] = []
        self.gate: threading.Event | None = None
        self.has_begun = threading.Event()
        self.error: Exception | None = None

    def __call__(self, version: Version) -> Entry:
        self.loaded.append(version.name)
        self.has_begun.set()
        if self.gate:
            assert self.gate.wait(LIMIT)
        if self.error:
            raise self.error
        name = f"{version.name}{version.files[0].mark}"
        return Entry(version, name, lambda: self.released.append(name))


@pytest.fixture
def loader() -> Loader:
    return Loader()


def names(memory: Memory) -> list[str]:
    return [version.name for version in memory.versions()]


def test_a_model_is_loaded_once(loader: Loader) -> None:
    memory = Memory(Limits())

    assert memory.get(version("a"), loader) == memory.get(version("a"), loader) == "a"
    assert loader.loaded == ["a"]


def test_versions_are_models_of_their_own(loader: Loader) -> None:
    memory = Memory(Limits())

    memory.get(version("a", 1), loader)
    memory.get(version("a", 2), loader)

    assert [v.number for v in memory.versions()] == [1, 2]


def test_the_least_recently_used_goes_by_number(loader: Loader) -> None:
    gone: list[Version] = []
    memory = Memory(Limits(2), gone.append)

    for name in "abac":
        memory.get(version(name), loader)

    assert names(memory) == ["a", "c"]
    assert [each.name for each in gone] == loader.released == ["b"]


def test_the_least_recently_used_go_by_bytes(loader: Loader) -> None:
    memory = Memory(Limits(None, 10))

    for name, size in (("a", 4), ("b", 4), ("c", 9)):
        memory.get(version(name, size=size), loader)

    assert names(memory) == ["c"]
    assert sorted(loader.released) == ["a", "b"]


def test_room_is_made_before_a_model_is_loaded() -> None:
    memory = Memory(Limits(1))
    held: list[list[str]] = []

    def load(version: Version) -> Entry:
        held.append(names(memory))
        return Entry(version, version.name)

    memory.get(version("a"), load)
    memory.get(version("b"), load)

    assert held == [[], []]


def test_a_model_larger_than_the_limit_is_refused_and_nothing_goes(
    loader: Loader,
) -> None:
    memory = Memory(Limits(None, 10))
    memory.get(version("a", size=10), loader)

    with pytest.raises(LoadError, match="has 11 bytes, more than cache_bytes=10"):
        memory.get(version("b", size=11), loader)

    assert names(memory) == ["a"]


def test_what_a_request_uses_does_not_go(loader: Loader) -> None:
    memory, holder = Memory(Limits(2)), Holder()
    memory.get(version("a"), loader, holder)

    for name in "bc":
        memory.get(version(name), loader)
    assert names(memory) == ["a", "c"]

    memory.let_go(holder)
    memory.get(version("d"), loader)
    assert names(memory) == ["c", "d"]


def test_a_request_that_fills_the_memory_itself_does_not_wait(loader: Loader) -> None:
    memory, holder = Memory(Limits(1)), Holder()
    memory.get(version("a"), loader, holder)

    with pytest.raises(ServiceUnavailable, match="as many as cache_size=1 allows"):
        memory.get(version("b"), loader, holder)


def test_a_request_waits_for_room_that_others_use(loader: Loader) -> None:
    memory, holder = Memory(Limits(1)), Holder()
    memory.get(version("a"), loader, holder)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(memory.get, version("b"), loader)
        assert "b" not in loader.loaded
        memory.let_go(holder)

        assert waiting.result(LIMIT) == "b"
    assert loader.released == ["a"]


def test_waiting_for_room_has_an_end(loader: Loader) -> None:
    times = iter([0.0, 0.0, WAIT])
    memory = Memory(Limits(1), clock=lambda: next(times))
    memory.get(version("a"), loader, Holder())

    with pytest.raises(ServiceUnavailable):
        memory.get(version("b"), loader, Holder())


def test_those_who_ask_together_share_one_load(loader: Loader) -> None:
    memory = Memory(Limits(1))
    loader.gate = threading.Event()

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(memory.get, version("a"), loader) for _ in range(4)]
        assert loader.has_begun.wait(LIMIT)
        loader.gate.set()

        assert [each.result(LIMIT) for each in asked] == ["a"] * 4
    assert loader.loaded == ["a"]


def test_those_who_wait_for_a_load_share_its_error() -> None:
    memory, has_begun, gate = Memory(Limits()), threading.Event(), threading.Event()

    def load(version: Version) -> Entry:
        has_begun.set()
        assert gate.wait(LIMIT)
        raise LoadError("broken")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.get, version("a"), load)
        assert has_begun.wait(LIMIT)
        second = pool.submit(memory.get, version("a"), load)
        gate.set()

        for each in (first, second):
            with pytest.raises(LoadError, match="broken"):
                each.result(LIMIT)
    assert names(memory) == []


def test_after_a_failed_load_the_next_request_tries_again(loader: Loader) -> None:
    memory = Memory(Limits(1))
    loader.error = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        memory.get(version("a"), loader)
    loader.error = None

    assert memory.get(version("a"), loader) == "a"


def test_a_successor_takes_its_place_only_when_it_is_loaded(loader: Loader) -> None:
    memory, holder = Memory(Limits(1)), Holder()
    memory.get(version("a"), loader, holder)

    def load(version: Version) -> Entry:
        assert memory.get(version, loader) == "a"
        return loader(version)

    memory.put(version("a", mark=" anew"), load)

    assert memory.get(version("a"), loader) == "a anew"
    assert loader.released == [], "a request still uses it"
    memory.let_go(holder)
    assert loader.released == ["a"]


def test_a_successor_that_cannot_be_loaded_changes_nothing(loader: Loader) -> None:
    memory = Memory(Limits(1))
    memory.get(version("a"), loader)
    loader.error = ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        memory.put(version("a", mark=" anew"), loader)

    assert memory.get(version("a"), loader) == "a"


def test_a_model_that_is_dropped_is_released_when_its_last_user_is_over(
    loader: Loader,
) -> None:
    memory, holders = Memory(Limits()), [Holder(), Holder()]
    for holder in holders:
        memory.get(version("a"), loader, holder)

    assert memory.drop(("a", 1))
    assert not memory.drop(("a", 1))
    memory.let_go(holders[0])
    assert loader.released == []
    memory.let_go(holders[1])
    assert loader.released == ["a"]


def test_a_request_that_is_over_holds_nothing_more(loader: Loader) -> None:
    memory, holder = Memory(Limits(1)), Holder()
    memory.let_go(holder)

    memory.get(version("a"), loader, holder)
    memory.get(version("b"), loader)

    assert names(memory) == ["b"]


def test_a_look_never_loads(loader: Loader) -> None:
    memory = Memory(Limits())

    assert memory.peek(("a", 1)) is None
    memory.get(version("a"), loader)
    found = memory.peek(("a", 1))
    assert found is not None
    assert found.model == "a"


def test_a_memory_shrinks_to_its_limits(loader: Loader) -> None:
    memory = Memory(Limits(1))
    memory.get(version("a"), loader)
    memory.put(version("b"), loader)
    assert names(memory) == ["a", "b"]

    memory.shrink()

    assert names(memory) == ["b"]
