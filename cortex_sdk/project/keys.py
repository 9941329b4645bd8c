"""The API keys of a declaration, read where it is deployed; they never go along."""

from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.bundle import Bundle
from cortex_sdk.project.files import IGNORE_FILE
from cortex_server.keys import KeysError, keys_in

if TYPE_CHECKING:
    from cortex_sdk.declaration.settings import ApiKeys

MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


def keys_file(auth: "ApiKeys | None", root: Path) -> Path | None:
    """Where the keys are, None for an API that everybody may call."""
    return None if auth is None else root / Path(auth.file).expanduser()


def read_keys(path: Path, bundle: Bundle) -> tuple[str, ...]:
    """The keys in a file that does not go along.

    Raises:
        InvalidSpecError: It is missing, holds no key or something else, or goes along.
    """
    if any(file.path == path.resolve() for file in bundle.contents):
        msg = (
            f"the API keys in `{path}` would go along with the project; let the name"
            f" begin with a dot, or list the file in `{IGNORE_FILE}`"
        )
        raise InvalidSpecError(msg)
    try:
        keys = keys_in(path.read_bytes())
    except FileNotFoundError as error:
        raise InvalidSpecError(_no_key(path, "does not exist")) from error
    except (OSError, KeysError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"cannot use the API keys in `{path}`: {reason}"
        raise InvalidSpecError(msg) from error
    if not keys:
        raise InvalidSpecError(_no_key(path, "has no key in it"))
    return tuple(key.decode() for key in keys)


def _no_key(path: Path, problem: str) -> str:
    return (
        f"the file of API keys `{path}` {problem}; put one key on each line, such as"
        f" `{MAKE_ONE}` prints"
    )
