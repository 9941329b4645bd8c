"""What a predictor finds around it: variables, secrets, installed packages."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dotenv.parser import parse_stream
from packaging.requirements import InvalidRequirement, Requirement

from cortex_sdk.declaration.variables import RESERVED_PREFIX
from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.files import ENV_FILE

_URL_OPTIONS = frozenset(
    {"--extra-index-url", "--index-url", "-i", "--find-links", "-f"}
)
_OTHER_OPTIONS = frozenset(
    {
        "--no-binary",
        "--no-index",
        "--only-binary",
        "--pre",
        "--prefer-binary",
        "--require-hashes",
        "--trusted-host",
    }
)
_OWN_CODE = "put the code into the project, or name a package of an index"
_ADVICE = {
    "-e": _OWN_CODE,
    "--editable": _OWN_CODE,
    "-r": "write its lines here",
    "--requirement": "write its lines here",
    "-c": "write versions here",
    "--constraint": "write versions here",
}
_REMOTE = re.compile(r"(git\+|hg\+|svn\+|bzr\+)?(https?|ssh|git)://\S+")
_LOCAL = re.compile(
    r"\.{0,2}/.*|~.*|\.{1,2}|file:.*|\S+\s*@\s*file:.*|\S+\.(whl|zip|tar\.gz)"
)
_CREDENTIALS = re.compile(r"https?://(?!(?:\$\{\w+\}:?)+@)[^/@\s]+@")
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")


def read_dotenv(root: Path) -> dict[str, str]:
    """Read the variables in `.env` of a project, {} where it has none.

    Values are taken as written: `${NAME}` is not replaced, since this machine and
    the one of the replica would replace it by different things.

    Raises:
        InvalidSpecError: The file cannot be read, or a line is no variable.
    """
    path = root / ENV_FILE
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        msg = f"cannot read `{path}`: {reason}"
        raise InvalidSpecError(msg) from error
    found = {}
    for binding in bindings:
        where = f"`{path}`, line {binding.original.line}"
        if binding.error or (binding.key and binding.value is None):
            msg = f"{where}, must be NAME=value or a comment"
            raise InvalidSpecError(msg)
        if binding.key and binding.value is not None:
            _check_name(binding.key, where)
            found[binding.key] = binding.value
    return found


def _check_name(name: str, where: str) -> None:
    if name.startswith(RESERVED_PREFIX):
        msg = (
            f"{where}, must not set {name}: names that start with {RESERVED_PREFIX}"
            " are reserved"
        )
        raise InvalidSpecError(msg)


def keyed_hash(values: Mapping[str, str], key: bytes) -> str:
    """HMAC-SHA256 over the canonical JSON form of the values, 64 hex digits."""
    canonical = json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def requirement_lines(
    requirements: str | Sequence[str] | None, root: Path
) -> tuple[str, ...]:
    """The packages to install, one line each, as in a requirements file of pip.

    Args:
        requirements: Lines, or the path of a file inside the project.
        root: Root of the project.

    Raises:
        InvalidSpecError: The file is missing or outside the project, or a line names
            no package that a replica can install.
    """
    if requirements is None:
        return ()
    if isinstance(requirements, str):
        file = _file(requirements, root)
        numbered = [(f"`{requirements}`, line {n}", line) for n, line in _read(file)]
    else:
        numbered = [("`SyncAPI.requirements`", line.strip()) for line in requirements]
    for where, line in numbered:
        _check_line(line, where)
    return tuple(line for _, line in numbered)


def _file(name: str, root: Path) -> Path:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        msg = f"`SyncAPI.requirements`: `{name}` is outside the project `{root}`"
        raise InvalidSpecError(msg)
    if not path.is_file():
        msg = (
            f"`SyncAPI.requirements`: there is no file `{name}` in the project"
            f" `{root}`; to name packages, give a list"
        )
        raise InvalidSpecError(msg)
    return path


def _read(path: Path) -> Iterator[tuple[int, str]]:
    """Logical lines with their numbers, without comments and blank lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        msg = f"cannot read `{path}`: {reason}"
        raise InvalidSpecError(msg) from error
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if joined else number
        joined += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if stripped := _COMMENT.sub("", joined).strip():
            yield first, stripped
        joined = ""
    if stripped := _COMMENT.sub("", joined).strip():
        yield first, stripped


def _check_line(line: str, where: str) -> None:
    if _CREDENTIALS.search(line):
        msg = (
            f"{where}: a URL holds a user name or password, which would be stored with"
            " the API; put it into the configuration of pip or uv, or write"
            " ${VARIABLE} in its place"
        )
        raise InvalidSpecError(msg)
    if line.startswith("-"):
        _check_option(line, where)
    elif _REMOTE.fullmatch(line):
        return
    elif _LOCAL.fullmatch(line):
        msg = (
            f"{where}: `{line}` is a path on this machine, which a replica does not"
            f" have; {_OWN_CODE}"
        )
        raise InvalidSpecError(msg)
    else:
        _check_package(line, where)


def _check_package(line: str, where: str) -> None:
    try:
        Requirement(_HASH.sub("", line))
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        shown = f"`{line}`" if line.isprintable() else repr(line)
        msg = f'{where}: {shown} is no requirement such as "numpy>=2": {reason}'
        raise InvalidSpecError(msg) from error


def _check_option(line: str, where: str) -> None:
    option, *value = re.split(r"[\s=]+", line, maxsplit=1)
    if option in _URL_OPTIONS and not (value and _REMOTE.fullmatch(value[0])):
        msg = f"{where}: the option `{option}` needs a URL that a replica can reach"
    elif option in _URL_OPTIONS | _OTHER_OPTIONS:
        return
    else:
        allowed = ", ".join(sorted(_URL_OPTIONS | _OTHER_OPTIONS))
        advice = _ADVICE.get(option, f"it may be {allowed}")
        msg = f"{where}: the option `{option}` cannot be used here; {advice}"
    raise InvalidSpecError(msg)
