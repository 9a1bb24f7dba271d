"""The Modbus driver against pymodbus' own server: values, faults, silence, strangers (drivers.md)."""

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ganpo_demo.loopback import free_port
from ganpo_drivers import FaultKind, Identity, Point, PointFault
from ganpo_drivers.modbus import reading
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.learning import DAY_S
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.testing import Proxy
from ganpo_model.errors import UnitBusy, UnitSilent, Unreachable, UnsupportedProtocol
from support.modbus_server import ModbusServer, words

URL = "tcp://127.0.0.1:{}"


@pytest.fixture(scope="module")
def running() -> Iterator[ModbusServer]:
    with ModbusServer() as server:
        yield server


@pytest.fixture
def server(running: ModbusServer) -> ModbusServer:
    running.delay(0)
    running.silent()
    for unit in range(1, 9):
        running.exception(unit, 0)
    running.requests()
    return running


@pytest.fixture
async def driver(server: ModbusServer) -> AsyncIterator[ModbusDriver]:
    driver = ModbusDriver(settings(server))
    await driver.open()
    yield driver
    await driver.close()


def settings(server: ModbusServer, **more: Any) -> ModbusSettings:
    return ModbusSettings(driver="modbus", url=server.url, addressing="0-based", timeout_s=0.4, **more)


def points(*texts: str) -> list[Point[ModbusAddress]]:
    """`unit:area:number type order`"""
    found = []
    for text in texts:
        address, kind, order = [*text.split(), "", ""][:3]
        found.append(Point(text, ModbusAddress.parse(address, type=kind, order=order)))
    return found


async def read(driver: ModbusDriver, *texts: str) -> list[Any]:
    return (await driver.read(driver.prepare(points(*texts)))).values


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """What the driver takes for now, from here on."""
    at = time.monotonic()
    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: at + seconds))


async def test_every_type_order_and_area_is_decoded(server: ModbusServer, driver: ModbusDriver) -> None:
    server.set_many(
        [
            (1, "holding", 0, words("int16", -5) + words("uint16", 65000) + words("int32", -70000)),
            (1, "holding", 4, words("uint32", 4_000_000_000) + words("float32", 1.5)),
            (1, "holding", 8, words("float32", -2.25, "CDAB") + words("uint32", 48203, "CDAB")),
            (1, "holding", 12, [0b1010, *words("int32", -7, "CDAB")]),
            (1, "input", 3, words("uint16", 7)),
            (1, "coil", 10, [1, 0, 1]),
            (1, "discrete", 0, [0, 1, 1, 0, 1, 0, 0, 0, 1, 1]),
        ]
    )
    found = await read(
        driver,
        "1:holding:0 int16",
        "1:holding:1 uint16",
        "1:holding:2 int32",
        "1:holding:4 uint32 ABCD",
        "1:holding:6 float32",
        "1:holding:8 float32 CDAB",
        "1:holding:10 uint32 CDAB",
        "1:holding:12.1",
        "1:holding:12.2 bit",
        "1:holding:13 int32 CDAB",
        "1:input:3 uint16",
        "1:coil:12",
        "1:coil:11",
        "1:discrete:9",
        "1:discrete:4",
        "1:discrete:5",
    )
    assert found == [
        *(-5, 65000, -70000, 4_000_000_000, 1.5, -2.25, 48203, True, False, -7),
        *(7, True, False, True, True, False),
    ]


