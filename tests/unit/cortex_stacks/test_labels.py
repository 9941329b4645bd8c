import re

from cortex_stacks.labels import STACK, labels, owner, selector

VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def test_the_name_of_a_stack_is_a_label() -> None:
    assert owner("1a2b3c4d.default.api.iris") == "1a2b3c4d.default.api.iris"


def test_a_long_name_of_a_stack_fits_into_a_label_and_stays_unique() -> None:
    stacks = [f"1a2b3c4d.{'n' * 63}.api.{'a' * 41}{end}" for end in "xy"]

    values = [owner(stack) for stack in stacks]

    assert all(VALUE.fullmatch(value) for value in values)
    assert values[0] != values[1]


def test_what_picks_pods_is_among_the_labels_and_names_no_stack() -> None:
    every = labels("iris", "api", "s")

    assert selector("iris", "api").items() <= every.items()
    assert every[STACK] == "s"
    assert STACK not in selector("iris", "api")
