import sys
from pathlib import Path

import pytest

from cortex_sdk.local import envs
from cortex_sdk.local.home import Home

UV = """
error: No solution found when resolving dependencies
  cause: Because no-such-thing was not found, your requirements are
         unsatisfiable
"""
PIP = """
ERROR: Could not find a version that satisfies the requirement no-such-thing
ERROR: No matching distribution found for no-such-thing
"""


def test_without_requirements_it_is_this_interpreter(tmp_path: Path) -> None:
    home = Home(tmp_path)

    assert envs.python_for(home, (), print) == sys.executable
    assert not home.environments.exists()


def test_the_same_lines_share_an_environment() -> None:
    assert envs._digest(("six", "numpy")) == envs._digest(("six", "numpy"))
    assert envs._digest(("six", "numpy")) != envs._digest(("six", "numpy>=2"))


@pytest.mark.parametrize(
    ("output", "last_words"),
    [
        (
            UV,
            "Because no-such-thing was not found, your requirements are unsatisfiable",
        ),
        (PIP, "No matching distribution found for no-such-thing"),
    ],
)
def test_the_requirement_at_fault_is_named(output: str, last_words: str) -> None:
    said = envs._sentence(output, ("--no-index", "six", "no_such.thing>=1"))

    assert said == (
        f"the requirement 'no_such.thing>=1' cannot be installed: {last_words}"
    )


def test_what_names_none_of_them_names_all() -> None:
    said = envs._sentence("error: no network\n", ("six", "numpy"))

    assert said == ("the requirements 'six', 'numpy' cannot be installed: no network")


def test_an_installer_that_says_nothing_is_said_to() -> None:
    assert envs._sentence("", ("six",)).endswith("the installer said nothing")
