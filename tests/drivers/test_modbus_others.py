"""The Modbus driver against servers that others wrote: libmodbus in C over TCP and RTU, pymodbus with RTU frames."""

import socket
from pathlib import Path
from typing import Any

import pytest

from ganpo_drivers import FaultKind, Point, PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import UnitSilent
from support import writes
from support.libmodbus import compiled, running
from support.modbus_server import ModbusServer, words


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program, compiled."""
    return compiled(tmp_path_factory.mktemp("libmodbus"))


def driver_of(url: str) -> ModbusDriver:
    return ModbusDriver(ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=0.5))


async def read(driver: ModbusDriver, *texts: str) -> list[Any]:
    """Of `unit:area:number type order`."""
    points = []
    for text in texts:
        address, kind, order = [*text.split(), "", ""][:3]
        points.append(Point(text, ModbusAddress.parse(address, type=kind, order=order)))
    return (await driver.read(driver.prepare(points))).values


@pytest.mark.parametrize("transport", ["tcp", "rtu"])
async def test_libmodbus_is_read_value_by_value(program: Path, transport: str) -> None:
    arguments = ["tcp"] if transport == "tcp" else ["rtu", "7"]
    with running(program, *arguments) as told:
        driver = driver_of(f"tcp://127.0.0.1:{told}" if transport == "tcp" else f"rtu://{told}")
        for _ in range(3):
            await driver.open()
            assert await read(driver, *(f"7:holding:{n} uint16" for n in range(200))) == list(range(200))
            assert await read(driver, *(f"7:input:{n} uint16" for n in (0, 1, 399))) == [400, 399, 1]
            assert await read(driver, *(f"7:coil:{n}" for n in range(30))) == [n % 3 == 0 for n in range(30)]
            assert await read(driver, *(f"7:discrete:{n}" for n in (0, 4, 5))) == [True, False, True]
            found = await read(
                driver,
                "7:holding:200 float32",
                "7:holding:202 float32 CDAB",
                "7:holding:204 float32 BADC",
                "7:holding:206 float32 DCBA",
                "7:holding:208 int32",
            )
            assert found == [1.5, -2.25, 3.75, -0.125, -70000]
            (fault,) = await read(driver, "7:holding:400 uint16")
            assert fault == PointFault(FaultKind.BAD, "exception 02: illegal data address")
            await driver.close()
        assert driver.report().reopened == 0
        if transport == "rtu":
            await driver.open()
            with pytest.raises(UnitSilent, match="unit 8"):
                await read(driver, "8:holding:0 uint16")
            # libmodbus waits for the answer of that unit and takes the next request for it
            with pytest.raises(UnitSilent, match="unit 7"):
                await read(driver, "7:holding:9 uint16")
            assert await read(driver, "7:holding:9 uint16") == [9]
            await driver.close()


def test_the_watch_would_see_a_write_at_libmodbus(program: Path) -> None:
    with running(program, "tcp") as port, socket.create_connection(("127.0.0.1", int(port))) as client:
        client.settimeout(5)
        for request in ("0001 0000 0006 01 03 0000 0001", "0002 0000 0006 01 06 0000 0001"):
            client.sendall(bytes.fromhex(request))
            assert client.recv(4096)[:2] == bytes.fromhex(request)[:2]
        assert writes.noted() == ["Modbus function 6 at libmodbus"]


async def test_pymodbus_behind_a_converter_is_read_whatever_the_unit() -> None:
    with ModbusServer(framer="rtu") as server:
        units = [*range(1, 26), 247]
        server.set_many([(unit, "holding", 0, words("float32", unit + 0.5)) for unit in units])
        driver = driver_of(server.url.replace("tcp://", "rtu+tcp://"))
        await driver.open()
        for unit in units:
            assert await read(driver, f"{unit}:holding:0 float32") == [unit + 0.5]
        server.silent(9)
        with pytest.raises(UnitSilent):
            await read(driver, "9:holding:0 float32")
        assert await read(driver, "10:holding:0 float32") == [10.5]
        await driver.close()
