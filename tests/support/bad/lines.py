"""Serial lines that fail beside a connection that works: the whole agent reads both."""

from contextlib import AsyncExitStack
from pathlib import Path

from support.bad.devices import Plant, beside_a_good_one
from support.rtu_line import WRONG, RtuLine, right

_POINTS = [(f"1:holding:{number}", 'type = "uint16"\nunit = "W"\nscale = "1000"') for number in (100, 200)]


def _bus(device: str) -> str:
    """A port that is set as it comes."""
    return f'driver = "modbus"\nurl = "rtu://{device}"\naddressing = "0-based"\ntimeout_s = 0.3\nback_off_max_s = 1'


async def _reads(plant: Plant) -> None:
    """Both registers of unit 1 are read."""
    await plant.told(lambda health: "up" if health["connections"]["bad"]["state"] == "up" else None)
    await plant.told(lambda health: None if health["faults"] else "none")
    assert (plant.value("M-0/power"), plant.value("M-1/power")) == (100.0, 200.0)


async def port_that_vanishes(folder: Path) -> str:
    """The adapter is pulled out, and is back under another number."""
    name = folder / "by-id"
    async with AsyncExitStack() as stack:
        plugged = await stack.enter_async_context(AsyncExitStack())
        first = await plugged.enter_async_context(RtuLine().at_a_port())
        name.symlink_to(first.url.removeprefix("rtu://"))
        plant = await stack.enter_async_context(beside_a_good_one(folder, _bus(str(name)), *_POINTS))
        await _reads(plant)
        name.unlink()
        await plugged.aclose()
        told = await plant.error()
        second = await stack.enter_async_context(RtuLine().at_a_port())
        name.symlink_to(second.url.removeprefix("rtu://"))
        await _reads(plant)
        return told


async def wrong_baud(folder: Path) -> str:
    """What the device says is not what was said."""
    async with RtuLine().at_a_port() as line:
        line.otherwise = lambda request: bytes(byte | 0xE0 for byte in right(request))
        async with beside_a_good_one(folder, _bus(line.url.removeprefix("rtu://")), *_POINTS) as plant:
            told = await plant.error()
            line.otherwise = right
            await _reads(plant)
            return told


async def answers_as_another(folder: Path) -> str:
    """A gateway answers for another unit, to one request of two."""
    async with RtuLine().at_a_port() as line:
        line.replies = {(1, 200): WRONG["for another unit"]}
        async with beside_a_good_one(folder, _bus(line.url.removeprefix("rtu://")), *_POINTS) as plant:
            told = await plant.fault("M-1/power")
            assert plant.value("M-0/power") == 100.0
            return told
