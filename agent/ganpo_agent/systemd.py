"""Telling systemd how we are: READY, WATCHDOG, STOPPING (sd_notify(3))."""

import os
import socket


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


def watchdog_s() -> float | None:
    """How often systemd wants to hear of us, in seconds; None if it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    return int(microseconds) / 1e6 if microseconds else None
