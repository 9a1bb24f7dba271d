"""What a driver may not do, told by the interpreter's audit events: no timing, so no luck, is involved."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_WAITS = frozenset(
    {"time.sleep", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system"}
)
_OPENS = frozenset({"socket.__new__", "subprocess.Popen", "os.system", "os.posix_spawn"})
_entered: list[tuple[int, bool, list[str]]] = []
"""Of each watch: its thread, whether it is one over what has to be offline, and what it noted."""


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """Where this thread waits for the network, a name or a process while its event loop runs."""
    with _watch(offline=False) as found:
        yield found


@contextmanager
def calls_to_the_outside() -> Iterator[list[str]]:
    """Where this thread makes a socket, starts a process or opens a device."""
    with _watch(offline=True) as found:
        yield found


@contextmanager
def _watch(*, offline: bool) -> Iterator[list[str]]:
    found: list[str] = []
    entry = threading.get_ident(), offline, found
    _entered.append(entry)
    try:
        yield found
    finally:
        _entered.remove(entry)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _entered:
        return
    here = threading.get_ident()
    for thread, offline, found in _entered:
        if thread == here and (_goes_outside if offline else _waits)(event, arguments):
            frames = traceback.format_stack(sys._getframe(1), 6)  # noqa: SLF001  # who called
            found.append(f"{event}\n{''.join(frames)}")


def _waits(event: str, arguments: tuple[Any, ...]) -> bool:
    if asyncio._get_running_loop() is None:  # noqa: SLF001  # does not raise, and is cheap
        return False
    # A socket without a timeout of 0 waits in `connect`, however short.
    return event in _WAITS or (event == "socket.connect" and arguments[0].gettimeout() != 0)


def _goes_outside(event: str, arguments: tuple[Any, ...]) -> bool:
    return event in _OPENS or (event == "open" and str(arguments[0]).startswith("/dev/"))


sys.addaudithook(_audit)
