"""Telling systemd how we are: READY, WATCHDOG, STOPPING (sd_notify(3))."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)


def notify(message: str) -> None:
    """Send one state line; without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.send(message.encode())


async def watch(stuck: Callable[[], list[str]]) -> None:
    """Tell systemd "alive" as often as it wants, but only while `stuck` names no task; else it starts us anew."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    while microseconds:
        if names := stuck():
            log.error("no progress tasks=%s", ",".join(names))
        else:
            notify("WATCHDOG=1")
        await asyncio.sleep(int(microseconds) / 3e6)
