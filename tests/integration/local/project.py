"""A project whose code the tests change, and what they do with it on a target."""

from pathlib import Path
from typing import Any

from cortex_sdk import SyncAPI
from cortex_sdk._target import Applied
from cortex_sdk.local.target import LocalTarget


class Project:
    """A folder with one predictor in it."""

    def __init__(self, folder: Path, target: LocalTarget) -> None:
        self._file = folder / "app.py"
        self._target = target
        self.said: list[str] = []

    def deploy(self, body: str = "return payload", **settings: Any) -> Applied:
        """Deploy a predictor whose `predict` has this body."""
        return self.deploy_code(
            f"class Echo:\n    def predict(self, payload):\n        {body}\n",
            **settings,
        )

    def deploy_code(self, code: str, **settings: Any) -> Applied:
        """Deploy a file with a class Echo."""
        self._file.write_text(code)
        api = SyncAPI("app:Echo", project=str(self._file.parent), **settings)
        return self._target.apply(self._target.plan(api), self.said.append)
