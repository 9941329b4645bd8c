"""How an API, and what a target says about it, reads: as text, and in a notebook."""

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment
    from cortex_sdk._preview import Effect, Preview
    from cortex_sdk._target import Metrics, Status
    from cortex_sdk.declaration.sync_api import SyncAPI

STATE_COLOURS = {
    "live": "#1a7f37",
    "updating": "#9a6700",
    "error": "#cf222e",
    "stopped": "#6e7781",
}
_MILLISECOND = 1e-3
_SHOWN_CLASSES = 20
_NOT_SETTINGS = ("predictor", "name", "networking.endpoint", "env", "secrets")


def deployment_as_html(deployment: "Deployment") -> str:
    """A card with the address of an API and a line to try it."""
    endpoint = deployment.endpoint
    example = f"curl {endpoint} -H 'content-type: application/json' -d '…'"
    return _card(
        f"<b>{html.escape(deployment.name)}</b> "
        + ("is live" if deployment.changed else "is up to date"),
        {
            "endpoint": _link(endpoint),
            "revision": _code(deployment.revision),
            "target": html.escape(deployment.target.name),
            "try": f"{_code('.predict(…)')} or {_code(example)}",
        },
    )


def declaration_as_html(api: "SyncAPI") -> str:
    """A card with what an API was declared to be, without its secrets."""
    settings = {k: v for k, v in api.changed().items() if k not in _NOT_SETTINGS}
    predictor = _name(api) if isinstance(api.predictor, type) else str(api.predictor)
    rows = {"predictor": _code(predictor), "endpoint": _code(api.endpoint)}
    rows |= {html.escape(k): _code(_setting(v)) for k, v in settings.items()}
    return _card(f"<b>{html.escape(api.name)}</b> as declared", rows)


def _setting(value: object) -> str:
    if isinstance(value, tuple) and value and all(map(callable, value)):
        return ", ".join(function.__qualname__ for function in value)
    return repr(value)


def _name(api: "SyncAPI") -> str:
    name: str = api.predictor.__qualname__
    return name


def status_as_text(status: "Status") -> str:
    """One line: name, state, replicas, address, and why if there is a why."""
    line = (
        f"{status.name} is {status.status} on {status.target} at {status.endpoint}"
        f" ({_share(status)}, revision {status.revision or 'none'})"
    )
    return f"{line}: {status.reason}" if status.reason else line


def status_as_html(status: "Status") -> str:
    """A card with everything that a target says about an API."""
    colour = STATE_COLOURS[status.status]
    rows = {
        "endpoint": _link(status.endpoint),
        **_parts(status),
        "revision": _code(status.revision or "none"),
        "target": html.escape(status.target),
    }
    if status.reason:
        rows["reason"] = html.escape(status.reason)
    title = (
        f'<b>{html.escape(status.name)}</b> <span style="color:{colour}">●'
        f" {status.status}</span>"
    )
    return _card(title, rows)


def _share(status: "Status") -> str:
    return str(status.traffic) if status.traffic else replicas_as_text(status)


def _parts(status: "Status") -> dict[str, str]:
    """Replicas of an API; what a splitter sends where."""
    if status.traffic is None:
        return {"replicas": replicas_as_text(status)}
    return {name: html.escape(said) for name, said in status.traffic.rows().items()}


def replicas_as_text(status: "Status") -> str:
    """How many replicas are ready, of how many."""
    return f"{status.replicas.live} of {status.replicas.desired} live"


def preview_title(preview: "Preview") -> str:
    """What a deploy would do, in one sentence."""
    if not preview.changed:
        return f"{preview.name} is up to date on {preview.target}: nothing changes"
    what = "is new" if preview.is_new else "changes"
    return f"{preview.name} {what} on {preview.target}"


def effect_as_text(effect: "Effect") -> str:
    """What is there, and what was if that is another thing."""
    if not effect.is_change or not effect.before:
        return effect.after
    return f"{effect.before} → {effect.after}"


def preview_as_text(preview: "Preview") -> str:
    """What would change for callers, then object by object."""
    lines = [preview_title(preview)]
    if preview.changed:
        lines += [f"  {e.what:<10}{effect_as_text(e)}" for e in preview.effects]
        lines += [
            f"  {r.operation:<10}{r.kind} {r.name}  {', '.join(r.paths)}".rstrip()
            for r in preview.resources
        ]
    return "\n".join(lines)


def preview_as_html(preview: "Preview") -> str:
    """A card with the same."""
    title = html.escape(preview_title(preview))
    if not preview.changed:
        return _card(title, {})
    rows = {e.what: html.escape(effect_as_text(e)) for e in preview.effects}
    rows |= {
        f"{r.operation} {_code(f'{r.kind} {r.name}')}": html.escape(", ".join(r.paths))
        for r in preview.resources
    }
    return _card(title, rows)


def metrics_as_rows(metrics: "Metrics") -> dict[str, str]:
    """What was counted, a word for each kind of it."""
    rows = {
        "requests": _counts(metrics.requests, "× ") or "none yet",  # noqa: RUF001  # means times
        "in flight": str(metrics.in_flight),
    }
    if metrics.latency:
        rows["latency"] = " · ".join(
            f"{name} {duration(seconds)}" for name, seconds in metrics.latency.items()
        )
    if metrics.batches:
        mean = f"{metrics.batch_size:.3g} requests on average"
        rows["batches"] = f"{metrics.batches} · {mean}"
    if any(metrics.hooks.values()):
        rows["hooks"] = _counts(metrics.hooks)
    return rows | _monitored(metrics)


def _monitored(metrics: "Metrics") -> dict[str, str]:
    rows = {}
    if metrics.classes:
        shown = dict(list(metrics.classes.items())[:_SHOWN_CLASSES])
        left = len(metrics.classes) - len(shown)
        more = f" · and {left} more" if left else ""
        rows["predictions"] = _counts(shown, "× ") + more  # noqa: RUF001  # means times
    if metrics.values:
        rows["predictions"] = " · ".join(
            f"{name} {value:.6g}" for name, value in metrics.values.items()
        )
    if metrics.unmonitored:
        rows["not monitored"] = _counts(metrics.unmonitored)
    return rows


def metrics_as_text(metrics: "Metrics") -> str:
    """The rows, one a line, their names in a column."""
    rows = metrics_as_rows(metrics)
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())


def metrics_as_html(metrics: "Metrics") -> str:
    """A card with the rows."""
    rows = metrics_as_rows(metrics)
    return _card("", {name: html.escape(value) for name, value in rows.items()})


def duration(seconds: float) -> str:
    """Seconds in the unit that needs the fewest digits: 850 µs, 3.1 ms, 2.5 s."""
    for unit, size in (("s", 1.0), ("ms", _MILLISECOND)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _counts(counts: Mapping[str, int], of: str = "") -> str:
    return " · ".join(
        f"{count} {of}{_shown(name)}" for name, count in counts.items() if count
    )


def _shown(name: str) -> str:
    """A class is whatever a model says: no line ends, nothing a terminal obeys."""
    return name if name.isprintable() else repr(name)


def _card(title: str, rows: Mapping[str, str]) -> str:
    """A table without borders; the values are HTML already."""
    left = 'style="text-align:left"'
    cells = "".join(
        f"<tr><th {left}>{name}</th><td {left}>{value}</td></tr>"
        for name, value in rows.items()
    )
    table = f'<table style="margin-top:.5em">{cells}</table>'
    return f"<div>{title}{table}</div>"


def _link(url: str) -> str:
    return f'<a href="{html.escape(url)}" target="_blank">{html.escape(url)}</a>'


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"
