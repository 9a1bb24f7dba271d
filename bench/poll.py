"""CPU per value of 1,000 float32 over Modbus TCP, read to machine and meter, against bare pymodbus.

Both sides poll the same blocks of 124 registers of one server in a process of its own; every value changes with
every poll; the first poll, in which every machine and meter is met, is not counted. The first limit reads the blocks
and converts nothing, the second converts with the library's `convert_from_registers`.
"""

import asyncio
import time
from collections.abc import Iterator

from pymodbus.client import AsyncModbusTcpClient

from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from measure import Figure, ratio
from modbus_server import serving
from observed import BEGIN, observed

VALUES = 1000
BLOCK = 124
POLLS = 100

_REGISTERS = """
FLOATS = [struct.pack(">1000f", *[n * 1.5 + step / 10 for n in range(1000)]) for step in range(500)]
step = 0
def registers(first):
    global step
    step += first == 0
    return FLOATS[step % 500]
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    with serving(_REGISTERS) as port:
        yield from asyncio.run(_compare(port, 1 if short else 7, 10 if short else POLLS))


async def _compare(port: int, runs: int, polls: int) -> list[str]:
    sides = {"ours": _ours, "bare": _bare, "converted": _converted}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for n in range(runs + 1):
        for name, side in sides.items():
            cost = await side(port, polls)
            if n:
                found[name].append(cost)
    return [
        str(Figure("ganpo, read to machine and meter", found["ours"], "us/value")),
        str(Figure("pymodbus, blocks without conversion", found["bare"], "us/value")),
        str(Figure("pymodbus, convert_from_registers", found["converted"], "us/value")),
        ratio("ganpo / pymodbus without conversion", found["ours"], found["bare"], "<= 1.5"),
        ratio("ganpo / pymodbus with conversion", found["ours"], found["converted"], "<= 0.6"),
    ]


def _per_value(began: float, polls: int) -> float:
    return (time.process_time() - began) / polls / VALUES * 1e6


async def _ours(port: int, polls: int) -> float:
    addressed, points, observer = observed(
        VALUES,
        lambda n: ModbusAddress.parse(f"1:holding:{2 * n}", type="float32", addressing="0-based"),
    )
    now = BEGIN
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=f"tcp://127.0.0.1:{port}", addressing="0-based")
    )
    await driver.open()
    query = driver.prepare(addressed)
    observer.feed(points, await driver.read(query), None, now)  # everything is new once
    began = time.process_time()
    for _ in range(polls):
        now += 1000
        observer.feed(points, await driver.read(query), None, now)
    cost = _per_value(began, polls)
    await driver.close()
    return cost


async def _blocks(port: int, polls: int, *, convert: bool) -> float:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await client.connect()
    began = time.process_time()
    for _ in range(polls):
        for first in range(0, 2 * VALUES, BLOCK):
            answer = await client.read_holding_registers(
                first, count=min(BLOCK, 2 * VALUES - first), device_id=1
            )
            if convert:
                client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32)
    cost = _per_value(began, polls)
    client.close()
    return cost


async def _bare(port: int, polls: int) -> float:
    return await _blocks(port, polls, convert=False)


async def _converted(port: int, polls: int) -> float:
    return await _blocks(port, polls, convert=True)
