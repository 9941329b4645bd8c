"""Which parts `up` puts on a cluster, and which it leaves to whoever made them."""

from dataclasses import dataclass, replace

from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.platform import checks
from cortex_sdk.kubernetes.platform.found import Found, Part
from cortex_stacks.args import GatewayRef

OURS = GatewayRef()


@dataclass(frozen=True, slots=True)
class Choice:
    """The parts that are ours to make; the others are somebody else's."""

    gateway_api: bool
    envoy_gateway: bool
    keda: bool
    gateway: bool
    notes: tuple[str, ...]
    """What is left alone, a line for each."""


def choose(found: Found, ref: GatewayRef, stack: str) -> Choice:
    """Ours is what is missing, and what our own stack made.

    Raises:
        UnsupportedError: What is somebody else's is too old, or the Gateway that the
            target names is not there.
    """
    is_ours = ref == OURS
    if not is_ours and found.gateway is None:
        msg = (
            f"there is no Gateway {ref.name} in namespace {ref.namespace}: make it, or"
            " leave `gateway` out of the target to get one"
        )
        raise UnsupportedError(msg)
    others = _of_others(found, stack)
    _refuse_old(others)
    return Choice(
        gateway_api=others.gateway_api is None,
        envoy_gateway=is_ours and others.envoy_gateway is None,
        keda=others.keda is None,
        gateway=is_ours,
        notes=_notes(others, ref, is_ours=is_ours),
    )


def _of_others(found: Found, stack: str) -> Found:
    """Without the parts that our stack made."""

    def kept(part: Part | None) -> Part | None:
        return part if part and not part.is_of(stack) else None

    return replace(
        found,
        gateway_api=kept(found.gateway_api),
        envoy_gateway=kept(found.envoy_gateway),
        keda=kept(found.keda),
    )


def _refuse_old(others: Found) -> None:
    if clauses := checks.outdated(others):
        msg = (
            f"{'; '.join(clauses)}: upgrade what somebody else put on the cluster, or"
            " remove it and run `cortex cluster up` again"
        )
        raise UnsupportedError(msg)


def _notes(others: Found, ref: GatewayRef, *, is_ours: bool) -> tuple[str, ...]:
    parts = {
        "Gateway API": others.gateway_api,
        "Envoy Gateway": others.envoy_gateway if is_ours else None,
        "KEDA": others.keda,
    }
    notes = [
        f"{title}{f' {part.version}' if part.version else ''} is there and left alone"
        for title, part in parts.items()
        if part
    ]
    if not is_ours:
        notes.append(f"APIs are attached to Gateway {ref.namespace}/{ref.name}")
    return tuple(notes)
