import pytest
from sanic.exceptions import BadRequest, NotFound
from unit.cortex_server.worker.models.declared import offer, version

from cortex_server.worker.models.catalog import Catalog, Failures


def catalog(**models: list[int]) -> Catalog:
    made = Catalog()
    made.start(offer(**models))
    return made


def test_latest_is_the_highest_version_at_the_start() -> None:
    assert catalog(iris=[9, 10]).find("iris", "latest").number == 10


@pytest.mark.parametrize("given", [9, "9", "009"])
def test_a_version_is_found_by_its_number(given: int | str) -> None:
    assert catalog(iris=[9, 10]).find("iris", given).number == 9


@pytest.mark.parametrize("given", ["", "newest", "1.0", "-1", "²", True, None, 1.0])
def test_anything_else_is_no_version(given: object) -> None:
    with pytest.raises(BadRequest, match='a version is a whole number or "latest"'):
        catalog(iris=[1]).find("iris", given)  # type: ignore[arg-type]  # the point


def test_the_name_of_the_only_model_may_be_left_out() -> None:
    assert catalog(iris=[1]).find(None, "latest").name == "iris"


def test_one_of_several_models_must_be_named() -> None:
    with pytest.raises(BadRequest, match="name one of the models: iris, rose"):
        catalog(iris=[1], rose=[1]).find(None, "latest")


def test_what_is_unknown_is_not_found_and_the_known_is_named() -> None:
    with pytest.raises(NotFound, match="no model 'tulip'; there is iris, rose"):
        catalog(iris=[1], rose=[1]).find("tulip", "latest")
    with pytest.raises(NotFound, match="'iris' has no version 3; it has 1, 2"):
        catalog(iris=[1, 2]).find("iris", 3)


def test_of_many_models_some_are_named() -> None:
    many = {f"m{number:03}": [1] for number in range(50)}

    with pytest.raises(NotFound, match="m019 and 30 more"):
        catalog(**many).find("tulip", "latest")


def test_a_new_version_is_taken_up_when_it_looks_the_same_twice() -> None:
    seen = catalog(iris=[1])
    growing, grown = offer(iris=[1, 2]), offer(iris=[1, 2])
    grown["iris"][2] = version("iris", 2, mark="more")

    seen.update(growing)
    assert 2 not in seen.offered["iris"]
    seen.update(grown)
    assert 2 not in seen.offered["iris"]
    seen.update(grown)
    assert seen.offered["iris"][2] == grown["iris"][2]


def test_a_version_that_changes_is_as_before_until_it_has_settled() -> None:
    seen = catalog(iris=[1])
    changed = offer(iris=[1])
    changed["iris"][1] = version("iris", 1, mark="changed")

    seen.update(changed)
    assert seen.find("iris", 1) == version("iris", 1)
    seen.update(changed)
    assert seen.find("iris", 1) == changed["iris"][1]


def test_latest_moves_when_told_and_not_before() -> None:
    seen = catalog(iris=[1])
    for _ in range(2):
        seen.update(offer(iris=[1, 2]))

    assert seen.latest("iris").number == 1
    assert seen.highest("iris").number == 2
    seen.move(seen.highest("iris"))
    assert seen.find("iris", "latest").number == 2


def test_latest_moves_down_where_its_version_has_gone() -> None:
    seen = catalog(iris=[1, 2, 5])
    seen.move(version("iris", 2))

    seen.update(offer(iris=[1, 5]))

    assert seen.latest("iris").number == 1
    seen.update(offer(iris=[5]))
    assert seen.latest("iris").number == 5


def test_a_model_that_has_gone_is_not_found() -> None:
    seen = catalog(iris=[1], rose=[1])

    seen.update(offer(rose=[1]))

    with pytest.raises(NotFound, match="there is rose"):
        seen.find("iris", 1)


def test_latest_does_not_move_to_what_is_not_offered() -> None:
    seen = catalog(iris=[1])

    seen.move(version("iris", 7))
    seen.move(version("rose", 1))

    assert seen.latest("iris").number == 1


def test_the_version_below_is_known() -> None:
    seen = catalog(iris=[1, 4, 9])

    assert seen.below(version("iris", 9)) == version("iris", 4)
    assert seen.below(version("iris", 1)) is None
    assert seen.below(version("rose", 1)) is None


def test_what_failed_rests_twice_as_long_each_time() -> None:
    failures, iris = Failures(), version("iris")

    failures.add(iris, "broken", 100.0)
    assert failures.rests(iris, 104.9)
    assert not failures.rests(iris, 105.0)
    failures.add(iris, "broken", 105.0)
    assert failures.rests(iris, 114.9)
    for _ in range(20):
        failures.add(iris, "still broken", 200.0)
    assert failures.rests(iris, 499.9)
    assert not failures.rests(iris, 500.0)
    assert failures.reason(iris) == "still broken"


def test_a_version_that_changed_has_not_failed() -> None:
    failures = Failures()
    failures.add(version("iris"), "broken", 0.0)

    assert not failures.rests(version("iris", mark="repaired"), 0.0)
    assert failures.reason(version("iris", mark="repaired")) is None


def test_failures_are_forgotten_once_loaded_or_gone() -> None:
    failures = Failures()
    for name in ("iris", "rose"):
        failures.add(version(name), "broken", 0.0)

    failures.forget(version("iris"))
    failures.keep(offer(iris=[1]))

    assert failures.reason(version("iris")) is None
    assert failures.reason(version("rose")) is None
