"""asyncua's transport: quiet, aware of what answers, and of what a server shows of itself."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.client.ua_client import UaClient
from asyncua.crypto import uacrypto

_STARTS = (b"ACK", b"ERR")

# What asyncua has to say arrives as our errors; its debug lines would print passwords.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


class Transport(UaClient):  # type: ignore[misc]
    """asyncua's transport, which also notes how what answers began, and what a server showed of itself.

    `heard`: the first bytes that came, at most 24. `server_time`: the server's clock as it answered GetEndpoints.
    `shown`, `endpoints`: certificate (DER) and endpoints of CreateSession.
    """

    heard: bytes = b""
    server_time: datetime | None = None
    shown: bytes = b""
    endpoints: Sequence[Any] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether what answers is no OPC UA."""
        return not any(start.startswith(self.heard[:3]) for start in _STARTS)

    def _make_protocol(self) -> Any:
        protocol = super()._make_protocol()
        begun = bytearray()

        def first(data: bytes) -> None:
            begun.extend(data)
            self.heard = bytes(begun[:24])
            if self.is_foreign:
                protocol.transport.abort()
            elif len(begun) >= 3:  # it may come byte by byte
                del protocol.data_received  # back to the method of the class
                protocol.data_received(bytes(begun))

        protocol.data_received = first
        return protocol

    async def request(self, request: Any) -> Any:
        """The answer to a request for which the session has no method of its own: the bytes from its type on."""
        return await self._send_request(request)

    async def drop(self) -> None:
        """Free the socket at once: a peer that takes nothing any more must not hold it."""
        transport = self.protocol and self.protocol.transport
        self.disconnect_socket()
        if transport:
            transport.abort()
            await asyncio.sleep(0)

    async def open_secure_channel(self, params: Any) -> Any:
        """As asyncua's, but the token is young by our clock.

        asyncua judges an answer under the token before by the server's time of creation: a server whose clock stands
        in 2000 would lose its channel at the renewal.
        """
        result = await super().open_secure_channel(params)
        result.SecurityToken.CreatedAt = datetime.now(UTC)
        return result

    async def get_endpoints(self, params: Any) -> Any:
        """As asyncua's, and keeps the server's time."""
        request = ua.GetEndpointsRequest()
        request.Parameters = params
        answer = ua.ua_binary.struct_from_binary(ua.GetEndpointsResponse, await self._send_request(request))
        answer.ResponseHeader.ServiceResult.check()
        self.server_time = answer.ResponseHeader.Timestamp
        return answer.Endpoints

    async def create_session(self, parameters: Any) -> Any:
        """As asyncua's, and keeps what the server shows of itself."""
        result = await super().create_session(parameters)
        self.endpoints = result.ServerEndpoints or ()
        self.shown = first_certificate(result.ServerCertificate)
        return result


def first_certificate(chain: bytes | None) -> bytes:
    """The certificate (DER) at the head of a chain; empty where there is none or none that can be read."""
    if not chain:
        return b""
    try:
        found = uacrypto.x509_from_der(chain)
    except (ValueError, IndexError):
        return b""
    return bytes(uacrypto.der_from_x509(found))
