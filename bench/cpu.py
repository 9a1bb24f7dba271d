"""CPU seconds, of which what shares the machine takes none."""

import contextlib
import time
from pathlib import Path

from support import databases


def cpu_s() -> float:
    """Of this process so far, and of the PostgreSQL that it asks."""
    found = time.process_time()
    if not databases.running():
        return found
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == databases.server().pid:
                found += int((stat.parent / "schedstat").read_text().split()[0]) / 1e9
    return found
