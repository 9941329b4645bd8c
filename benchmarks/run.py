"""Our server beside raw Sanic, a bare protocol, FastAPI, LitServe and BentoML.

What is measured and what the figures mean is in docs/concepts/performance.md.
"""

import json
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from comparison import hooks, machine, report
from comparison.cell import Setup
from comparison.environment import Contender, prepare
from comparison.failure import BenchmarkError
from comparison.load import Generator
from comparison.matrix import Matrix
from comparison.options import Options, options
from comparison.results import Results
from comparison.server import OURS, REFERENCE, SERVERS_BY_NAME
from comparison.workload import workloads


def main() -> int:
    """Run the command; 1 when a server did not start or gave a wrong answer."""
    asked = options()
    if asked.only_list:
        print(_listing())
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # servers end in `finally`
    try:
        return _run(asked)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(asked: Options) -> int:
    contenders = [prepare(server, asked.venvs) for server in asked.servers]
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
    setup = Setup(Generator.choose(), machine.Cores.choose(), asked.seconds)
    machine.pin(setup.cores.load)
    _warn(machine.warnings(setup.cores))
    if asked.only_check:
        failures = Matrix(contenders, asked.workloads, 1).check(setup.cores)
    else:
        failures = _measure(asked, contenders, setup)
    _warn(failures)
    return 1 if failures else 0


def _measure(asked: Options, contenders: list[Contender], setup: Setup) -> list[str]:
    facts = _facts(asked, contenders, setup)
    matrix = Matrix(contenders, asked.workloads, asked.repeats)
    cells, failures = matrix.measure(setup)
    names = [server.name for server in asked.servers]
    results = Results(cells, names, asked.workloads, REFERENCE, facts)
    rows = _measure_hooks(asked, contenders, setup, failures)
    more = hooks.goals(rows) if rows else []
    print(report.render(results, more, markdown=asked.markdown))
    if rows:
        print(f"\n{hooks.render(rows, markdown=asked.markdown)}")
    if asked.json:
        record = {**facts, "cells": [asdict(cell) for cell in cells]}
        asked.json.write_text(json.dumps(record, indent=1))
    return failures


def _measure_hooks(
    asked: Options, contenders: list[Contender], setup: Setup, failures: list[str]
) -> list[hooks.Row]:
    """What hooks cost the clients of our server, where w6 is asked for."""
    ours = [one for one in contenders if one.server.name == OURS]
    if not ours or all(workload.name != "w6" for workload in asked.workloads):
        return []
    try:
        return hooks.measure(ours[0], setup, asked.repeats)
    except BenchmarkError as error:
        failures.append(f"hooks at times of their own: {error}")
        return []


def _facts(
    asked: Options, contenders: list[Contender], setup: Setup
) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "load": setup.generator.title,
        "repeats": asked.repeats,
        "seconds": asked.seconds,
        "versions": {
            name: version
            for contender in contenders
            for name, version in contender.versions().items()
        },
    }


def _listing() -> str:
    servers = [f"  {one.name:<10}{one.title}" for one in SERVERS_BY_NAME.values()]
    asked = [f"  {one.name:<10}{one.title}" for one in workloads().values()]
    return "\n".join(["servers", *servers, "", "workloads", *asked])


def _warn(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"warning: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
