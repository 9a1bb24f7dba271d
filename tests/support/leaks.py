"""What a test must not leave behind, and what our event loops must not do."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import SupportsIndex, TypeVar

import psutil

T = TypeVar("T")
TESTS = str(Path(__file__).parents[1])

blocked: list[str] = []
"""Blocking calls that our packages made inside a running event loop of this process."""

_BLOCKING = frozenset(
    {"time.sleep", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system"}
)


def watch_for_blocking_calls() -> None:
    """Note every blocking call of ours in a loop from now on. By audit events: no timing, so no luck, is involved.

    Disk and database calls raise no audit event of use, so they are out of its sight.
    """
    sys.addaudithook(_audit)
    if sys.version_info < (3, 13):  # the first to tell of time.sleep
        time.sleep = _sleep


_silent_sleep = time.sleep


def _sleep(seconds: float | SupportsIndex) -> None:
    sys.audit("time.sleep", seconds)
    _silent_sleep(seconds)


def _audit(event: str, _arguments: object) -> None:
    if event in _BLOCKING and asyncio._get_running_loop() is not None:
        culprit = _ours(sys._getframe(1))
        if culprit is not None:
            blocked.append(f"{event} in a running loop: {culprit}")


def _ours(frame: FrameType | None) -> str | None:
    """Where our code stands behind this call; None if the test itself or the loop's own machinery made it."""
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package.startswith("ganpo_"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if package == "asyncio" or frame.f_code.co_filename.startswith(TESTS):
            return None
        frame = frame.f_back
    return None


def children() -> set[psutil.Process]:
    """Every living process below this one."""
    return {process for process in psutil.Process().children(recursive=True) if process.is_running()}


def sockets() -> set[str]:
    """The sockets that this process has open."""
    return {name for name in map(_target, Path("/proc/self/fd").iterdir()) if name.startswith("socket:")}


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def left_over(before: set[T], now: Callable[[], set[T]], seconds: float = 1.0) -> set[T]:
    """What is there now and was not before, once `seconds` have been given to it to go."""
    deadline = time.monotonic() + seconds
    while (left := now() - before) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    return left
