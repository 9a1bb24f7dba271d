"""A serial line that injects faults: a pseudo-terminal for the driver, which takes the time that characters take."""

import contextlib
import os
import tempfile
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ganpo_drivers.testing.aside import Aside
from ganpo_drivers.testing.relay import PIECE_S, pieces

FIFO_BYTES = 8
"""So many characters a UART hands over at once."""
_BAUDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()
}


class SerialProxy:
    """Stands before a device at the serial port `device`: `with SerialProxy(device) as proxy`, then open `proxy.path`.

    The line runs at `baud`, `bits` to a character with start, parity and stop. Both directions share it. Where the port
    is set to another baud rate, nothing that passes is what was said. A pseudo-terminal drops parity: whether that is
    right shows in the call that opens the port, and not here. Everything passes until a method says otherwise.
    """

    path: str
    """Stays the same when the port comes back under another number, as a name below /dev/serial/by-id does."""

    def __init__(self, device: str, baud: int = 9600, bits: int = 11) -> None:
        self._device_path = device
        self._baud, self._bits = baud, bits
        self._folder = tempfile.TemporaryDirectory(prefix="line-")
        self.path = str(Path(self._folder.name) / "port")
        self._aside = Aside("serial-proxy")
        self._device = -1
        self._line = -1
        self._port = -1
        """A descriptor of the driver's side, held so that the line lives on while the driver has closed it."""
        self._sent: list[bytearray] = []
        self._busy_until = 0.0
        self._answering = False
        self._held: list[Callable[[], None]] = []
        self._frozen = self._cutting = self._splitting = self._echoing = False
        self._delay_s = 0.0
        self._noise = b""

    @property
    def name(self) -> str:
        """What the `where` of an error names: the path."""
        return self.path

    @property
    def endpoint(self) -> str:
        """What the driver opens."""
        return self.path

    def refuse(self) -> None:
        """The port vanishes: the adapter was pulled out."""
        self._aside.do(self._vanish)

    def freeze(self) -> None:
        """The port stands and not a character passes. `restore` lets them pass, late."""
        self._frozen = True

    def delay(self, seconds: float) -> None:
        """What the device says arrives so much later."""
        self._delay_s = seconds

    def split(self) -> None:
        """What the device says arrives in pieces, with gaps between them."""
        self._splitting = True

    def cut(self) -> None:
        """Of the next answer half passes."""
        self._cutting = True

    def echo(self) -> None:
        """What the driver says comes back to it, as many two-wire adapters have it."""
        self._echoing = True

    def noise(self, characters: bytes) -> None:
        """These come before every answer: the line turns around."""
        self._noise = characters

    def drop(self) -> None:
        """The port vanishes and comes back under another number."""
        self._aside.do(self._vanish)
        self._aside.do(self._appear)

    reset = drop

    def restore(self) -> None:
        """Let everything pass again, also what was held."""
        self._frozen = self._cutting = self._splitting = self._echoing = False
        self._delay_s, self._noise = 0.0, b""
        self._aside.do(self._restore)

    def forget(self) -> None:
        """Forget what was sent before the port was last there."""
        self._aside.do(lambda: self._sent.__delitem__(slice(-1)))

    @property
    def baud(self) -> int:
        """To what the driver has set its port, in characters of the termios table; 0: to none of it, or it is gone."""
        return 0 if self._port < 0 else _BAUDS.get(termios.tcgetattr(self._port)[5], 0)

    @property
    def sent(self) -> list[bytes]:
        """What was sent to the device so far, an element for each time the port was there."""
        return self._aside.do(lambda: list(map(bytes, self._sent)))

    @property
    def standing(self) -> int:
        """How many descriptors of this process have the port open."""
        if self._port < 0:
            return 0
        name = os.ttyname(self._port)
        return sum(_target(entry) == name for entry in Path("/proc/self/fd").iterdir()) - 1

    def _appear(self) -> None:
        self._line, self._port = os.openpty()
        tty.setraw(self._port)
        os.set_blocking(self._line, False)
        Path(self.path).symlink_to(os.ttyname(self._port))
        self._sent.append(bytearray())
        self._aside.loop.add_reader(self._line, self._said)

    def _vanish(self) -> None:
        if self._line >= 0:
            self._aside.loop.remove_reader(self._line)
            for end in (self._line, self._port):
                os.close(end)
            Path(self.path).unlink()
            self._line = self._port = -1

    def _restore(self) -> None:
        if self._line < 0:
            self._appear()
        held, self._held = self._held, []
        for pass_on in held:
            pass_on()

    def _said(self) -> None:
        """The driver said something."""
        data = os.read(self._line, 4096)
        self._sent[-1] += data
        self._answering = False
        baud = self.baud  # as it is said: when it arrives the port may be another one, set to nothing yet
        self._pass(data, lambda some: self._to_device(some, baud), 0.0)

    def _answered(self) -> None:
        """The device said something."""
        data = self._heard(os.read(self._device, 4096), self.baud)
        if not self._answering:
            data = self._noise + data
        self._answering = True
        if self._cutting:
            self._cutting = False
            data = data[: len(data) // 2]
        for n, piece in enumerate(pieces(data) if self._splitting else [data]):
            self._pass(piece, self._to_driver, self._delay_s + n * PIECE_S)

    def _heard(self, data: bytes, baud: int) -> bytes:
        """What is heard of it where the driver's port is set to `baud`."""
        return data if baud == self._baud else bytes(byte ^ 0xA5 for byte in data[::2])

    def _pass(self, data: bytes, end: Callable[[bytes], None], later_s: float) -> None:
        """Let it pass once the line is free, some characters at a time as they arrive."""
        if self._frozen:
            self._held.append(lambda: self._pass(data, end, later_s))
            return
        loop = self._aside.loop
        self._busy_until = max(self._busy_until, loop.time() + later_s)
        for at in range(0, len(data), FIFO_BYTES):
            some = data[at : at + FIFO_BYTES]
            self._busy_until += len(some) * self._bits / self._baud
            loop.call_at(self._busy_until, end, some)

    def _to_driver(self, data: bytes) -> None:
        if self._line >= 0:
            with contextlib.suppress(BlockingIOError):  # an overrun: nobody reads
                os.write(self._line, data)

    def _to_device(self, data: bytes, baud: int) -> None:
        if self._echoing:
            self._to_driver(data)
        if self._device >= 0:
            os.write(self._device, self._heard(data, baud))

    def _begin(self) -> None:
        self._device = os.open(self._device_path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._device)
        self._aside.loop.add_reader(self._device, self._answered)
        self._appear()

    def _end(self) -> None:
        self._vanish()
        self._aside.loop.remove_reader(self._device)
        os.close(self._device)
        self._device = -1

    def __enter__(self) -> Self:
        self._aside.start()
        self._aside.do(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.do(self._end)
        self._aside.stop()
        self._folder.cleanup()


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
