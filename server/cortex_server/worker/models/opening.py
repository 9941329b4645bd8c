"""From a declaration of models to models that can be asked for."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cortex_server.interface import Interface, Method
from cortex_server.manifest import Models as Declared
from cortex_server.manifest import StartFailure
from cortex_server.worker.models import errors
from cortex_server.worker.models.catalog import Catalog
from cortex_server.worker.models.counts import Counts
from cortex_server.worker.models.disk import Disk
from cortex_server.worker.models.holding import Function, holding
from cortex_server.worker.models.memory import Limits, Memory
from cortex_server.worker.models.reload import Reloader
from cortex_server.worker.models.sources import Sources
from cortex_server.worker.models.store import Load, Models
from cortex_server.worker.models.versions import ListingError
from cortex_server.worker.user_code import StartError, user_traceback

_BUILT_IN = "cortex_server.worker.built_in."


class Opened:
    """The models of a replica, and what keeps them up to date.

    Args:
        declared: Which models, and how many of them are kept.
        folder: Where downloaded models are kept.
        root: Where the user's files are.

    Raises:
        StartError: A place cannot be read.
    """

    def __init__(self, declared: Declared, folder: Path, root: Path) -> None:
        self._declared, self._root = declared, root
        try:
            self._sources = Sources(declared)
            seen = self._sources.look()
        except ListingError as error:
            raise _failure(str(error)) from None
        for problem in self._sources.problems.values():
            raise _failure(problem)
        self.models = _models(declared, folder, self._sources)
        self.models.catalog.start(seen)

    def begin(self, predictor: Any, interface: Interface) -> None:  # noqa: ANN401  # the user's
        """Load what is to be loaded before the first request, and keep up from now on.

        Raises:
            StartError: A model that the declaration names cannot be loaded.
        """
        self.models.load_with(_loader(predictor, interface.load_model))
        if self.models.keeps_all:
            self._load_all()
        reloader = Reloader(self.models, self._sources)
        reloader.start(self._declared.reload_interval)

    def typed(self, predictor: Any, interface: Interface) -> Interface:  # noqa: ANN401  # the user's
        """The interface of a built-in predictor with the types of its only model."""
        is_ours = type(predictor).__module__.startswith(_BUILT_IN)
        if not is_ours or self._sources.has_folder or len(self._declared.paths) > 1:
            return interface
        try:
            hints = predictor.hints(self.models.get())
        except errors.LoadError as error:
            raise self._not_loaded(self._declared.paths[0].name, error) from error
        predict = interface.predict
        payload, result = hints.payload or predict.payload_type, hints.result
        typed = replace(predict, payload_type=payload, returns=result)
        return replace(interface, predict=typed)

    def load(self, name: str) -> None:
        """Take up the highest version that there is now, and load it.

        Raises:
            NotFound: There is no such model.
            LoadError: It cannot be loaded; what was served is served on.
        """
        seen = self._sources.look()
        if name not in seen:
            raise errors.unknown_model(name, seen)
        models = self.models
        models.catalog.accept(name, seen[name])
        latest, highest = models.catalog.latest(name), models.catalog.highest(name)
        models.failures.forget(highest)
        models.ready(highest)
        models.catalog.move(highest)
        if latest.number != highest.number:
            models.memory.drop(latest.key)
        models.memory.shrink()
        models.count_held()

    def unload(self, name: str) -> None:
        """Free the memory of a model; raises NotFound where there is none."""
        if name not in self.models.catalog.offered:
            raise errors.unknown_model(name, self.models.catalog.offered)
        self.models.unload(name)

    def methods(self, predictor: Any, interface: Interface) -> Any:  # noqa: ANN401  # the user's
        """The methods that answer requests, each with what `equipped` gives it."""
        found = (interface.predict, interface.post_predict)
        return SimpleNamespace(
            **{
                method.name: self.equipped(method, getattr(predictor, method.name))
                for method in found
                if method is not None
            }
        )

    def equipped(self, method: Method, function: Function) -> Function:
        """A function that has the models it asks for, and holds those that it uses."""
        holds = holding(function, self.models.memory)
        if "models" not in method.arguments:
            return holds
        return partial(holds, models=self.models)

    def _load_all(self) -> None:
        for name in self.models.catalog.offered:
            try:
                self.models.get(name)
            except errors.LoadError as error:
                if self._sources.has_folder:  # the log says it; others may be asked for
                    continue
                raise self._not_loaded(name, error) from error

    def _not_loaded(self, name: str, error: errors.LoadError) -> StartError:
        latest = self.models.catalog.latest(name)
        reason = f"{latest}: {self.models.failures.reason(latest) or error}"
        return _failure(reason, _traceback(error.__cause__, self._root))


def _models(declared: Declared, folder: Path, sources: Sources) -> Models:
    counts = Counts()
    memory = Memory(
        Limits(declared.cache_size, declared.cache_bytes), counts.left_memory
    )
    on_disk = Limits(declared.disk_cache_size, declared.disk_cache_bytes)
    disk = Disk(folder, on_disk, counts.left_disk)
    disk.tidy()
    return Models(Catalog(), memory, disk, sources, counts)


def _loader(predictor: Any, method: Method | None) -> Load:  # noqa: ANN401  # the user's
    """Calls `load_model` with what it asks for; without it, a model is its path."""
    if method is None:
        return lambda path, _name, _version: path
    wanted = method.arguments

    def load(path: Path, name: str, version: int) -> Any:  # noqa: ANN401  # the user's
        given = {"path": path, "name": name, "version": version}
        return predictor.load_model(**{k: v for k, v in given.items() if k in wanted})

    return load


def _failure(reason: str, traceback: str = "") -> StartError:
    message = f"the models cannot be loaded: {reason}"
    return StartError(StartFailure(message=message, traceback=traceback))


def _traceback(error: BaseException | None, root: Path) -> str:
    is_users = error is not None and not isinstance(error, ListingError)
    return user_traceback(error, root) if error and is_users else ""
