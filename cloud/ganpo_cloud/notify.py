"""Telling systemd how we are (sd_notify(3)); the gateway has its own, for the collector imports nothing of it."""

import os
import socket


def notify(message: str) -> None:
    """Send one state line; without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
        sock.send(message.encode())


def watchdog_s() -> float | None:
    """How often systemd wants to hear of us, in seconds; None if it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    return int(microseconds) / 1e6 if microseconds else None
