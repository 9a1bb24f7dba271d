"""Meters on a line that are asked in frames from 68H to 16H, DL/T 645 and CJ/T 188, as a meter does it.

Written apart from the drivers, so that a mistake in one of them is none in both.
"""

from collections.abc import Callable, Sequence

Shown = Callable[[str], str | None]
"""What a data identifier shows: BCD digits, the most significant first; None: no such data."""


_KEPT = 1024


class FramedLine:
    """`header`: bytes of a request before its data, the last of which is their number. A request that is broken stays
    without an answer, as at a meter."""

    def __init__(self, header: int, meters: Sequence[Callable[[bytes], bytes]]) -> None:
        self._header = header
        self._meters = meters
        self._came = b""

    def answer(self, data: bytes) -> bytes:
        """What the meters say to it."""
        self._came = (self._came + data)[-_KEPT:]
        said = b""
        while (request := self._request()) is not None:
            said += b"".join(meter(request) for meter in self._meters)
        return said

    def _request(self) -> bytes | None:
        """The next whole request, taken out of what came with all that lay before it: that was cut off, or noise."""
        for begin in (at for at, byte in enumerate(self._came) if byte == 0x68):
            request = self._came[begin:]
            if len(request) < self._header:
                return None
            request = request[: self._header + request[self._header - 1] + 2]
            if request[-1] == 0x16 and sum(request[:-2]) % 256 == request[-2]:
                self._came = self._came[begin + len(request) :]
                return request
        return None


class Dlt645Meter:
    """One electricity meter; identifiers have eight digits (2007) or four (1997)."""

    def __init__(self, address: str, shown: Shown) -> None:
        self._address = bytes.fromhex(address)[::-1]
        self._shown = shown

    def __call__(self, request: bytes) -> bytes:
        """Its answer to a whole request; empty where that is for another."""
        if any(asked not in (own, 0xAA) for asked, own in zip(request[1:7], self._address, strict=True)):
            return b""
        control, data = request[8], bytes((byte - 0x33) % 256 for byte in request[10:-2])
        if control == 0x13:
            return self._framed(0x93, self._address)
        if control not in (0x01, 0x11):
            return b""
        shown = self._shown(data[::-1].hex().upper())
        if shown is None:
            return self._framed(control | 0xC0, b"\x02")
        return self._framed(control | 0x80, data + bytes.fromhex(shown)[::-1])

    def _framed(self, control: int, data: bytes) -> bytes:
        frame = b"\x68" + self._address + bytes((0x68, control, len(data)))
        frame += bytes((byte + 0x33) % 256 for byte in data)
        return b"\xfe\xfe\xfe\xfe" + frame + bytes((sum(frame) % 256, 0x16))


class Cjt188Meter:
    """One water or heat meter of `kind`. `shown`: what it answers to 901F, hexadecimal, as it goes over the line."""

    def __init__(self, kind: int, address: str, shown: Callable[[], str]) -> None:
        self._head = bytes((0x68, kind)) + bytes.fromhex(address)[::-1]
        self._shown = shown

    def __call__(self, request: bytes) -> bytes:
        """Its answer to a whole request; empty where that is for another."""
        if any(asked not in (own, 0xAA) for asked, own in zip(request[1:9], self._head[1:], strict=True)):
            return b""
        control, data = request[9], request[11:-2]
        if control == 0x03:
            return self._framed(0x83, data[:3])
        if control != 0x01:
            return b""
        if data[:2] not in (b"\x1f\x90", b"\x90\x1f"):
            return self._framed(0xC1, data[2:3] + b"\x00\x00")
        return self._framed(0x81, data[:3] + bytes.fromhex(self._shown()))

    def _framed(self, control: int, data: bytes) -> bytes:
        frame = self._head + bytes((control, len(data))) + data
        return b"\xfe\xfe\xfe" + frame + bytes((sum(frame) % 256, 0x16))


def volume(cubic_metres: float) -> str:
    """Eight digits with two decimals and the byte for m3 behind them, as they go over the line."""
    return bytes.fromhex(f"{round(cubic_metres * 100) % 10**8:08d}")[::-1].hex() + "2c"
