import pytest
from integration.server.replica import GATE, accepts, running, starting, wait_for

WHERE = """
import asyncio, threading

def here():
    try:
        return asyncio.get_running_loop() and threading.current_thread().name
    except RuntimeError:
        return threading.current_thread().name

class P:
    def __init__(self, config):
        self.places = [here()]

    {warm_up}def warm_up(self, config, logger):
        logger.info("warming", **config)
        self.places.append(here())

    {predict}def predict(self):
        self.places.append(here())
        return self.places
"""


@pytest.mark.parametrize(
    ("warm_up", "predict", "places"),
    [
        ("", "", ["predict-0"] * 3),
        ("", "async ", ["MainThread"] * 3),
        ("async ", "async ", ["MainThread"] * 3),
        ("async ", "", ["predict-0", "MainThread", "predict-0"]),
    ],
)
def test_warm_up_runs_once_where_predict_will(
    warm_up: str, predict: str, places: list[str]
) -> None:
    source = WHERE.format(warm_up=warm_up, predict=predict)
    with running(source, config={"a": 1}) as replica:
        assert replica.client.post("/").json() == places
        assert len(replica.log(event="warming", a=1)) == 1


def test_nobody_is_served_before_it_is_warm() -> None:
    source = GATE + (
        "class P:\n"
        "    def warm_up(self): wait_at('warm')\n"
        "    def predict(self): return 1\n"
    )
    with starting(source) as replica:
        wait_for("the admin address", lambda: accepts(replica.admin_socket))
        wait_for("the project", (replica.folder / "root").exists)

        assert replica.admin.get("/readyz").json() == {"status": "starting"}
        assert not accepts(replica.public_socket)
        replica.open_gate("warm")
        replica.wait_until_ready()
        assert replica.client.post("/").json() == 1


@pytest.mark.parametrize("kind", ["", "async "])
def test_a_warm_up_that_fails_is_a_start_that_fails(kind: str) -> None:
    source = (
        "class P:\n"
        f"    {kind}def warm_up(self): raise ValueError('too cold')\n"
        "    def predict(self): return 1\n"
    )
    with starting(source) as replica:
        assert replica.wait() == 1

        failure = replica.failure()
        assert failure["message"] == "`P.warm_up` raised ValueError: too cold"
        assert 'File "app.py", line 2, in warm_up' in failure["traceback"]
        assert not accepts(replica.public_socket)


def test_a_replica_can_be_ended_while_it_warms_up() -> None:
    source = GATE + (
        "class P:\n"
        "    async def warm_up(self):\n"
        "        pathlib.Path('begun').touch()\n"
        "        await await_at('never')\n"
        "    async def predict(self): return 1\n"
    )
    with starting(source) as replica:
        wait_for("the warm-up", (replica.folder / "root" / "begun").exists)
        replica.terminate()

        assert replica.wait() == 0


def test_every_process_warms_up() -> None:
    source = (
        "import os\n"
        "class P:\n"
        "    def warm_up(self): print('warm', os.getpid())\n"
        "    def predict(self): return 1\n"
    )
    with running(source, processes_per_replica=2) as replica:
        warm = {line["event"] for line in replica.log()}

        assert len(warm) == 2
