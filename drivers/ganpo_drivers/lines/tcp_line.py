"""A byte line over TCP, also inside TLS: to a device, or to a converter with a serial line behind it."""

import asyncio
import ssl

from ganpo_drivers.lines.line import ByteLine
from ganpo_model.errors import CertificateNotTrusted, ConnectionLost, Unreachable, UnsupportedProtocol

_HINT = "is the device on, is this its address and port, does it take another connection?"


class TcpLine(ByteLine, asyncio.Protocol):
    """`tls`: what verifies the other side; without it nothing is encrypted."""

    def __init__(
        self, where: str, host: str, port: int, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(where)
        self._endpoint = host, port
        self._timeout_s = timeout_s
        self._tls = tls
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether the session stands."""
        return self._transport is not None and not self._transport.is_closing()

    async def open(self) -> None:
        """Raises Unreachable, CertificateNotTrusted, UnsupportedProtocol (no TLS there)."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                await loop.create_connection(lambda: self, *self._endpoint, ssl=self._tls)
        except ssl.SSLCertVerificationError as error:
            what = f"its certificate is not trusted: {error.verify_message}"
            hint = "`ca_file` names who signed it; the host of `url` stands in it; the date of this machine counts"
            raise CertificateNotTrusted(what, where=self.where, hint=hint) from error
        except ssl.SSLError as error:
            what = f"no TLS session: {error.reason or error}"
            hint = "is this the device's port for TLS (mostly 802), does it ask for a certificate of ours?"
            raise UnsupportedProtocol(what, where=self.where, hint=hint) from error
        except OSError as error:  # also what came too late: TimeoutError
            what = f"no connection within {self._timeout_s:g} s, or refused"
            raise Unreachable(what, where=self.where, hint=_HINT) from error

    def send(self, data: bytes) -> None:
        """Raises ConnectionLost."""
        if self._transport is None or self._transport.is_closing():
            raise self._lost or ConnectionLost("the device closed the connection", where=self.where)
        self.trace.append((">", data))
        self._transport.write(data)

    def close(self) -> None:
        """Leave at once: nothing that was not sent matters any more."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of the loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Of the loop."""
        self._came(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Of the loop."""
        why = "the device closed the connection" if error is None else f"the connection broke: {error}"
        self._ended(ConnectionLost(why, where=self.where))
