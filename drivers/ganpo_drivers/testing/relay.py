"""One connection through the proxy: two sockets, and what is done to the bytes between them."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

PIECE_S = 0.001
"""Between two pieces of a split answer."""
_SINGLE, _PIECE_BYTES = 16, 48
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Faults:
    """What the proxy does at present."""

    frozen: bool = False
    cutting: bool = False
    splitting: bool = False
    delay_s: float = 0.0


def pieces(data: bytes) -> list[bytes]:
    """An answer cut up: byte by byte where the header stands, then in small pieces."""
    ends = [*range(1, min(len(data), _SINGLE)), *range(_SINGLE, len(data), _PIECE_BYTES), len(data)]
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


class Relay:
    """From a driver's connection, `driver`, to one that is opened to `target`, `device`. Lives in the proxy's loop."""

    def __init__(self, faults: Faults, target: tuple[str, int]) -> None:
        self.sent = bytearray()
        self.driver = _Side(self._to_device, self._accepted)
        self.device = _Side(self._to_driver, self.flow)
        self.driver.peer, self.device.peer = self.device, self.driver
        self._faults, self._target = faults, target
        self._dialing: asyncio.Task[None] | None = None

    @property
    def stands(self) -> bool:
        """Whether the driver's side is open."""
        transport = self.driver.transport
        return transport is not None and not transport.is_closing()

    def flow(self) -> None:
        """Read on both sides, or while frozen on none."""
        if self.device.transport is None:
            return
        for side in (self.driver, self.device):
            if side.transport is None or side.transport.is_closing():
                continue
            if self._faults.frozen:
                side.transport.pause_reading()
            else:
                side.transport.resume_reading()

    def close(self) -> None:
        """Close both sides, orderly."""
        for side in (self.driver, self.device):
            side.close()

    def reset(self) -> None:
        """Reset both sides."""
        for side in (self.driver, self.device):
            side.reset()

    def _accepted(self) -> None:
        if self.driver.transport is not None:
            self.driver.transport.pause_reading()
        self._dialing = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.device, *self._target)
        except OSError:
            self.driver.reset()
            return
        if not self.stands:
            self.device.close()

    def _to_device(self, data: bytes) -> None:
        self.sent += data
        self.device.write(data)

    def _to_driver(self, data: bytes) -> None:
        if self._faults.cutting:
            self._faults.cutting = False
            self.driver.write(data[: len(data) // 2])
            self.close()
        elif self._faults.splitting:
            for n, piece in enumerate(pieces(data)):
                self.driver.write(piece, self._faults.delay_s + (n + 1) * PIECE_S)
        else:
            self.driver.write(data, self._faults.delay_s)


class _Side(asyncio.Protocol):
    """One socket; where it ends, `peer` is closed."""

    peer: "_Side"

    def __init__(self, heard: Callable[[bytes], None], made: Callable[[], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self._heard, self._made = heard, made
        self._late: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        # Not here and now: until 3.11.4 a transport begins to read after this call, paused in it or not.
        asyncio.get_running_loop().call_soon(self._made)

    def data_received(self, data: bytes) -> None:
        self._heard(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.peer.close()

    def write(self, data: bytes, delay_s: float = 0.0) -> None:
        """Say it, perhaps later; the order is kept."""
        self._late.append(data)
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._say)
        else:
            self._say()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        if self.transport is not None:
            raw = self.transport.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()

    def _say(self) -> None:
        data = self._late.popleft()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)
