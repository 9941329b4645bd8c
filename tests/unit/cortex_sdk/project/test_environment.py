import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.environment import keyed_hash, read_dotenv, requirement_lines


def dotenv(root: Path, text: str) -> dict[str, str]:
    (root / ".env").write_text(text, encoding="utf-8")
    return read_dotenv(root)


def test_a_project_without_dotenv_has_no_variables(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path) == {}


def test_a_folder_named_dotenv_is_no_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    assert read_dotenv(tmp_path) == {}


def test_dotenv_has_the_usual_syntax(tmp_path: Path) -> None:
    text = """\
# a comment
A=1
export B='two words'
C="three\\nlines"  # and a comment
D=
E=a=b

"""

    assert dotenv(tmp_path, text) == {
        "A": "1",
        "B": "two words",
        "C": "three\nlines",
        "D": "",
        "E": "a=b",
    }


def test_dotenv_is_not_filled_in_from_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "value")

    assert dotenv(tmp_path, "A=${HERE}") == {"A": "${HERE}"}


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1", encoding="utf-8-sig")

    assert read_dotenv(tmp_path) == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "line"), [("A=1\nCORTEX_HOME=x", 2), ("export CORTEX_X=1", 1)]
)
def test_a_reserved_name_in_dotenv_is_refused(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(InvalidSpecError, match=f"line {line}, must not set CORTEX_"):
        dotenv(tmp_path, text)


@pytest.mark.parametrize(
    "line", ["SECRET", "= s3cret", "two words s3cret", "A='s3cret"]
)
def test_a_line_of_dotenv_that_is_no_variable_is_named_and_not_shown(
    tmp_path: Path, line: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        dotenv(tmp_path, f"A=1\n{line}\n")

    assert str(caught.value) == (
        f"`{tmp_path}/.env`, line 2, must be NAME=value or a comment"
    )


def test_a_dotenv_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff")

    with pytest.raises(InvalidSpecError, match=r"\.env`: it is not UTF-8 text"):
        read_dotenv(tmp_path)


def test_a_dotenv_that_cannot_be_read_is_refused(unprivileged: Path) -> None:
    (unprivileged / ".env").touch(0)

    with pytest.raises(InvalidSpecError, match=r"\.env`: Permission denied"):
        read_dotenv(unprivileged)


VALUES = st.dictionaries(st.text(), st.text())


@given(VALUES)
def test_the_hash_does_not_depend_on_the_order_of_values(
    values: dict[str, str],
) -> None:
    backwards = dict(reversed(values.items()))

    assert keyed_hash(values, b"key") == keyed_hash(backwards, b"key")


@given(VALUES, VALUES)
def test_the_hash_tells_values_apart(one: dict[str, str], two: dict[str, str]) -> None:
    assert (keyed_hash(one, b"key") == keyed_hash(two, b"key")) == (one == two)


def test_the_hash_depends_on_the_key() -> None:
    assert keyed_hash({"A": "1"}, b"key") != keyed_hash({"A": "1"}, b"other")


def test_the_hash_is_an_hmac_of_canonical_json() -> None:
    expected = hmac.new(b"key", b'{"A":"1","B":"\\u00e9"}', hashlib.sha256).hexdigest()

    assert keyed_hash({"B": "é", "A": "1"}, b"key") == expected


def refusal(requirements: object, root: Path) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        requirement_lines(requirements, root)  # type: ignore[arg-type]  # may be wrong
    return str(caught.value)


def test_no_requirements_are_no_lines(tmp_path: Path) -> None:
    assert requirement_lines(None, tmp_path) == ()
    assert requirement_lines((), tmp_path) == ()


def test_a_list_is_taken_as_given_but_for_blanks_around(tmp_path: Path) -> None:
    given_lines = ["numpy>=2 ", " scikit-learn[alldeps]==1.7; python_version > '3'"]

    assert requirement_lines(given_lines, tmp_path) == (
        "numpy>=2",
        "scikit-learn[alldeps]==1.7; python_version > '3'",
    )


def test_a_file_gives_its_lines_without_comments(tmp_path: Path) -> None:
    (tmp_path / "needs").mkdir()
    (tmp_path / "needs" / "api.txt").write_text(
        "# packages\n\nnumpy>=2  # arrays\r\npandas \\\n  ==2.2 \\\n"
        "  --hash=sha256:abc\nx @ https://host/x.whl#sha256=1\n"
    )

    assert requirement_lines("needs/api.txt", tmp_path) == (
        "numpy>=2",
        "pandas   ==2.2   --hash=sha256:abc",
        "x @ https://host/x.whl#sha256=1",
    )


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://host/simple",
        "--extra-index-url=https://host/simple",
        "--index-url https://host/simple",
        "-i https://host/simple",
        "-f https://host/wheels",
        "--trusted-host host",
        "--pre",
        "--no-binary :all:",
        "git+https://host/package.git@v1",
        "git+ssh://git@host/package.git",
        "https://host/package-1.0-py3-none-any.whl",
        "package @ git+https://host/package.git",
    ],
)
def test_options_and_addresses_that_a_replica_can_use_are_accepted(
    tmp_path: Path, line: str
) -> None:
    assert requirement_lines([line], tmp_path) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        ".",
        "..",
        "./package",
        "../package",
        "/opt/package",
        "~/package",
        "file:///opt/package",
        "package @ file:///opt/package",
        "dist/package-1.0-py3-none-any.whl",
        "package-1.0.tar.gz",
    ],
)
def test_a_local_path_is_refused(tmp_path: Path, line: str) -> None:
    assert refusal([line], tmp_path) == (
        f"`SyncAPI.requirements`: `{line}` is a path on this machine, which a replica"
        " does not have; put the code into the project, or name a package of an index"
    )


