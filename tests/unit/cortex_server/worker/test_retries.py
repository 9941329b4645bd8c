from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.retries import pause


@given(st.integers(1, 100))
def test_a_pause_doubles_up_to_a_limit_and_varies(retries: int) -> None:
    longest = min(0.25 * 2 ** (retries - 1), 30)

    pauses = {pause(retries) for _ in range(20)}

    assert longest / 2 <= min(pauses) < max(pauses) <= longest
