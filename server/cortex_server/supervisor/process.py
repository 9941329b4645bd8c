"""Starting the worker, watching it, and seeing the replica out."""

import gc
import os
import resource
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from threading import Thread
from types import FrameType

from cortex_server import board as board_module
from cortex_server.address import bind, unlink
from cortex_server.board import Board, State
from cortex_server.launch import START_FAILED, Launch
from cortex_server.restart import Backoff, ending
from cortex_server.supervisor.log import Log
from cortex_server.supervisor.metrics_folder import MetricsFolder
from cortex_server.supervisor.orders import Orders
from cortex_server.supervisor.parent import Parent
from cortex_server.supervisor.total import Boards

_SAMPLE = 1.0
_BLOCK = 1 << 16
_LAST_READS = 4
_NEVER = float("inf")
_FAILED = 1
_OPEN_FILES = 65536


def main(arguments: list[str]) -> int:
    """Run one replica until it is told to end; returns its exit code."""
    launch = Launch.parse(arguments)
    _allow_open_files()
    try:
        orders = Orders(launch)
        public, admin = bind(launch.listen), bind(launch.admin)
        supervisor = Supervisor(launch, orders, public, arguments)
    except (OSError, ValueError) as error:
        _report(launch, str(error))
        sys.stderr.write(f"{error}\n")
        return _FAILED
    parent = Parent(launch.lifeline, launch.scratch)
    code = supervisor.run(admin)
    parent.clean_up()
    return code


def _report(launch: Launch, message: str) -> None:
    from cortex_server.manifest import StartFailure  # noqa: PLC0415  # takes long

    launch.report(StartFailure(message=message))


