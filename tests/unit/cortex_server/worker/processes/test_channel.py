from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.processes.channel import Channel
from cortex_server.worker.processes.frame import head

Frame = tuple[int, int, list[Any], bytes]

FRAMES = st.lists(
    st.tuples(
        st.integers(0, 255),
        st.integers(0, 2**63),
        st.lists(st.binary(max_size=50) | st.integers(-5, 5), max_size=3),
        st.binary(max_size=40) | st.integers(60_000, 200_000).map(bytes),
    ),
    max_size=8,
)


class Ear:
    def __init__(self) -> None:
        self.heard: list[Frame] = []
        self.rests = 0

    def received(self, kind: int, number: int, values: list[Any], body: bytes) -> None:
        self.heard.append((kind, number, values, body))

    def read_all(self) -> None:
        self.rests += 1

    def lost(self) -> None: ...


def written(frame: Frame) -> bytes:
    kind, number, values, body = frame
    return head(kind, number, values, len(body)) + body


def feed(channel: Channel, data: bytes, block: int) -> None:
    """Give it bytes as the system does: never more than it has asked for."""
    while data:
        room = channel.get_buffer(-1)
        size = min(len(room), block, len(data))
        room[:size] = data[:size]
        data = data[size:]
        channel.buffer_updated(size)


@given(FRAMES, st.integers(1, 300_000))
def test_frames_come_as_they_were_sent_however_they_are_cut(
    frames: list[Frame], block: int
) -> None:
    ear = Ear()
    data = b"".join(map(written, frames))

    feed(Channel(ear), data, max(block, len(data) // 500))

    assert ear.heard == frames


def test_values_larger_than_its_memory_fit() -> None:
    ear = Ear()
    frame = (3, 1, [b"x" * 300_000], b"body")

    feed(Channel(ear), written(frame) * 2, 1 << 16)

    assert ear.heard == [frame, frame]


def test_what_came_together_is_said_to_be_read_once() -> None:
    ear = Ear()

    feed(Channel(ear), written((0, 1, [], b"a")) * 3, 1 << 16)

    assert (len(ear.heard), ear.rests) == (3, 1)


def test_a_frame_for_nobody_is_lost() -> None:
    Channel(Ear()).send(0, 1, (), b"body")
