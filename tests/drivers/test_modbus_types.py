"""Every type, order and sum through the driver from pymodbus' own server; mbpoll reads the same registers as we do."""

import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Register
from ganpo_drivers import Point, PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact, Reading
from support.configs import BUS, plant
from support.modbus_server import ModbusServer, words
from support.plants import START
from support.registers import laid_out, orders

NUMBERS: dict[str, float] = {
    "int8": -100,
    "uint8": 200,
    "int16": -31_000,
    "uint16": 61_000,
    "float16": -1.5,
    "int32": -2_000_000_000,
    "uint32": 4_000_000_000,
    "float32": -0.15625,
    "int64": -9 * 10**18,
    "uint64": 18 * 10**18,
    "float64": 0.1,
}
CONTENTS: dict[str, tuple[bytes, Any]] = {
    "sm16": (b"\x81\xa4", -420),
    "sm32": (b"\x80\x01\x86\xa0", -100_000),
    "bcd16": (b"\x12\x34", 1234),
    "bcd32": (b"\x12\x34\x56\x78", 12_345_678),
    "bcd64": (b"\x12\x34\x56\x78\x90\x12\x34\x56", 1_234_567_890_123_456),
    "string2": (b"AB", "AB"),
    "string5": (b"PM5 0\0", "PM5 0"),
    "string10": (b"iEM3155\0xy", "iEM3155"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        yield running


@pytest.fixture
async def driver(server: ModbusServer) -> AsyncIterator[ModbusDriver]:
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=server.url, addressing="0-based", timeout_s=0.4)
    )
    await driver.open()
    server.requests()
    yield driver
    await driver.close()


async def read(driver: ModbusDriver, *asked: tuple[str, str, str]) -> list[Any]:
    """The values of `(address, type, order)`s."""
    points = [
        Point(f"{n}", ModbusAddress.parse(text, type=kind, order=order, **driver.connection.columns()))
        for n, (text, kind, order) in enumerate(asked)
    ]
    return (await driver.read(driver.prepare(points))).values


