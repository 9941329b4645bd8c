"""The places that a declaration names, and what is in them."""

from collections.abc import Callable

from cortex_server.manifest import Models as Declared
from cortex_server.worker.models.places import Place, place_of
from cortex_server.worker.models.versions import (
    File,
    ListingError,
    Versions,
    models_of,
    versions_of,
)

_Read = Callable[[str, list[File]], dict[str, Versions]]


class Sources:
    """All places of one API.

    Raises:
        ListingError: A place needs a package that is not installed.
    """

    def __init__(self, declared: Declared) -> None:
        self.has_folder = declared.dir is not None
        self.problems: dict[str, str] = {}
        """Why a place could not be read the last time, by its address."""
        self._places: list[tuple[Place, _Read]] = []
        self._named: dict[str, Place] = {}
        self._last: dict[str, dict[str, Versions]] = {}
        for model in declared.paths:
            place = self._named[model.name] = place_of(model.path)
            self._places.append((place, _one(model.name)))
        if declared.dir is not None:
            self._folder = place_of(declared.dir)
            self._places.append((self._folder, models_of))

    def place(self, name: str) -> Place:
        """Where a model is."""
        return self._named.get(name) or self._folder

    def look(self) -> dict[str, Versions]:
        """What there is; of a place that cannot be read, what there was."""
        found: dict[str, Versions] = {}
        for place, read in self._places:
            self._look_at(place, read)
            found |= self._last.get(place.address, {})
        return found

    def _look_at(self, place: Place, read: _Read) -> None:
        try:
            seen = read(place.address, place.look())
        except ListingError as error:
            self.problems[place.address] = str(error)
        else:
            self._last[place.address] = seen
            self.problems.pop(place.address, None)


def _one(name: str) -> _Read:
    def read(address: str, files: list[File]) -> dict[str, Versions]:
        versions = versions_of(name, address, files)
        if not versions:
            msg = f"there is no model at {address}: it is empty"
            raise ListingError(msg)
        return {name: versions}

    return read
