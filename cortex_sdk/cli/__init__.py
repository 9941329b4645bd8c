"""The command line: `cortex VERB …`.

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """Run the command line of this process and end it."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""

    def invoke() -> object:
        import typer  # noqa: PLC0415  # a failing import is reported like any bug

        from cortex_sdk.cli.app import app  # noqa: PLC0415  # same

        command = typer.main.get_command(app)
        return command.main(arguments, prog_name="cortex", standalone_mode=False)

    return guarded(invoke)


def guarded(action: Callable[[], object]) -> int:
    """Do something and return the exit code for how it went.

    An error meant for people is printed as its sentence alone; a traceback is only
    for a mistake of ours.
    """
    _provide_streams()
    try:
        return _explained(action)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write("\n")  # after the ^C that the terminal shows
        return INTERRUPTED
    except Exception:  # noqa: BLE001  # the one place where a bug of ours ends up
        _report_bug()
        return FAILED


def _explained(action: Callable[[], object]) -> int:
    import typer  # noqa: PLC0415  # see run

    from cortex_sdk.cli import console  # noqa: PLC0415  # see run
    from cortex_sdk.errors import CortexError  # noqa: PLC0415  # see run

    try:
        code = action()
    except CortexError as error:
        console.say_error(error)
        return FAILED
    except typer.TyperException as error:
        console.say(_usage(error), style="red")
        return error.exit_code
    except typer.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _usage(error: "typer.TyperException") -> str:
    """What is wrong with a command line, and where to read how it is right."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "cortex"
    wrong = error.format_message().rstrip(".").replace("Value error, ", "")
    return wrong if wrong.endswith("?") else f"{wrong}; see `{where} --help`"


def _provide_streams() -> None:
    """Make sure that writing never fails for want of a stream or of a letter."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123  # for good
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _report_bug() -> None:
    import traceback  # noqa: PLC0415  # only when something broke

    from cortex_sdk.cli.version import issues_url  # noqa: PLC0415  # see above

    traceback.print_exc()
    sys.stderr.write(
        "This is a mistake in cortex-sdk, not in your code; please report it with the"
        f" lines above and `cortex version`{issues_url()}\n"
    )
