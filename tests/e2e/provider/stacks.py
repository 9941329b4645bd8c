"""Pulumi stacks of plain objects, as the tests of the stand-in drive them."""

import copy
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes
from pulumi import automation
from pulumi.automation import events

PROJECT = "stand-in"
Manifests = Mapping[str, Mapping[str, Any]]
Configure = Mapping[str, Any]


@functools.cache
def command() -> automation.PulumiCommand:
    """The Pulumi on the path, asked for its version once."""
    return automation.PulumiCommand()


class Plain(pulumi.CustomResource):
    """An object with the fields of its manifest."""

    metadata: pulumi.Output[Any]


def token(manifest: Mapping[str, Any]) -> str:
    """Pulumi's type of an object."""
    version = manifest["apiVersion"]
    group = version if "/" in version else f"core/{version}"
    return f"kubernetes:{group}:{manifest['kind']}"


@dataclass
class Seen:
    """What the engine said during one operation."""

    texts: list[str] = field(default_factory=list)
    details: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, event: events.EngineEvent) -> None:
        if event.diagnostic_event:
            self.texts.append(event.diagnostic_event.message)
        if event.resource_pre_event:
            step = event.resource_pre_event.metadata
            kinds = {
                path: str(diff.diff_kind.value)
                for path, diff in (step.detailed_diff or {}).items()
            }
            name = step.urn.rpartition("::")[2]
            self.details.setdefault(name, {}).update(kinds)


@dataclass
class Stack:
    """One stack, its program a set of manifests by logical name."""

    home: Path
    folder: Path
    kubeconfig: str
    configure: Configure = field(default_factory=dict)
    name: str = "test"

    def select(self, manifests: Manifests) -> automation.Stack:
        self.folder.mkdir(exist_ok=True)
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        settings = automation.ProjectSettings(
            name=PROJECT,
            runtime="python",
            backend=automation.ProjectBackend(url=f"file://{state}"),
        )
        return automation.create_or_select_stack(
            self.name,
            project_name=PROJECT,
            program=self._program(copy.deepcopy(dict(manifests))),
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(self.folder),
                project_settings=settings,
                pulumi_command=command(),
                env_vars={
                    "PULUMI_CONFIG_PASSPHRASE": "secret",
                    "PULUMI_HOME": str(self.home),
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                },
            ),
        )

    def up(self, manifests: Manifests, **options: Any) -> tuple[dict[str, int], Seen]:
        """Bring the stack up; what changed, and what was said."""
        seen = Seen()
        done = self.select(manifests).up(on_event=seen, color="never", **options)
        return changes(done.summary.resource_changes), seen

    def preview(
        self, manifests: Manifests, **options: Any
    ) -> tuple[dict[str, int], Seen]:
        """What `up` would change."""
        seen = Seen()
        done = self.select(manifests).preview(on_event=seen, color="never", **options)
        return changes(done.change_summary), seen

    def resources(self, manifests: Manifests) -> dict[str, Any]:
        """The resources of the state by logical name."""
        exported = self.select(manifests).export_stack().deployment or {}
        return {
            one["urn"].rpartition("::")[2]: one for one in exported.get("resources", [])
        }

    def _program(self, manifests: Manifests) -> Callable[[], None]:
        def run() -> None:
            provider = pulumi_kubernetes.Provider(
                "cluster",
                kubeconfig=self.kubeconfig,
                enable_server_side_apply=True,
                **self.configure,
            )
            made: list[Plain] = []
            for name, manifest in manifests.items():
                first = list(made[:1])  # the namespace of the others
                options = pulumi.ResourceOptions(provider=provider, depends_on=first)
                made.append(Plain(token(manifest), name, dict(manifest), options))
                pulumi.export(name, made[-1].metadata["name"])

        return run


def changes(summary: Mapping[Any, int] | None) -> dict[str, int]:
    """What changed, without what stayed the same."""
    found = {str(getattr(op, "value", op)): n for op, n in (summary or {}).items()}
    return {op: n for op, n in found.items() if op != "same"}