def _allow_open_files() -> None:
    """Let the worker have as many connections as the system permits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS permits less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Supervisor:
    """The main loop of a replica: one thread, woken by signals and by the worker."""

    def __init__(
        self,
        launch: Launch,
        orders: Orders,
        public: socket.socket,
        arguments: list[str],
    ) -> None:
        self._launch = launch
        self._orders = orders
        self._public = public
        self._arguments = arguments
        self._log = Log(launch.log, launch.log_format, lambda: orders.log_labels)
        self._predictor_processes = orders.predictor_processes
        self._board_fd = board_module.create(1 + self._predictor_processes)
        self._board = Board(self._board_fd)
        self._selector = selectors.DefaultSelector()
        self._worker: subprocess.Popen[bytes] | None = None
        self._signals: list[int] = []
        self._is_draining = False
        self._told_by = 0
        self._drain_at = self._kill_at = self._start_at = _NEVER
        self._started = 0.0
        self._backoff = Backoff()
        self._was_ready = False
        self._metrics_folder = MetricsFolder(launch.admin)
        environment = os.environ | orders.environment
        self._environment = environment | self._metrics_folder.variables

    def run(self, admin: socket.socket) -> int:
        """Serve until the worker has ended for good; returns the exit code."""
        self._watch_signals()
        self._lifeline, self._lifeline_kept = os.pipe()
        self._start_worker()
        self._start_admin(admin)  # after the worker: they start side by side
        gc.enable()
        code = None
        while code is None:
            self._wait(self._next())
            told, self._signals = self._signals, []
            code = self._step()  # a worker that has ended did so before what is told
            self._handle(told)
            self._demand.sample()
        self._log.close()
        self._metrics_folder.remove()
        unlink(self._launch.listen, self._launch.admin)
        return code

    def _watch_signals(self) -> None:
        read, write = socket.socketpair()
        for end in (read, write):
            os.set_blocking(end.fileno(), False)  # the library's
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        self._wake = (read, write)
        self._selector.register(read, selectors.EVENT_READ)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _start_worker(self) -> None:
        output, *logs = [self._open_log() for _ in range(1 + self._predictor_processes)]
        shared = (self._public.fileno(), self._board_fd, self._lifeline)
        command = [sys.executable, "-P", "-m", "cortex_server.worker"]
        command += [*map(str, shared), ",".join(map(str, logs))]
        self._started, self._start_at = time.monotonic(), _NEVER
        self._worker = subprocess.Popen(  # noqa: S603  # our own module
            [*command, *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(*shared, *logs),
            env=self._environment,
            start_new_session=True,  # a Ctrl-C in a terminal is for the supervisor
        )
        for log in (output, *logs):
            os.close(log)

    def _open_log(self) -> int:
        """A pipe to the log; its end for who writes."""
        output, its_output = os.pipe()
        os.set_blocking(output, False)
        self._selector.register(output, selectors.EVENT_READ)
        return its_output

    def _start_admin(self, bound: socket.socket) -> None:
        from cortex_server.supervisor.demand import Demand  # noqa: PLC0415  # see run

        self._demand = Demand(self._board)
        bound.listen()
        Thread(target=self._serve_admin, args=(bound,), daemon=True).start()

    def _serve_admin(self, bound: socket.socket) -> None:
        """Answer on the admin address; what that takes is loaded once somebody asks."""
        select.select([bound], [], [])
        from cortex_server.supervisor.admin import Admin  # noqa: PLC0415  # see above

        admin = Admin(self._board, self._demand, self._metrics, self._ask_to_drain)
        admin.serve(bound)

    def _metrics(self) -> bytes:
        from cortex_server.supervisor.metrics import Exposition  # noqa: PLC0415  # see run

        worker = self._worker.pid if self._worker else 0
        total = Boards(self._board_fd).total()
        folder = self._metrics_folder.path
        return Exposition(total, self._orders.labels, worker, folder).text()

    def _ask_to_drain(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def _next(self) -> float:
        """Seconds until something is due, a sample at the latest."""
        due = min(self._drain_at, self._kill_at, self._start_at)
        return min(max(due - time.monotonic(), 0.0), _SAMPLE)

    def _wait(self, seconds: float) -> bool:
        """Sleep until something happens; whether the worker said something."""
        heard = False
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._wake[0]:
                self._wake[0].recv(_BLOCK)
            else:
                self._read_log(key.fd)
                heard = True
        return heard

    def _read_log(self, fd: int) -> None:
        if data := os.read(fd, _BLOCK):
            self._log.feed(data, fd)
        else:
            self._selector.unregister(fd)
            os.close(fd)

    def _handle(self, numbers: list[int]) -> None:
        for number in numbers:
            if self._is_draining:
                # Whoever interrupts will not wait; being terminated twice is how a
                # drain by hand and that of the kubelet meet.
                if signal.SIGINT in (number, self._told_by):
                    self._kill()
                continue
            self._is_draining, self._told_by = True, number
            drain = self._orders.manifest.drain(self._launch.withdraw)
            now = time.monotonic()
            self._board.state = State.DRAINING
            self._drain_at = now + drain.withdraw
            self._kill_at = now + drain.total
            self._log.event("info", "draining", seconds=drain.total)

    def _step(self) -> int | None:
        """Move on by one event; the exit code when there is nothing left to do."""
        now = time.monotonic()
        if self._worker is None:
            return self._maybe_restart(now)
        if self._board.state is State.READY and not self._was_ready:
            self._was_ready = True
            _ = self._orders.labels  # loads what the rest of its life takes, now
        code = self._worker.poll()
        if code is not None:
            return self._worker_ended(self._worker, code)
        if now >= self._drain_at:
            self._drain_at = _NEVER
            self._worker.terminate()
            unlink(self._launch.listen)
            self._public.close()  # else the system goes on taking connections
        if now >= self._kill_at:
            self._kill_at = _NEVER
            self._log.event("error", "killed: did not finish in the time to drain")
            self._kill()
        return None

    def _kill(self) -> None:
        if self._worker is not None:
            self._worker.kill()

    def _worker_ended(self, worker: "subprocess.Popen[bytes]", code: int) -> int | None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)  # what the user's code has started
        for _ in range(_LAST_READS):  # the last words
            if not self._wait(0):
                break
        self._log.flush()
        self._worker = None
        if self._is_draining:
            return 0 if code in (0, -signal.SIGTERM) else _FAILED
        if not self._was_ready:
            return self._failed_to_start(code)
        self._board.abandon()
        for number in range(self._predictor_processes):
            Board(self._board_fd, 1 + number).settle_hooks()
        self._board.count_restart()
        self._metrics_folder.retire_dead()
        self._board.state = State.STARTING
        self._was_ready = False
        now = time.monotonic()
        pause = self._backoff.after(now - self._started)
        self._start_at = now + pause
        event = f"worker {ending(code)}, starting another"
        self._log.event("error", event, seconds=pause)
        return None

    def _maybe_restart(self, now: float) -> int | None:
        if self._is_draining:
            return 0
        if now >= self._start_at:
            self._start_worker()
        return None

    def _failed_to_start(self, code: int) -> int:
        self._board.state = State.FAILED
        if code != START_FAILED:  # else the worker has told why
            message = f"the worker {ending(code)} while it started"
            _report(self._launch, message)
            self._log.event("error", message)
        return _FAILED
