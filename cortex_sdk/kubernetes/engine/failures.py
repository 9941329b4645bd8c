"""What went wrong in a run, in one sentence."""

import re
from pathlib import Path

from pulumi.automation.errors import CommandError

from cortex_sdk.errors import CortexError, DeployError, TargetError
from cortex_sdk.kubernetes.engine import resources, words
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.engine.record import Complaint, Record

_AT_MOST = 3
_LONGEST = 600
_STACK_TITLE = "Stack "
_NOT_READY = re.compile(
    r".*Kubernetes API server reported that .*? failed to fully initialize or become"
    r" live:\s*",
    re.DOTALL,
)
_NOT_CREATED = re.compile(
    r'resource "?urn:\S+ was not successfully created by the Kubernetes API server:\s*'
)
_COUNT = re.compile(r"^\d+ errors? occurred:$")
_BULLET = re.compile(r"^[*\-\s]+")
_ERROR = re.compile(r"^\s*error:\s*")
_GENERIC = re.compile(
    r"^(update|preview|destroy|refresh) (failed|canceled)"
    r"|resource registration failed|an unhandled error occurred"
)
_OF_PROGRAM = "python inline source runtime error: "
_BROKEN_STATE = re.compile(
    r"snapshot integrity|unmarshal|invalid character|unexpected end of JSON"
    r"|deserializ|checkpoint",
    re.IGNORECASE,
)


def explain(
    error: Exception, record: Record, folders: Folders, stack: str
) -> Exception:
    """The error to raise for one of Pulumi's; others are given back as they are."""
    if isinstance(error, OSError):
        return TargetError(f"the Pulumi CLI cannot be run: {error}")
    if not isinstance(error, CommandError):
        return error
    said = words.plain(str(error))
    everything = "\n".join([said, *(item.text for item in record.complaints)])
    return (
        _of_plan(everything)
        or _of_machine(everything, folders)
        or _of_resources(record)
        or _of_state(everything, folders, stack)
        or _of_signal(said)
        or DeployError(_last_words(record, said))
    )


def _of_plan(text: str) -> CortexError | None:
    """A saved plan that is not what would happen now; values may be secret."""
    if "violates plan" not in text:
        return None
    titles: dict[str, None] = {}
    for urn in re.findall(r"resource (urn:\S+) violates plan", text):
        titles[resources.title_of_urn(urn)] = None
    about = f" ({', '.join(titles)})" if titles else ""
    msg = (
        f"the plan no longer fits what would change now{about}; nothing that it does"
        " not hold was done: preview again and save a new one"
    )
    return DeployError(msg)


def _of_machine(text: str, folders: Folders) -> CortexError | None:
    """What is wrong here, and not on the cluster."""
    if "no space left on device" in text:
        return TargetError(f"the disk of {folders.root} or of /tmp is full; make room")
    if "incorrect passphrase" in text or "passphrase must be set" in text:
        msg = (
            "the state was encrypted with another passphrase than"
            f" {folders.passphrase} holds; put the right one there, or set"
            " PULUMI_CONFIG_PASSPHRASE where a backend is named"
        )
        return TargetError(msg)
    if match := re.search(r"no resource plugin '([^']+)'.*", text):
        msg = f"Pulumi has no plugin {match[1]}, and cannot get it: {match[0]}"
        return TargetError(msg[:_LONGEST])
    return None


def _of_resources(record: Record) -> CortexError | None:
    """What providers said of single resources."""
    items = [item for item in record.complaints if _is_of_resource(item)]
    sentences = list(dict.fromkeys(map(_sentence, items)))
    if not sentences:
        return None
    more = len(sentences) - _AT_MOST
    shown = sentences[:_AT_MOST] + ([f"and {more} more"] if more > 0 else [])
    return DeployError("; ".join(shown))


def _is_of_resource(item: Complaint) -> bool:
    return bool(item.title) and not item.title.startswith(_STACK_TITLE)


def _sentence(item: Complaint) -> str:
    text = _NOT_READY.sub("did not become ready: ", item.text)
    text = _NOT_CREATED.sub("cannot be created: ", text)
    lines = [_BULLET.sub("", line).strip() for line in text.splitlines()]
    told = ", ".join(line for line in lines if line and not _COUNT.match(line))
    return f"{item.title} {told}".replace("ready: ,", "ready:")[:_LONGEST]


def _of_state(text: str, folders: Folders, stack: str) -> CortexError | None:
    file = folders.state_file(stack)
    if file is None or not _BROKEN_STATE.search(text):
        return None
    backup = Path(f"{file}.bak")
    hint = f"its last copy is {backup}" if backup.exists() else "there is no copy of it"
    msg = (
        f"the state of {stack} in {file} cannot be read; {hint}. Without state, move"
        " the file away and deploy again: what runs is taken over"
    )
    return TargetError(msg)


def _of_signal(text: str) -> CortexError | None:
    match = re.search(r"code: -(\d+)", text)
    if match is None:
        return None
    msg = (
        f"Pulumi was ended from outside (signal {match[1]}) in the middle of a change;"
        " run it again: it goes on from there"
    )
    return DeployError(msg)


def _last_words(record: Record, said: str) -> str:
    """The most telling line of what nobody foresaw."""
    lines = [item.text for item in record.complaints]
    lines += [_ERROR.sub("", line) for line in said.splitlines() if _ERROR.match(line)]
    telling = [line for line in lines if not _GENERIC.search(line)] or lines
    text = telling[0] if telling else said.strip()
    if text.startswith(_OF_PROGRAM):  # raised too late to be kept, in an output's apply
        text = text.removeprefix(_OF_PROGRAM).partition("\nTraceback")[0]
        return f"the program failed: {' '.join(text.split())}"
    return f"Pulumi failed: {' '.join(text.split())}"[:_LONGEST]
