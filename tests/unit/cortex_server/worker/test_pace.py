from cortex_server.worker.pace import LONG, PROOF, QUICK, Pace

FAST = QUICK / 2
SLOW = QUICK * 2


def prove(pace: Pace, calls: int, seconds: float = FAST) -> bool:
    for _ in range(calls):
        pace.took_in_thread(seconds)
    return pace.in_place


def test_moves_into_place_on_proof_and_not_before() -> None:
    pace = Pace(threads=1)

    assert not prove(pace, PROOF - 1)
    assert prove(pace, 1)


def test_stays_in_its_thread_when_it_is_not_quick() -> None:
    assert not prove(Pace(threads=1), 10 * PROOF, SLOW)


def test_a_long_call_in_a_thread_begins_the_proof_anew() -> None:
    pace = Pace(threads=1)
    prove(pace, PROOF - 1)
    pace.took_in_thread(LONG)

    assert not prove(pace, PROOF - 1)
    assert prove(pace, 1)


def test_a_long_call_in_place_ends_it_and_asks_for_more_proof() -> None:
    pace = Pace(threads=1)
    prove(pace, PROOF)
    pace.took_in_place(LONG)
    assert pace.in_place

    pace.took_in_place(LONG * 1.1)

    assert not pace.in_place
    assert not prove(pace, 4 * PROOF - 1)
    assert prove(pace, 1)


def test_with_several_threads_nothing_runs_in_place() -> None:
    assert not prove(Pace(threads=2), 10 * PROOF)


def test_what_cannot_do_without_its_thread_stays_there() -> None:
    pace = Pace(threads=1)
    prove(pace, PROOF)
    pace.stay_in_thread()

    assert not prove(pace, 10 * PROOF)


def test_a_machine_that_stalled_is_forgotten_after_many_quick_calls() -> None:
    pace = Pace(threads=1)
    prove(pace, PROOF)
    for _ in range(3):
        pace.took_in_place(LONG * 2)
        prove(pace, PROOF * 64)
    assert pace.in_place

    for _ in range(PROOF * 64 * 4 * 2):
        pace.took_in_place(FAST)
    pace.took_in_place(LONG * 2)
    prove(pace, PROOF * 4)

    assert pace.in_place