async def test_values_come_in_the_order_of_the_points_also_where_they_overlap(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(1, "holding", 0, [1, 2, 3, 4])
    found = await read(
        driver, "1:holding:3 uint16", "1:holding:0 uint32", "1:holding:1 uint16", "1:holding:0 uint16"
    )
    assert found == [4, 0x10002, 2, 1]


async def test_neighbours_share_a_request_within_gap_and_length(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(2, "holding", 0, [0] * 500)
    await read(driver, *(f"2:holding:{n} uint16" for n in range(0, 40, 8)), "2:holding:60 uint16")
    assert server.requests() == [[2, 3, 0, 33], [2, 3, 60, 1]]
    await read(driver, *(f"2:holding:{n} float32" for n in range(0, 300, 2)))
    assert server.requests() == [[2, 3, 0, 124], [2, 3, 124, 124], [2, 3, 248, 52]]


async def test_nan_infinity_and_all_bits_set_are_faults_the_device_states_and_spoil_no_neighbour(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    nan, infinite = words("float32", math.nan), words("float32", -math.inf)
    server.set(
        1, "holding", 100, [*nan, 0xFFFF, 0xFFFF, 0xFFFF, 5, 0xFFFF, *infinite, *words("float32", 1.5)]
    )
    found = await read(
        driver,
        "1:holding:100 float32",
        "1:holding:102 uint32",
        "1:holding:104 uint16",
        "1:holding:107 float32",
        "1:holding:105 uint16",
        "1:holding:106 int16",
        "1:holding:109 float32",
    )
    assert [fault.kind for fault in found[:4]] == [FaultKind.BAD] * 4
    for fault, told in zip(found, ("NaN", "no value", "no value", "infinity"), strict=False):
        assert told in fault.text
    assert found[4:] == [5, -1, 1.5]
    alone = await read(driver, "1:holding:100 float32", "1:holding:109 float32")
    assert alone == [found[0], 1.5]
    assert await read(driver, "1:holding:104 uint16", "1:holding:105 uint16") == [found[2], 5]


async def test_one_illegal_register_in_a_block_of_a_hundred_costs_only_its_point(
    server: ModbusServer, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.set(3, "holding", 0, list(range(100)))
    server.remove(3, "holding", 37)
    query = driver.prepare(points(*(f"3:holding:{n} uint16" for n in range(100))))
    found = (await driver.read(query)).values
    assert found[37] == PointFault(FaultKind.BAD, "exception 02: illegal data address")
    assert [value for n, value in enumerate(found) if n != 37] == [n for n in range(100) if n != 37]
    server.requests()
    assert (await driver.read(query)).values == found
    assert all(not first <= 37 < first + count for _, _, first, count in server.requests()), (
        "the hole is remembered"
    )
    server.set(3, "holding", 37, [37])
    later(monkeypatch, DAY_S)
    await driver.read(query)
    assert (await driver.read(query)).values == list(range(100))


async def test_an_illegal_register_in_a_gap_costs_nothing(server: ModbusServer, driver: ModbusDriver) -> None:
    server.set(4, "holding", 0, [10, 11])
    server.set(4, "holding", 6, [16])
    query = driver.prepare(points("4:holding:0 uint16", "4:holding:1 uint16", "4:holding:6 uint16"))
    for _ in range(2):
        assert (await driver.read(query)).values == [10, 11, 16]


async def test_exception_01_is_about_the_area_and_says_what_to_check(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.exception(1, 1)
    found = await read(driver, "1:holding:0 uint16", "1:holding:1 uint16")
    assert [f.kind for f in found] == [FaultKind.BAD] * 2
    assert "does not read holding registers; is this an input register?" in found[0].text
    assert len(server.requests()) == 1, "no bisection"


@pytest.mark.parametrize("code", [0x04, 0x05, 0x06, 0x0A, 0x0B])
async def test_a_busy_unit_is_told_and_the_session_goes_on(
    server: ModbusServer, driver: ModbusDriver, code: int
) -> None:
    server.set(1, "holding", 0, [5])
    server.exception(2, code)
    with pytest.raises(UnitBusy, match=f"unit 2: exception {code:02X}"):
        await read(driver, "2:holding:0 uint16")
    assert await read(driver, "1:holding:0 uint16") == [5]


async def test_a_silent_unit_is_told_at_its_first_request_and_the_line_stays_open(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(1, "holding", 0, [5])
    server.set(5, "holding", 0, [6] * 300)
    server.silent(5)
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(UnitSilent, match=r"unit 5: no answer within 0\.4 s"):
            await read(driver, "5:holding:0 uint16", "5:holding:200 uint16")
        assert time.monotonic() - began < 0.7, "one timeout, not one per request"
        assert await read(driver, "1:holding:0 uint16") == [5]


async def test_an_answer_delayed_past_its_timeout_is_never_taken_for_the_next_one(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(1, "holding", 0, [111])
    server.set(1, "holding", 300, [222])
    server.delay(0.6)
    with pytest.raises(UnitSilent):
        await read(driver, "1:holding:0 uint16")
    server.delay(0)
    for _ in range(5):
        assert await read(driver, "1:holding:300 uint16") == [222]
        await asyncio.sleep(0.1)


async def test_a_connection_on_which_nobody_answers_is_opened_anew_and_three_silent_units_stop_no_fourth(
    server: ModbusServer,
) -> None:
    server.set(1, "holding", 0, [5])
    server.silent(5, 6, 7)
    with Proxy("127.0.0.1", server.port) as proxy:
        driver = ModbusDriver(
            ModbusSettings(driver="modbus", url=URL.format(proxy.port), addressing="0-based", timeout_s=0.2)
        )
        await driver.open()
        for _ in range(2):
            for unit in (5, 6, 7):
                with pytest.raises(UnitSilent, match=f"unit {unit}"):
                    await read(driver, f"{unit}:holding:0 uint16")
            assert await read(driver, "1:holding:0 uint16") == [5]
        assert len(proxy.sent) == 3
        await driver.close()


async def test_a_socket_closed_between_two_polls_is_opened_again_within_the_poll(
    server: ModbusServer,
) -> None:
    server.set(1, "holding", 0, [7])
    with Proxy("127.0.0.1", server.port) as proxy:
        driver = ModbusDriver(
            ModbusSettings(driver="modbus", url=URL.format(proxy.port), addressing="0-based")
        )
        await driver.open()
        for pause_s in (0.05, 0.05, 0.0):
            assert await read(driver, "1:holding:0 uint16") == [7]
            proxy.drop()
            await asyncio.sleep(pause_s)
        assert await read(driver, "1:holding:0 uint16") == [7]
        await driver.close()


async def test_a_device_that_cannot_be_reached_is_told_with_its_address() -> None:
    port = free_port()
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=f"tcp://127.0.0.1:{port}", addressing="0-based")
    )
    with pytest.raises(Unreachable, match=f"tcp://127.0.0.1:{port}: no connection"):
        await driver.open()
    await driver.close()
    await driver.close()


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_port_that_speaks_another_protocol_is_told(greeting: bytes, at_once: bool) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not at_once:
            await reader.read(12)
        writer.write(greeting)
        await reader.read()
        writer.close()

    stranger = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = stranger.sockets[0].getsockname()[1]
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=URL.format(port), addressing="0-based", timeout_s=0.3)
    )
    await driver.open()
    await asyncio.sleep(0.05)
    with pytest.raises(UnsupportedProtocol, match="not Modbus TCP") as told:
        await read(driver, "1:holding:0 uint16")
    assert str(told.value).startswith(f"{URL.format(port)}: ")
    assert "is this the device's Modbus port" in str(told.value)
    await driver.close()
    await asyncio.sleep(0.1)
    stranger.close()
    await stranger.wait_closed()


async def test_an_answer_of_the_wrong_length_is_not_believed() -> None:
    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        writer.write(request[:2] + struct.pack(">HHBBBH", 0, 5, 1, 3, 2, 99))
        await reader.read()
        writer.close()

    liar = await asyncio.start_server(lie, "127.0.0.1", 0)
    port = liar.sockets[0].getsockname()[1]
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=f"tcp://127.0.0.1:{port}", addressing="0-based")
    )
    (found,) = await read(driver, "1:holding:0 uint32")
    assert found == PointFault(FaultKind.MISSING, "asked 2 registers, got 1 register")
    await driver.close()
    await asyncio.sleep(0.1)
    liar.close()
    await liar.wait_closed()


async def test_a_read_that_is_cancelled_leaves_a_usable_driver(
    server: ModbusServer, driver: ModbusDriver
) -> None:
    server.set(1, "holding", 0, [7])
    server.delay(0.2)
    task = asyncio.create_task(read(driver, "1:holding:0 uint16"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.delay(0)
    await asyncio.sleep(0.3)
    assert await read(driver, "1:holding:0 uint16") == [7]


async def test_a_device_says_who_it_is(server: ModbusServer, driver: ModbusDriver) -> None:
    driver.prepare(points("3:holding:0 uint16"))
    assert await driver.identify() == Identity("Ganpo", "simulation", "", "simulation 1.0")
    driver.prepare(points("4:holding:0 uint16"))
    assert await driver.identify() == Identity(), "of several units none stands for the line"


async def test_a_device_that_does_not_know_the_question_is_soon_left_alone(server: ModbusServer) -> None:
    server.silent(5)
    server.set(5, "holding", 0, [7])
    driver = ModbusDriver(
        ModbusSettings(driver="modbus", url=server.url, addressing="0-based", timeout_s=0.1)
    )
    query = driver.prepare(points("5:holding:0 uint16"))
    for _ in range(5):
        await driver.open()
        assert await driver.identify() == Identity()
    assert driver.report().reopened == 3
    server.silent()
    assert (await driver.read(query)).values == [7]
    await driver.close()
