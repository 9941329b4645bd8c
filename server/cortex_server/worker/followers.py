"""Which functions follow a response: the predictor's own method, and those given."""

from collections.abc import Sequence
from typing import Any

from cortex_server.interface import Interface, Method
from cortex_server.manifest import Manifest, PostPredict, StartFailure
from cortex_server.worker.call import Call
from cortex_server.worker.execution import Arguments, Function
from cortex_server.worker.hook_workers import Bind, Hook
from cortex_server.worker.hooks import Counts, Hooks
from cortex_server.worker.runner import binder
from cortex_server.worker.user_code import StartError

Follower = tuple[Method, Function]


def hooks_for(
    predictor: Any,  # noqa: ANN401  # the user's
    interface: Interface,
    functions: Sequence[Follower],
    manifest: Manifest,
    counts: Counts,
) -> Hooks | None:
    """What runs them, None where nothing follows.

    Raises:
        StartError: There are options for functions, but there is none.
    """
    followers = list(functions)
    if interface.post_predict:
        followers.insert(0, (interface.post_predict, predictor.post_predict))
    if followers:
        hooks = [Hook(*each, _bind(each[0], manifest)) for each in followers]
        return Hooks(hooks, manifest.post_predict, counts)
    if manifest.post_predict != PostPredict():
        name = manifest.predictor.qualname
        msg = (
            "`SyncAPI.post_predict` has options but no hooks, and predictor"
            f" `{name}` has no method `post_predict`"
        )
        raise StartError(StartFailure(message=msg))
    return None


def _bind(method: Method, manifest: Manifest) -> Bind:
    bind = binder(method)
    fixed = {"config": dict(manifest.config)} if "config" in method.arguments else {}
    wants_response = "response" in method.arguments

    def arguments(call: Call, payload: object, response: object) -> Arguments:
        found = {**fixed, **bind(call, payload)} if fixed else bind(call, payload)
        if wants_response:
            found["response"] = response
        return found

    return arguments
