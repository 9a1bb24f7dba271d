"""What was asked of any simulated device of the suite that could change something there (I10).

Each server notes it, also one in a process of its own, where the request arrives: behind any encryption, whoever the
client is. `conftest.py` fails the test that leaves a note.
"""

import os
import tempfile
from pathlib import Path

_FILE = "WRITES_SEEN_BY_TESTS"
_TESTS = Path(__file__).parents[1]


def note(what: str) -> None:
    """A write arrived."""
    if name := os.environ.get(_FILE):
        with Path(name).open("a") as file:
            file.write(f"{what}\n")


def watch() -> None:
    """Begin, in this process and in what it starts."""
    handle, os.environ[_FILE] = tempfile.mkstemp(prefix="writes-")
    os.close(handle)


def environment() -> dict[str, str]:
    """Of a process that notes too: it finds this module, and what makes the demo's devices do so."""
    found = [str(_TESTS), str(_TESTS / "support" / "started"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}


def noted() -> list[str]:
    """What arrived since this was asked last."""
    file = Path(os.environ[_FILE])
    found = file.read_text().splitlines()
    if found:
        file.write_text("")
    return found


def end() -> None:
    """No more is noted."""
    Path(os.environ.pop(_FILE)).unlink()
