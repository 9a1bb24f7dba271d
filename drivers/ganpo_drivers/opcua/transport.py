"""asyncua's transport, quiet, and aware of what answers."""

import logging
from typing import Any

from asyncua.client.ua_client import UaClient

_STARTS = (b"ACK", b"ERR")

# What asyncua has to say arrives as our errors; its debug lines would print passwords.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


class Transport(UaClient):  # type: ignore[misc]
    """asyncua's transport, which also notes when what answers is no OPC UA."""

    foreign: bytes | None = None

    def _make_protocol(self) -> Any:
        protocol = super()._make_protocol()

        def first(data: bytes) -> None:
            del protocol.data_received  # back to the method of the class
            if data[:3] in _STARTS:
                protocol.data_received(data)
            else:
                self.foreign = data[:24]
                protocol.transport.abort()

        protocol.data_received = first
        return protocol