async def test_every_type_in_every_order_comes_over_the_wire(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    asked, wanted = [], []
    registers: list[int] = []
    for kind in (*NUMBERS, *CONTENTS):
        for order in orders(kind):
            asked.append((f"3:input:{len(registers)}", kind, order))
            if kind in NUMBERS:
                registers += words(kind, NUMBERS[kind], order)
                wanted.append(NUMBERS[kind])
            else:
                registers += laid_out(CONTENTS[kind][0], order)
                wanted.append(CONTENTS[kind][1])
    server.set(3, "input", 0, registers)
    found = await read(driver, *reversed(asked))
    assert found == wanted[::-1]
    assert [type(value) for value in found] == [type(value) for value in wanted[::-1]]
    assert len(server.requests()) == -(-len(registers) // 125)


async def test_a_sum_comes_with_one_request_whatever_is_refused_beside_it(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(4, "holding", 0, [7, 9999, 0, 48, 5])
    server.remove(4, "holding", 4)
    asked = [
        ("4:holding:0", "uint16", ""),
        ("4:holding:1*1 + 4:holding:3*10000", "uint16", ""),
        ("4:holding:4", "uint16", ""),
    ]
    values = await read(driver, *asked)
    assert values[:2] == [7, 489_999]
    assert isinstance(values[2], PointFault)
    for _, _, first, count in server.requests():
        assert not (first <= 1 < first + count) or first + count > 3, "between its parts it is never cut"


async def test_an_exponent_far_away_is_read_in_the_same_read(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(5, "holding", 8, words("int32", 1234, "CDAB") + words("float32", 0.5, "CDAB"))
    server.set(5, "holding", 1438, words("int16", -1))
    total = ("5:holding:8:int32 + 5:holding:10:float32 e 5:holding:1438", "", "CDAB")
    near = ("5:holding:8", "int32", "CDAB")
    assert await read(driver, near, total) == [1234, 123.45]
    assert [request[2:] for request in server.requests()] == [[8, 4], [1438, 1]]
    server.remove(5, "holding", 1438)
    value, fault = await read(driver, near, total)
    assert value == 1234
    assert isinstance(fault, PointFault)
    assert fault.text == "exception 02: illegal data address"


def mbpoll(server: ModbusServer, area: int, form: str, first: int, count: int, *options: str) -> list[float]:
    """What mbpoll reads of unit 6: `count` values of a form of its from a 0-based address on."""
    command = ["mbpoll", "-1", "-q", "-0", "-a", "6", "-p", f"{server.port}", "-t", f"{area}{form}"]
    command += ["-r", f"{first}", "-c", f"{count}", *options, "127.0.0.1"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    found = re.findall(r"^\[\d+\]:\s+(\S+)", text, re.MULTILINE)
    assert len(found) == count, text
    return [int(value, 16) if form == ":hex" else float(value) for value in found]


@pytest.mark.parametrize(("area", "name"), [(3, "input"), (4, "holding")])
async def test_mbpoll_reads_what_we_read(
    server: ModbusServer, driver: ModbusDriver, area: int, name: str
) -> None:
    integers = [0x0001_86A0, -2_000_000_000, 70_000, -1, 0x1234_5678, 65_536]
    server.set(6, name, 0, [word for value in integers for word in words("int32", value)])
    reals = [1.5, -0.15625, 1024.0, 3.0e-3]
    server.set(6, name, 100, [word for value in reals for word in words("float32", value)])
    for order, options in (("ABCD", ["-B"]), ("CDAB", [])):
        asked = [(f"6:{name}:{2 * n}", "int32", order) for n in range(len(integers))]
        assert await read(driver, *asked) == mbpoll(server, area, ":int", 0, len(integers), *options)
    asked = [(f"6:{name}:{100 + 2 * n}", "float32", "ABCD") for n in range(len(reals))]
    assert await read(driver, *asked) == pytest.approx(
        mbpoll(server, area, ":float", 100, len(reals), "-B"), rel=1e-5
    )
    asked = [(f"6:{name}:{n}", "uint16", "") for n in (0, 1, 2, 3)]
    assert await read(driver, *asked) == mbpoll(server, area, ":hex", 0, 4)


@pytest.mark.parametrize(("area", "name"), [(0, "coil"), (1, "discrete")])
async def test_mbpoll_reads_the_bits_we_read(
    server: ModbusServer, driver: ModbusDriver, area: int, name: str
) -> None:
    bits = [1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1]
    server.set(6, name, 20, bits)
    assert await read(driver, *((f"6:{name}:{20 + n}", "", "") for n in range(len(bits)))) == bits
    assert mbpoll(server, area, "", 20, len(bits)) == bits


async def test_a_sum_of_a_profile_is_a_reading(server: ModbusServer, tmp_path: Path) -> None:
    """From `agent.toml` to what travels: the flow meter whose total is N x 10^(n-3)."""
    meter = """
[[meters]]
asset_no = "SB-W-01"
name = "Water"
carrier = "water_fresh"
role = "boundary_in"
profile = "tuf2000m"
connection = "bus"
parameters = "unit=7 pipe=DN50 volume_unit=m3"
"""
    found = plant(tmp_path, BUS.replace("tcp://127.0.0.1:502", server.url) + meter)
    points = [point for point in found.connections[0].points if point.signal == "volume_total"]
    assert isinstance(points[0].meaning, Register)
    item = points[0].meaning.item
    facts: list[Fact] = []
    now = to_ms(START)
    observer = Observer(found, facts.extend, now)
    driver = ModbusDriver(ModbusSettings(driver="modbus", url=server.url, addressing="0-based"))
    await driver.open()
    asked: list[Point[Any]] = [Point(point.name, point.address) for point in points]
    query = driver.prepare(asked)
    for power in (1, -4):
        server.set(7, "holding", 8, words("int32", 123_457, "CDAB"))
        server.set(7, "holding", 1438, words("int16", power))
        now += 900_000
        observer.feed(points, await driver.read(query), None, now)
    await driver.close()
    amounts = [Fraction(fact.raw * item.num, item.den) for fact in facts if isinstance(fact, Reading)]
    assert amounts == [Fraction("1234.57"), Fraction("0.0123457")]
