"""The demo as a person runs it: its command in a process of its own."""

from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and waits to be collected does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class Demo:
    """`ganpo-demo` on a free port. `with` ends it by SIGTERM where it still runs."""
