import os

from cortex_server import board as board_module
from cortex_server.board import Board, State
from cortex_server.supervisor.total import Boards


def test_each_process_has_a_board_of_its_own_and_readers_see_the_sum() -> None:
    fd = board_module.create(processes=3)
    first, _, third = (Board(fd, process) for process in range(3))

    first.state = State.DRAINING
    first.enter(10.0)
    first.answered(200, 0.5)
    first.count_hook("run")
    third.count_hook("run", 2)
    third.count_code(500)
    total = Boards(fd).total()
    os.close(fd)

    assert first.hooks["run"] == 1
    assert third.in_flight == 0
    assert (total.state, total.in_flight, total.count) == (State.DRAINING, 1, 1)
    assert total.hooks["run"] == 3
    assert total.codes == {200: 1, 500: 1}
    assert (total.seconds, total.integral(12.0)) == (0.5, 2.0)
