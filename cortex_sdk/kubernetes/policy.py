"""The guard rails as errors: what breaks a rule is refused before anything runs."""

from collections.abc import Iterable
from typing import Any

from cortex_sdk.errors import InvalidSpecError
from cortex_stacks.policy import violations


def check(objects: Iterable[dict[str, Any]], *, public: bool = False) -> None:
    """Let objects pass that break no rule.

    Args:
        objects: Kubernetes objects, as in YAML.
        public: Whether the user said that something may be reached from outside.

    Raises:
        InvalidSpecError: Some break a rule; the message names all of them.
    """
    if broken := violations(objects, public=public):
        raise InvalidSpecError("; ".join(broken))
