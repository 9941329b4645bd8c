"""The boards of all processes of a replica, added up."""

import os
from array import array

from cortex_server.board import SIZE, Board, cells


class Boards:
    """All boards of a replica, for who only reads them."""

    def __init__(self, fd: int) -> None:
        number = os.fstat(fd).st_size // SIZE
        self._cells = [cells(fd, process) for process in range(number)]

    def total(self) -> Board:
        """A board with the sums of this moment."""
        ints, floats = zip(*self._cells, strict=True)
        return _Total(
            array("q", map(sum, zip(*ints, strict=True))),
            array("d", map(sum, zip(*floats, strict=True))),
        )


class _Total(Board):
    def __init__(self, ints: "array[int]", floats: "array[float]") -> None:
        self._ints, self._floats = memoryview(ints), memoryview(floats)
