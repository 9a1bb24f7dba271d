"""Silent units beside healthy ones: on a serial line of 9,600 baud, and behind one TCP endpoint.

The serial line is a pseudo-terminal in a process of its own that takes the time of every character at the baud rate the
port is set to; a device begins its answer after 5 ms. A read that is due counts as lost where it gave no value at all.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import BoundPoint, Meaning
from ganpo_drivers import Identity, Point, PointFault, Scan
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.rtu import pause_s
from ganpo_drivers.modbus.settings import ModbusSettings
from measure import Figure
from support.plants import PlantBuilder

BAUD = 9600
BITS = 10
REGISTERS = 30
ANSWER_S = 0.005

_SERIAL = """
import os, struct, sys, termios, time, tty
DEAD, REGISTERS, ANSWER_S = {dead!r}, {registers}, {answer_s}
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    TABLE.append(byte)
def checked(body):
    crc = 0xFFFF
    for byte in body:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return body + struct.pack("<H", crc)
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
while True:
    request = os.read(master, 8)
    began = time.monotonic()
    while len(request) < 8:
        request += os.read(master, 8 - len(request))
    while checked(request[:6]) != request:  # half a request stood before it: the port was opened anew meanwhile
        request = request[1:] + os.read(master, 1)
    speed = termios.tcgetattr(slave)[5]
    assert speed == termios.B9600, speed
    if request[0] in DEAD:
        continue
    first, count = struct.unpack(">HH", request[2:6])
    answer = checked(request[:2] + bytes([2 * count]) + bytes(2 * count))
    due = began + 8 * {bits} / 9600 + ANSWER_S
    for at in range(0, len(answer), 8):  # a UART hands over eight at a time
        piece = answer[at:at + 8]
        due += len(piece) * {bits} / 9600
        time.sleep(max(due - time.monotonic(), 0))
        os.write(master, piece)
"""
_TCP = """
import asyncio, struct, sys
DEAD = {dead!r}
async def serve(reader, writer):
    while True:
        request = await reader.readexactly(12)
        tid, _, _, unit, function, first, count = struct.unpack(">HHHBBHH", request)
        if unit not in DEAD:
            body = bytes(2 * count)
            writer.write(struct.pack(">HHHBBB", tid, 0, 3 + len(body), unit, function, len(body)) + body)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    seconds = 2.0 if short else 60.0
    with serving(_SERIAL, ()) as device:
        busy = [asyncio.run(flat_out(f"rtu://{device}", seconds / 5)) for _ in range(1 if short else 5)]
    yield str(Figure("9,600 baud, flat out: the line is busy", busy, "%")) + "   goal >= 85"
    interval_s, settle_s = (0.5, 12.0) if short else (5.0, 90.0)
    with serving(_SERIAL, (2, 5, 7)) as device:
        lost = asyncio.run(lost_beside(f"rtu://{device}", interval_s, settle_s, 5 * seconds, {2, 5, 7}))
    yield (
        str(Figure(f"9,600 baud, 8 units, 3 dead, every {interval_s:g} s", [lost], "% lost")) + "   goal <= 1"
    )
    with serving(_TCP, (4,)) as port:
        lost = asyncio.run(lost_beside(f"tcp://127.0.0.1:{port}", 1.0, settle_s / 3, 2 * seconds, {4}))
    yield str(Figure("TCP, 8 units, 1 silent, every 1 s", [lost], "% lost")) + "   goal <= 1, Telegraf 49"


@contextmanager
def serving(text: str, dead: Sequence[int]) -> Iterator[str]:
    """The units in a process of their own; gives the port."""
    code = text.format(dead=tuple(dead), registers=REGISTERS, answer_s=ANSWER_S, bits=BITS)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def settings(url: str) -> ModbusSettings:
    """As they come, with nothing tuned."""
    return ModbusSettings(driver="modbus", url=url, addressing="0-based")


async def flat_out(url: str, seconds: float) -> float:
    """Percent of the wall time that characters of both directions and the prescribed pauses take."""
    driver = ModbusDriver(settings(url))
    addresses = [ModbusAddress.parse(f"1:holding:{n}", type="uint16") for n in range(REGISTERS)]
    query = driver.prepare([Point(str(address), address) for address in addresses])
    await driver.open()
    one_s = (8 + 5 + 2 * REGISTERS) * BITS / BAUD + pause_s(BITS / BAUD)
    began, reads = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        scan = await driver.read(query)
        assert not any(isinstance(value, PointFault) for value in scan.values)
        reads += 1
    wall_s = time.perf_counter() - began
    await driver.close()
    return 100 * reads * one_s / wall_s


async def lost_beside(url: str, interval_s: float, settle_s: float, window_s: float, dead: set[int]) -> float:
    """Percent of the due reads of the healthy units without a value, once the breakers of the dead are open."""
    builder = PlantBuilder(Path(tempfile.gettempdir()))
    builder.connection("line", ModbusDriver, settings(url), "modbus")
    for unit in range(1, 9):
        for n in range(REGISTERS):
            address = ModbusAddress.parse(f"{unit}:holding:{n}", type="uint16")
            builder.point("line", f"M-{unit}", f"value_{n}", address, Meaning("number"), interval_s)
    came: Counter[int] = Counter()

    def receive(points: Sequence[BoundPoint], scan: Scan, _identity: Identity | None) -> None:
        if not any(isinstance(value, PointFault) for value in scan.values):
            came[int(points[0].address.key)] += 1

    task = ConnectionTask(
        builder.build().connections[0], Timekeeper(GatewayClock()), receive, lambda *_: None, lambda: None
    )
    running = asyncio.create_task(task.run())
    await asyncio.sleep(settle_s)
    came.clear()
    await asyncio.sleep(window_s)
    found = sum(count for unit, count in came.items() if unit not in dead)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    due = int(window_s / interval_s) * (8 - len(dead))
    return 100 * max(1 - found / due, 0.0)
