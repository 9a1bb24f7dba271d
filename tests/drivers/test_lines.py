"""Byte lines over a real pseudo-terminal and over TCP: what is due, what is late, what is gone."""

import asyncio
import contextlib
import grp
import os
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from pydantic import ValidationError

from ganpo_demo.loopback import free_port
from ganpo_drivers import Driver
from ganpo_drivers.cjt188.driver import Cjt188Driver
from ganpo_drivers.cjt188.settings import Cjt188Settings
from ganpo_drivers.dlt645.driver import Dlt645Driver
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.lines import (
    ByteLine,
    Flooded,
    SerialLine,
    SerialSettings,
    TcpLine,
    Until,
    device_of,
    endpoint_of,
)
from ganpo_drivers.lines.settings import cautions_of, real_device
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import AccessRefused, ConnectionLost, PermanentError, Unreachable
from support.pty_line import PtyLine


class Far:
    """The device's end of a line under test."""

    def __init__(self, line: ByteLine, say: Callable[[bytes], None], end: Callable[[], None]) -> None:
        self.line, self.say, self.end = line, say, end


@pytest.fixture
def pty() -> Iterator[PtyLine]:
    with PtyLine() as pty:
        yield pty


@pytest.fixture(params=["serial", "tcp"])
async def far(request: pytest.FixtureRequest, pty: PtyLine) -> AsyncIterator[Far]:
    if request.param == "serial":
        line: ByteLine = SerialLine(f"serial://{pty.device}", pty.device, SerialSettings())
        await line.open()
        yield Far(line, pty.say, pty.unplug)
        line.close()
        return
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _reader, writer: accepted.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = TcpLine(f"tcp://127.0.0.1:{port}", "127.0.0.1", port, 1)
    await line.open()
    writer = await accepted.get()
    yield Far(line, writer.write, writer.close)
    line.close()
    writer.close()
    server.close()


def modbus(device: str, **line: Any) -> ModbusDriver:
    settings = {"driver": "modbus", "url": f"rtu://{device}", "addressing": "0-based", **line}
    return ModbusDriver(ModbusSettings.model_validate(settings))


def dlt645(device: str) -> Dlt645Driver:
    return Dlt645Driver(Dlt645Settings(driver="dlt645", url=f"serial://{device}"))


def cjt188(device: str) -> Cjt188Driver:
    return Cjt188Driver(Cjt188Settings(driver="cjt188", url=f"serial://{device}"))


def upto(sign: bytes) -> Until:
    """The end of the frame that ends with this sign."""

    def until(data: bytes) -> int | None:
        at = data.find(sign)
        return at + 1 if at >= 0 else None

    return until


async def test_a_frame_comes_in_pieces_and_what_follows_it_stays(far: Far) -> None:
    asyncio.get_running_loop().call_later(0.02, far.say, b"one.tw")
    far.say(b"1 ")
    assert await far.line.receive(upto(b"."), 2) == b"1 one."
    asyncio.get_running_loop().call_later(0.02, far.say, b"o.three.")
    assert await far.line.receive(upto(b"."), 2) == b"two."
    assert await far.line.receive(upto(b"."), 2) == b"three."


async def test_what_does_not_come_in_time_says_so_and_what_came_stays_until_it_is_dropped(far: Far) -> None:
    far.say(b"half")
    with pytest.raises(TimeoutError):
        await far.line.receive(upto(b"."), 0.1)
    assert far.line.pending == b"half"
    assert far.line.drop() == b"half"
    far.say(b"whole.")
    assert await far.line.receive(upto(b"."), 2) == b"whole."


async def test_an_end_that_the_finder_refuses_reaches_who_waits(far: Far) -> None:
    def refuse(_data: bytes) -> int | None:
        raise ConnectionLost("not a frame")

    asyncio.get_running_loop().call_later(0.02, far.say, b"x")
    with pytest.raises(ConnectionLost, match="not a frame"):
        await far.line.receive(refuse, 2)
    far.say(b".")
    assert await far.line.receive(upto(b"."), 2) == b"x."


async def test_a_wait_that_is_cancelled_leaves_the_line_usable(far: Far) -> None:
    task = asyncio.create_task(far.line.receive(upto(b"."), 5))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    far.say(b"later.")
    assert await far.line.receive(upto(b"."), 2) == b"later."


async def test_the_end_of_the_line_ends_the_wait_at_once_and_is_told_with_its_place(far: Far) -> None:
    asyncio.get_running_loop().call_later(0.02, far.end)
    async with asyncio.timeout(2):
        with pytest.raises(ConnectionLost) as told:
            await far.line.receive(upto(b"."), 30)
    assert told.value.where == far.line.where
    assert not far.line.is_open
    with pytest.raises(ConnectionLost):
        await far.line.receive(upto(b"."), 30)
    with pytest.raises(ConnectionLost):
        far.line.send(b"x")
    far.line.close()
    far.line.close()


