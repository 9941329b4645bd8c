"""Versions without files, for what does not read any."""

from cortex_server.worker.models.versions import File, Version, Versions


def version(name: str, number: int = 1, *, size: int = 1, mark: str = "") -> Version:
    return Version(name, number, f"/m/{name}/{number}", (File("a", size, mark),))


def offer(**models: list[int]) -> dict[str, Versions]:
    return {name: {n: version(name, n) for n in ns} for name, ns in models.items()}
