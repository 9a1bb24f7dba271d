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
    server = databases.server().pid
    for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return found
