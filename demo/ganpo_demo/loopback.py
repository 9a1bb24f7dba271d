"""Where everything of the demo listens: loopback alone."""

import random
import socket

HOST = "127.0.0.1"
_PORTS = range(20_000, 30_000)
"""Below those that systems hand out to outgoing connections (from 32768 on Linux): between the choice of a port
and its use, any connection of any program might be given it."""
_CHOICE = random.SystemRandom()


def free_port() -> int:
    """A port that nobody uses now: take it soon."""
    while True:
        port = _CHOICE.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