async def test_a_flood_ends_the_line_and_whoever_comes_later_is_told_too(far: Far) -> None:
    async def pour() -> None:
        for _ in range(20):
            far.say(bytes(1000))
            await asyncio.sleep(0.005)

    pouring = asyncio.create_task(pour())
    with pytest.raises(Flooded, match="more than 8192 bytes came"):
        await far.line.receive(upto(b"."), 5)
    assert not far.line.is_open
    assert far.line.pending == b""
    with pytest.raises(Flooded):
        far.line.send(b"x")
    with contextlib.suppress(BlockingIOError):  # nobody takes it any more
        await pouring


async def test_a_whole_frame_before_the_end_is_still_given(far: Far) -> None:
    far.say(b"last.")
    await asyncio.sleep(0.05)
    far.end()
    await asyncio.sleep(0.05)
    assert await far.line.receive(upto(b"."), 2) == b"last."


async def test_the_port_is_set_as_the_settings_say(pty: PtyLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal drops the parity: what is asked of it is looked at."""
    asked: list[list[Any]] = []
    real = termios.tcsetattr

    def tcsetattr(fd: int, when: int, attributes: list[Any]) -> None:
        asked.append(attributes)
        real(fd, when, attributes)

    monkeypatch.setattr(termios, "tcsetattr", tcsetattr)
    settings = SerialSettings(baud=2400, parity="even", data_bits=7, stop_bits=2)
    line = SerialLine("serial", pty.device, settings)
    await line.open()
    line.send(b"\xfe\x0a\x0d\x11\x13\x7f\x00")
    assert await pty.heard(7) == b"\xfe\x0a\x0d\x11\x13\x7f\x00"
    line.close()
    (flags,) = asked
    assert flags[4] == flags[5] == termios.B2400
    assert flags[2] & termios.PARENB
    assert not flags[2] & termios.PARODD
    assert flags[2] & termios.CSIZE == termios.CS7
    assert flags[2] & termios.CSTOPB
    assert settings.character_s == pytest.approx(11 / 2400)


@pytest.mark.parametrize(
    ("make", "speed", "parity"),
    [
        (lambda url: modbus(url, baud=19200, parity="even"), termios.B19200, termios.PARENB),
        (lambda url: modbus(url, parity="odd"), termios.B9600, termios.PARENB | termios.PARODD),
        (lambda url: modbus(url), termios.B9600, 0),
        (
            lambda url: Dlt645Driver(Dlt645Settings(driver="dlt645", url=f"serial://{url}")),
            termios.B2400,
            termios.PARENB,
        ),
        (
            lambda url: Cjt188Driver(Cjt188Settings(driver="cjt188", url=f"serial://{url}")),
            termios.B2400,
            termios.PARENB,
        ),
    ],
    ids=["modbus 19200 8E1", "modbus 9600 8O1", "modbus", "dlt645", "cjt188"],
)
async def test_each_driver_opens_its_port_with_its_parity(
    pty: PtyLine,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[str], Driver[Any, Any]],
    speed: int,
    parity: int,
) -> None:
    asked: list[list[Any]] = []
    monkeypatch.setattr(termios, "tcsetattr", lambda _fd, _when, attributes: asked.append(attributes))
    driver = make(pty.device)
    await driver.open()
    await driver.close()
    (flags,) = asked
    assert flags[4] == flags[5] == speed
    assert flags[2] & (termios.PARENB | termios.PARODD) == parity


async def test_a_pseudo_terminal_that_drops_the_parity_is_opened_again_and_again(pty: PtyLine) -> None:
    for _ in range(3):
        line = SerialLine("serial", pty.device, SerialSettings(baud=2400, parity="even"))
        await line.open()
        line.send(b"a")
        assert await pty.heard(1) == b"a"
        line.close()


async def test_what_the_kernel_still_holds_is_dropped_too(pty: PtyLine) -> None:
    line = SerialLine("serial", pty.device, SerialSettings())
    await line.open()
    pty.say(b"late")
    os.sched_yield()
    for _ in range(200):
        if (found := line.drop()) == b"late":
            break
    assert found == b"late"
    line.close()


async def test_a_port_that_is_not_there_is_transient_and_told_how_to_find_it(tmp_path: Path) -> None:
    line = SerialLine("serial:///x", str(tmp_path / "ttyUSB7"), SerialSettings())
    with pytest.raises(Unreachable, match=r"no such device.*/dev/serial/by-id"):
        await line.open()
    line.close()


async def test_a_port_that_another_has_is_told(pty: PtyLine) -> None:
    other = serial.Serial(pty.device, exclusive=True)
    line = SerialLine("serial", pty.device, SerialSettings())
    with pytest.raises(Unreachable, match="another program has the port"):
        await line.open()
    other.close()
    await line.open()
    line.close()


AS_NOBODY = """
import asyncio, os, sys
from ganpo_drivers.lines import SerialLine, SerialSettings
from ganpo_model.errors import AccessRefused
asyncio.run(asyncio.to_thread(int))  # what is imported late may lie where only root reads
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    asyncio.run(SerialLine("rtu://the-port", sys.argv[1], SerialSettings()).open())
except AccessRefused as refused:
    print(refused)
"""


JOIN = "the service needs SupplementaryGroups=dialout in its unit, a user sudo usermod -aG dialout USER and a new login"
GIVE = "give it to a group: sudo chgrp dialout {port} && sudo chmod 660 {port}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can open a port as another user")
@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o660, f"rtu://the-port: the group dialout may open the port, we may not; {JOIN}"),
        (0o600, f"rtu://the-port: its owner alone may open the port; {GIVE}; {JOIN}"),
    ],
)
def test_a_port_that_another_user_may_not_open_says_what_to_do(pty: PtyLine, mode: int, told: str) -> None:
    os.chown(pty.device, 0, grp.getgrnam("dialout").gr_gid)
    Path(pty.device).chmod(mode)
    command = [sys.executable, "-c", AS_NOBODY, pty.device]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert found.stderr == ""
    assert found.stdout.strip() == told.format(port=pty.device)


async def test_a_refusal_to_open_a_port_is_told_whoever_runs_this(
    pty: PtyLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(port: serial.Serial) -> None:
        raise serial.SerialException(13, f"could not open port {port.port}: Permission denied")

    monkeypatch.setattr(serial.Serial, "open", refuse)
    with pytest.raises(AccessRefused, match=r"usermod -aG \w+ USER"):
        await SerialLine("serial", pty.device, SerialSettings()).open()


async def test_what_is_no_serial_port_is_permanent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    line = SerialLine("serial", str(tmp_path / "file"), SerialSettings())
    with pytest.raises(PermanentError, match="cannot be opened as a serial port of 9600 baud, 8N1"):
        await line.open()


async def test_a_port_whose_driver_does_not_know_rs485_says_so(pty: PtyLine) -> None:
    line = SerialLine("serial", pty.device, SerialSettings(rs485=True))
    with pytest.raises(PermanentError, match="does not know RS-485; leave out `rs485`"):
        await line.open()
    line.close()


async def test_opening_and_closing_many_times_leaves_nothing_open(pty: PtyLine) -> None:
    async def once() -> None:
        line = SerialLine("serial", pty.device, SerialSettings())
        await line.open()
        line.send(b"nobody reads this" * 50)
        line.close()

    await once()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await once()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_opening_that_is_cancelled_lets_go_of_the_port(pty: PtyLine) -> None:
    line = SerialLine("serial", pty.device, SerialSettings())
    task = asyncio.create_task(line.open())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while True:
            again = SerialLine("serial", pty.device, SerialSettings())
            try:
                await again.open()
                break
            except Unreachable:
                await asyncio.sleep(0.01)
    again.close()


async def test_nobody_there_is_told_with_its_address() -> None:
    port = free_port()
    line = TcpLine(f"tcp://127.0.0.1:{port}", "127.0.0.1", port, 1)
    with pytest.raises(Unreachable, match=f"tcp://127.0.0.1:{port}: no connection within 1 s, or refused; "):
        await line.open()
    line.close()


def test_urls_of_lines() -> None:
    assert device_of("serial:///dev/serial/by-id/usb-FTDI_A10-if00-port0") == (
        "/dev/serial/by-id/usb-FTDI_A10-if00-port0"
    )
    assert endpoint_of("tcp://10.0.0.7:4001") == ("10.0.0.7", 4001)
    assert endpoint_of("tcp://gateway", 502) == ("gateway", 502)
    for bad in ("serial://dev/ttyUSB0", "serial:///", "serial:///dev/tty USB0", "serial:///dev/x?baud=1"):
        with pytest.raises(ValueError, match="not serial:///dev/NAME"):
            device_of(bad)
    for bad, told in (
        ("tcp://10.0.0.7", "port is missing"),
        ("tcp://:4001", "not tcp"),
        ("tcp://a:b", "not tcp"),
        ("tcp://a:70000", "a port is a number"),
        ("tcp://a:1/x", "not tcp"),
    ):
        with pytest.raises(ValueError, match=told):
            endpoint_of(bad)


@pytest.mark.parametrize(
    "wrong", [{"baud": 0}, {"parity": "mark"}, {"data_bits": 9}, {"stop_bits": 3}, {"flow": "rts"}]
)
def test_settings_that_no_line_has_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SerialSettings.model_validate(wrong)


def test_a_port_by_its_number_is_warned_of_and_a_link_is_the_port_itself(tmp_path: Path) -> None:
    (caution,) = cautions_of("/dev/ttyUSB0")
    assert caution.key == "url"
    assert "/dev/serial/by-id" in caution.what
    assert not cautions_of("/dev/serial/by-id/usb-FTDI_A10-if00-port0")
    assert not cautions_of("/dev/ttyS0")
    (tmp_path / "link").symlink_to("/dev/ttyS0")
    assert real_device(str(tmp_path / "link")) == "/dev/ttyS0"