@pytest.mark.parametrize(
    ("line", "option", "advice"),
    [
        ("-r other.txt", "-r", "write its lines here"),
        ("--requirement=other.txt", "--requirement", "write its lines here"),
        ("-c limits.txt", "-c", "write versions here"),
        ("-e .", "-e", "put the code into the project"),
        ("--editable ./package", "--editable", "put the code into the project"),
        ("--target /opt", "--target", "it may be"),
    ],
)
def test_an_option_of_no_use_to_a_replica_is_refused(
    tmp_path: Path, line: str, option: str, advice: str
) -> None:
    assert refusal([line], tmp_path).startswith(
        f"`SyncAPI.requirements`: the option `{option}` cannot be used here; {advice}"
    )


@pytest.mark.parametrize("line", ["-f ./wheels", "--index-url /srv/simple", "-i"])
def test_an_index_on_this_machine_is_refused(tmp_path: Path, line: str) -> None:
    assert "needs a URL that a replica can reach" in refusal([line], tmp_path)


@pytest.mark.parametrize("line", ["numpy=2", "numpy>=", "", "two words", "num py>=2"])
def test_what_is_no_requirement_is_refused(tmp_path: Path, line: str) -> None:
    message = refusal([line], tmp_path)

    assert f'`{line}` is no requirement such as "numpy>=2": ' in message
    assert "\n" not in message


def test_a_line_cannot_hide_another_one(tmp_path: Path) -> None:
    assert r"'numpy\n-r other.txt' is no requirement" in refusal(
        ["numpy\n-r other.txt"], tmp_path
    )


def test_a_file_may_end_in_the_middle_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("scipy\nnumpy \\")

    assert requirement_lines("requirements.txt", tmp_path) == ("scipy", "numpy")


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# first\nnumpy \\\n  >=2\n\nnumpy=2\n")

    assert refusal("requirements.txt", tmp_path).startswith(
        "`requirements.txt`, line 5: `numpy=2` is no requirement"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal("numpy", tmp_path) == (
        f"`SyncAPI.requirements`: there is no file `numpy` in the project `{tmp_path}`;"
        " to name packages, give a list"
    )


@pytest.mark.parametrize("name", ["../requirements.txt", "/etc/hostname", "link.txt"])
def test_a_file_outside_the_project_is_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "requirements.txt").write_text("numpy")
    (root / "link.txt").symlink_to("../requirements.txt")

    assert f"`{name}` is outside the project" in refusal(name, root)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfen\x00")

    assert "it is not UTF-8 text" in refusal("requirements.txt", tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://me:hunter2@packages.example/simple",
        "model @ https://hunter2@packages.example/model.whl",
    ],
)
def test_refuses_credentials_in_a_requirement_without_showing_them(
    line: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSpecError, match="password") as refused:
        requirement_lines([line], tmp_path)

    assert "hunter2" not in str(refused.value)


def test_takes_a_variable_in_the_place_of_credentials(tmp_path: Path) -> None:
    line = "--extra-index-url https://${USER}:${TOKEN}@packages.example/simple"

    assert requirement_lines([line], tmp_path) == (line,)
