"""The command line of run.py."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from comparison import environment
from comparison.server import SERVERS_BY_NAME, Server
from comparison.workload import Workload, workloads

_REPEATS, _SECONDS = 2, 5
_QUICK_REPEATS, _QUICK_SECONDS = 1, 1


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be done."""

    servers: list[Server]
    workloads: list[Workload]
    repeats: int
    seconds: int
    venvs: Path
    only_list: bool
    only_check: bool
    markdown: bool
    json: Path | None


def options(arguments: list[str] | None = None) -> Options:
    """Read the command line; a wrong one ends the program."""
    given = _parser().parse_args(arguments)
    repeats = _QUICK_REPEATS if given.quick else _REPEATS
    seconds = _QUICK_SECONDS if given.quick else _SECONDS
    return Options(
        servers=[SERVERS_BY_NAME[name] for name in given.servers],
        workloads=[workloads()[name] for name in given.workloads],
        repeats=given.repeats or repeats,
        seconds=given.duration or seconds,
        venvs=given.venvs,
        only_list=given.list,
        only_check=given.check,
        markdown=given.markdown,
        json=given.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Compare serving frameworks on one core of this machine."
    )
    add = parser.add_argument
    for flag, known in (("--servers", SERVERS_BY_NAME), ("--workloads", workloads())):
        add(
            flag,
            type=_names_among(known),
            default=list(known),
            metavar="A,B",
            help="names from --list; all unless given",
        )
    add("--repeats", type=_count, metavar="N", help=f"{_REPEATS} unless given")
    add("--duration", type=_count, metavar="SECONDS", help=f"{_SECONDS} unless given")
    add(
        "--quick",
        action="store_true",
        help="one repeat of one second, for a first look",
    )
    add("--list", action="store_true", help="print servers and workloads")
    add("--check", action="store_true", help="start each and see its answer, no load")
    add("--markdown", action="store_true", help="print the report as Markdown")
    add("--json", type=Path, metavar="FILE", help="write every cell to a file as well")
    add(
        "--venvs",
        type=Path,
        default=environment.default_folder(),
        metavar="FOLDER",
        help="where the environments of the peers are kept (%(default)s)",
    )
    return parser


def _names_among(known: Iterable[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = text.split(",")
        unknown = [name for name in found if name not in known]
        if unknown:
            msg = f"{unknown[0]!r} is none of {', '.join(known)}"
            raise argparse.ArgumentTypeError(msg)
        return found

    return names


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        msg = f"must be a whole number above 0, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
