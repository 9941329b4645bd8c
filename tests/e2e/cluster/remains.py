"""Taking away what a cluster left on the machine, dead or ended."""

import shutil
from contextlib import suppress

import psutil
from e2e.cluster import cgroups, network
from e2e.cluster.layout import Layout, free


def clear_all() -> None:
    """Remove what runs that were killed have left."""
    for claim in free():
        clear(claim.layout)
        claim.release()


def clear(layout: Layout) -> None:
    """Remove processes, cable, cgroups and folder of a layout that nobody uses.

    Mounts went with the namespace that they were made in.
    """
    if not layout.folder.exists():
        return
    for process in _processes(layout):
        with suppress(psutil.Error):
            process.kill()
            process.wait()
    network.disconnect(layout)
    cgroups.remove(layout.name)
    shutil.rmtree(layout.folder)


def _processes(layout: Layout) -> list[psutil.Process]:
    """The first process in the namespaces, whose end is the end of all others."""
    wanted = ["-m", "e2e.cluster.node", str(layout.index)]
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[1:4] == wanted:
                found.append(process)
    return found
