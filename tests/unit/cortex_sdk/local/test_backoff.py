from cortex_sdk.local.backoff import Backoff


def test_doubles_from_half_a_second_to_half_a_minute() -> None:
    backoff = Backoff()

    delays = [backoff.after(healthy=1) for _ in range(9)]

    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_starts_over_after_a_healthy_minute() -> None:
    backoff = Backoff(failures=8)

    assert backoff.after(healthy=60) == 0.5
    assert backoff.after(healthy=59) == 1


def test_many_failures_are_no_overflow() -> None:
    assert Backoff(failures=5000).after(healthy=0) == 30
