"""A byte line over a serial port: pyserial opens and sets it, the event loop reads it."""

import asyncio
import contextlib
import errno
import grp
import os
import termios
from pathlib import Path

import serial
from serial.rs485 import RS485Settings

from ganpo_drivers.lines.line import ByteLine
from ganpo_drivers.lines.settings import SerialSettings
from ganpo_model.errors import AccessRefused, ConnectionLost, GanpoError, PermanentError, Unreachable

_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_LONGEST = 4096


class SerialLine(ByteLine):
    """The port `device`; no other process that asks for it the same way can have it meanwhile."""

    def __init__(self, where: str, device: str, settings: SerialSettings) -> None:
        super().__init__(where)
        self._device = device
        self._settings = settings
        self._port: serial.Serial | None = None

    @property
    def is_open(self) -> bool:
        """Whether the port is open and there."""
        return self._port is not None and self._lost is None

    async def open(self) -> None:
        """Raises Unreachable (no such device, taken), AccessRefused, PermanentError (it cannot be set so)."""
        settings = self._settings
        port = serial.Serial(
            baudrate=settings.baud,
            bytesize=settings.data_bits,
            parity=_PARITY[settings.parity],
            stopbits=settings.stop_bits,
            exclusive=True,
        )
        port.port = self._device
        if settings.rs485:
            port.rs485_mode = RS485Settings()
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open, port)  # an adapter that hangs takes seconds
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(lambda done: _let_go(done, port))
            raise
        except (OSError, ValueError, termios.error) as error:
            raise self._refused(error) from error
        self._port = port
        self.heard_at = loop.time()
        loop.add_reader(port.fileno(), self._readable)

    def send(self, data: bytes) -> None:
        """Raises ConnectionLost: the port is gone, or takes nothing."""
        if self._port is None or self._lost is not None:
            raise self._lost or ConnectionLost("it is not open", where=self.where)
        self.trace.append((">", data))
        try:
            sent = os.write(self._port.fileno(), data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._gone(error) from error
        if sent < len(data):
            what = "the port takes no more bytes: is its adapter stuck?"
            raise self._ended(ConnectionLost(what, where=self.where))

    def drop(self) -> bytes:
        """Also what the kernel still holds."""
        if self.is_open:
            self._readable()
        return super().drop()

    def close(self) -> None:
        """What was not sent is thrown away: the kernel would wait for it."""
        port, self._port = self._port, None
        if port is None:
            return
        asyncio.get_running_loop().remove_reader(port.fileno())
        with contextlib.suppress(OSError, termios.error):  # it may be gone
            port.reset_output_buffer()
        port.close()

    def _readable(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), _LONGEST)
            if not data:
                _ = self._port.in_waiting  # nothing to read is no end; a port that is gone says so here
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(error)
            return
        if data:
            self._came(data)

    def _gone(self, error: OSError) -> ConnectionLost:
        if self._port is not None:
            asyncio.get_running_loop().remove_reader(self._port.fileno())
        return self._ended(ConnectionLost(f"the port is gone: {error.strerror or error}", where=self.where))

    def _refused(self, error: Exception) -> GanpoError:
        """What opening it came to, for a person."""
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.EACCES, errno.EPERM):
            return self._no_permission()
        if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            hint = "is the adapter plugged in? `ls -l /dev/serial/by-id` shows those that are"
            return Unreachable("there is no such device", where=self.where, hint=hint)
        if number in (errno.EAGAIN, errno.EBUSY):
            hint = "which program has it? `sudo fuser -v DEVICE` says so"
            return Unreachable("another program has the port", where=self.where, hint=hint)
        settings = self._settings
        if settings.rs485 and "RS485" in str(error):
            hint = "leave out `rs485` where the adapter switches by itself, as most on USB do"
            return PermanentError("its driver does not know RS-485", where=self.where, hint=hint)
        if number == errno.EIO or (isinstance(error, termios.error) and error.args[0] == errno.EIO):
            return Unreachable(f"the port does not answer: {error}", where=self.where)
        shape = f"{settings.baud} baud, {settings.data_bits}{settings.parity[0].upper()}{settings.stop_bits}"
        return PermanentError(f"it cannot be opened as a serial port of {shape}: {error}", where=self.where)

    def _no_permission(self) -> AccessRefused:
        """Who may open it, and how we come to be one of them."""
        group = _group(self._device)
        what = (
            f"the group {group} may open the port, we may not"
            if group
            else "its owner alone may open the port"
        )
        joined = group or "dialout"
        hint = (
            f"the service needs SupplementaryGroups={joined} in its unit, a user sudo usermod -aG {joined} USER "
            "and a new login"
        )
        if not group:
            hint = f"give it to a group: sudo chgrp dialout {self._device} && sudo chmod 660 {self._device}; {hint}"
        return AccessRefused(what, where=self.where, hint=hint)


def _open(port: serial.Serial) -> None:
    """Raises OSError, ValueError, termios.error."""
    try:
        port.open()
    except termios.error as error:
        # A pseudo-terminal keeps neither parity nor 7 bits: the C library says so where nothing else was to be set.
        if error.args[0] != errno.EINVAL or not str(Path(str(port.port)).resolve()).startswith("/dev/pts/"):
            raise
        port.parity, port.bytesize = serial.PARITY_NONE, serial.EIGHTBITS
        port.open()


def _let_go(opening: "asyncio.Future[None]", port: serial.Serial) -> None:
    """Of a port that nobody waits for any more."""
    if opening.exception() is None:
        port.close()


def _group(device: str) -> str:
    """The group whose members may use it; empty where there is none, or where that cannot be found out."""
    try:
        about = Path(device).stat()
        return grp.getgrgid(about.st_gid).gr_name if about.st_gid and about.st_mode & 0o060 == 0o060 else ""
    except (OSError, KeyError):
        return ""
