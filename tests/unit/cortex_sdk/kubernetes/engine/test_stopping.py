from cortex_sdk.kubernetes.engine.stopping import GRACE, Stopping


class Command:
    def __init__(self) -> None:
        self.got: list[str] = []

    def interrupt(self) -> None:
        self.got.append("interrupt")

    def kill(self) -> None:
        self.got.append("kill")


class Case:
    def __init__(self) -> None:
        self.command = Command()
        self.said: list[str] = []
        self.now = 100.0
        self.stopping = Stopping(self.command, self.said.append, lambda: self.now)

    def go_on(self, *, is_ready: bool = True, is_ended: bool = False) -> list[str]:
        self.stopping.go_on(is_ready=is_ready, is_ended=is_ended)
        return self.command.got


def test_nothing_happens_while_nobody_wants_it() -> None:
    case = Case()
    case.now += 10 * GRACE

    assert case.go_on() == []
    assert not case.stopping.is_wanted


def test_the_first_wish_is_passed_on_once_and_said() -> None:
    case = Case()
    case.stopping.want(1)

    case.go_on()
    case.stopping.want(1)

    assert case.go_on() == ["interrupt"]
    assert len(case.said) == 1


def test_a_second_wish_insists_and_a_third_kills() -> None:
    case = Case()
    for times in (1, 2, 3):
        case.stopping.want(times)
        case.go_on()

    assert case.command.got == ["interrupt", "interrupt", "kill"]


def test_a_cli_that_is_not_ready_for_signals_is_waited_for_a_moment() -> None:
    case = Case()
    case.stopping.want(1)

    assert case.go_on(is_ready=False) == []
    case.now += 4
    assert case.go_on(is_ready=False) == ["interrupt"]


def test_a_cli_that_saves_the_state_is_left_alone() -> None:
    case = Case()
    case.stopping.want(1)

    assert case.go_on(is_ended=True) == []


def test_a_run_that_does_not_end_is_pressed_harder_as_time_goes_by() -> None:
    case = Case()
    case.stopping.want(1)
    case.go_on()
    for _ in range(2):
        case.now += GRACE + 1
        case.go_on()

    assert case.command.got == ["interrupt", "interrupt", "kill"]
