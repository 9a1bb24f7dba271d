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

        begun = bytearray()

        def first(data: bytes) -> None:
            begun.extend(data)
            kind = bytes(begun[:3])
            if not any(start.startswith(kind) for start in _STARTS):
                self.foreign = bytes(begun[:24])
                protocol.transport.abort()
            elif len(kind) == 3:  # it may come byte by byte
                del protocol.data_received  # back to the method of the class
                protocol.data_received(bytes(begun))

        protocol.data_received = first
        return protocol
