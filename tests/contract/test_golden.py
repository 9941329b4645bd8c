"""What APIs and splitters become; `REWRITE_GOLDEN=1` puts down what they become now.

A change of these files is to be read line by line: it is what users' clusters see.
"""

import os

import golden_files
import pytest
import yaml


@pytest.mark.parametrize("case", golden_files.CASES)
def test_a_declaration_becomes_these_objects(case: str) -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        golden_files.rewrite(case)
    args, expected = golden_files.read(case)

    made = golden_files.resources(args)

    assert yaml.safe_load(yaml.safe_dump(made)) == expected
    assert list(made) == list(expected)


def test_there_are_golden_files() -> None:
    assert {"minimal", "everything", "splitter"} <= set(golden_files.CASES)
