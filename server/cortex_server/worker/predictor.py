"""The predictor of this process: found, constructed, warm, ready to run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cortex_server.board import Board
from cortex_server.interface import Interface, InterfaceError
from cortex_server.launch import Launch
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.worker.description import questions_about
from cortex_server.worker.execution import Threads
from cortex_server.worker.followers import Follower, hooks_for
from cortex_server.worker.loader import load
from cortex_server.worker.program import collect_garbage
from cortex_server.worker.runner import Runner, Submit
from cortex_server.worker.start import Start
from cortex_server.worker.traced import TracedPredictor
from cortex_server.worker.tracing import tracing_for
from cortex_server.worker.user_code import StartError

if TYPE_CHECKING:
    from cortex_server.worker.models.opening import Opened
    from cortex_server.worker.spans import Tracing


async def start_predictor(
    manifest: Manifest, launch: Launch, board: Board
) -> tuple[Interface, Runner]:
    """Load the class, construct it, make what runs it, and let it warm up.

    Raises:
        StartError: Anything of that fails; it says what in the user's terms.
    """
    collect_garbage()
    tracing = tracing_for(manifest.name, manifest.revision, launch.replica)
    cls, interface, functions = load(manifest, launch)
    opened = _open_models(manifest, interface, functions, launch)
    models = opened.models if opened else None
    threads = Threads(manifest.threads_per_process, "predict")
    start = Start(interface, manifest, threads, launch.root, models)
    predictor = start.construct(cls)
    methods = predictor
    if tracing is not None:
        methods = TracedPredictor(predictor, interface, tracing)
        functions = [(hook, tracing.traced(f, hook.name)) for hook, f in functions]
    if opened is not None:
        opened.begin(predictor, interface)
        interface = opened.typed(predictor, interface)
        methods = opened.methods(methods, interface)
        functions = [(hook, opened.equipped(hook, f)) for hook, f in functions]
    hooks = hooks_for(methods, interface, functions, manifest, board)
    try:
        submit = _batches(methods, interface, threads, manifest, board)
        runner = Runner(methods, interface, threads, hooks, submit)
    except InterfaceError as error:
        raise StartError(StartFailure(message=str(error))) from None
    _add_to(runner, manifest, tracing, opened)
    needs_key = launch.keys is not None
    runner.questions |= questions_about(interface, manifest, needs_key=needs_key)
    await start.warm_up(predictor)
    return interface, runner


def _add_to(
    runner: Runner,
    manifest: Manifest,
    tracing: "Tracing | None",
    opened: "Opened | None",
) -> None:
    """What only some replicas have."""
    if tracing is not None:
        runner.flush = tracing.flush
    if opened is not None:
        from cortex_server.worker.models.questions import NAME, answering  # noqa: PLC0415  # most have none

        runner.questions[NAME] = answering(opened)
    if manifest.monitoring is not None:
        from cortex_server.worker.monitoring import Monitor  # noqa: PLC0415  # most do not

        runner.see = Monitor(manifest.monitoring).see


def _batches(
    predictor: Any,  # noqa: ANN401  # the user's
    interface: Interface,
    threads: Threads,
    manifest: Manifest,
    board: Board,
) -> Submit | None:
    """How requests get into a batch, None where there are none."""
    if manifest.batching is None:
        return None
    from cortex_server.worker.batching import Batcher  # noqa: PLC0415  # most do not

    method = interface.predict
    function = getattr(predictor, method.name)
    batcher = Batcher(manifest.batching, method, function, threads, board.count_batch)
    return batcher.submit


def _open_models(
    manifest: Manifest,
    interface: Interface,
    functions: Sequence[Follower],
    launch: Launch,
) -> "Opened | None":
    """The models that are declared, None where none are; checked before `__init__`."""
    if manifest.models is None:
        if interface.asks_for("models", (hook for hook, _ in functions)):
            msg = "the predictor asks for `models`; declare them, `models=Models(...)`"
            raise StartError(StartFailure(message=msg))
        return None
    from cortex_server.worker.models.opening import Opened  # noqa: PLC0415  # most have none

    folder = launch.models or launch.root.parent / "models"
    return Opened(manifest.models, folder, launch.root)
