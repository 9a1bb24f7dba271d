"""Child processes of a test: started with the tests' own modules in reach, ended by process id."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

TESTS = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def python(
    *args: object, stdout: int | IO[Any] | None = subprocess.PIPE, **env: str
) -> subprocess.Popen[str]:
    """Start `python ARGS` with `tests/` on its path."""
    return subprocess.Popen(
        [sys.executable, *map(str, args)],
        stdout=stdout,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1", **env},
    )


def end(process: subprocess.Popen[Any], number: int = signal.SIGTERM, seconds: float = 10.0) -> int:
    """Send a signal and wait; a process that does not end is killed, and the test fails."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
