"""What every declaration that a target can run has: an endpoint, and the verbs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PrivateAttr

from cortex_sdk._inert import Inert
from cortex_sdk.declaration.settings import Networking
from cortex_sdk.declaration.value import Value
from cortex_sdk.errors import CortexError
from cortex_sdk.project import loading

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment
    from cortex_sdk._preview import Preview
    from cortex_sdk._target import Progress, Status, Target


class Deployable(Value):
    """A declaration with a name and an endpoint; `deploy` brings it about."""

    if TYPE_CHECKING:
        name: str
        networking: Networking

    first_step: ClassVar[str] = "packing the project"
    """What a deploy does before it asks the target."""
    rank: ClassVar[int] = 0
    """What has a lower one is deployed first."""
    _folder: Path | None = PrivateAttr(None)

    @property
    def folder(self) -> Path | None:
        """Folder of the file that the command line found this in, None elsewhere."""
        return self._folder

    @property
    def endpoint(self) -> str:
        """Path that answers, such as "/iris"."""
        return self.networking.endpoint or f"/{self.name}"

    def deploy(
        self,
        target: "str | Target | None" = None,
        *,
        progress: "Progress | None" = None,
    ) -> "Deployment":
        """Bring the target into the declared state and wait until it serves.

        Called again without a change it does nothing. While a new revision starts,
        the old one serves; when the new one does not come up, it goes on serving.

        Args:
            target: Where: "local", a name from `config.toml`, or an object such as
                `Kubernetes()`; unset, `$CORTEX_TARGET`, else "local".
            progress: Called with a short line as work moves on; unset, lines are
                printed where somebody watches.

        Raises:
            InvalidSpecError: The project cannot be deployed; nothing was touched.
            UnsupportedError: The target cannot honour a setting; nothing was touched.
            TargetError: The target cannot be used.
            DeployError: The new revision did not come up.
        """
        if loading.is_loading():
            return Inert("deploy")  # type: ignore[return-value]  # refuses use
        from cortex_sdk import _verbs  # noqa: PLC0415  # loads what a target needs

        try:
            return _verbs.deploy(self, target, progress)
        except CortexError as error:
            raise error.with_traceback(None) from None  # our frames explain nothing

    def preview(self, target: "str | Target | None" = None) -> "Preview":
        """What `deploy` would change; raises as it does, and touches nothing."""
        if loading.is_loading():
            return Inert("preview")  # type: ignore[return-value]  # refuses use
        from cortex_sdk import _verbs  # noqa: PLC0415  # loads what a target needs

        return _verbs.preview(self, target)

    def deployment(self, target: "str | Target | None" = None) -> "Deployment":
        """It as it is on a target; raises NotFoundError where it is not."""
        if loading.is_loading():
            return Inert("deployment")  # type: ignore[return-value]  # same
        from cortex_sdk import _verbs  # noqa: PLC0415  # loads what a target needs

        return _verbs.find(self.name, target)

    def status(self, target: "str | Target | None" = None) -> "Status":
        """How it is doing on a target."""
        return self.deployment(target).status()

    def predict(
        self,
        payload: object = None,
        *,
        target: "str | Target | None" = None,
        key: str | None = None,
    ) -> Any:  # noqa: ANN401  # the user's data
        """Send one prediction; see Deployment.predict."""
        return self.deployment(target).predict(payload, key=key)

    def stream(
        self,
        payload: object = None,
        *,
        target: "str | Target | None" = None,
        key: str | None = None,
    ) -> Iterator[Any]:
        """Send one prediction and read along; see Deployment.stream."""
        return self.deployment(target).stream(payload, key=key)

    def delete(self, target: "str | Target | None" = None) -> None:
        """End it on a target; accepted requests are answered first."""
        self.deployment(target).delete()

    def _note(self) -> None:
        """Be found by whoever loads the file that this is declared in."""
        self._folder = loading.declared(self)
