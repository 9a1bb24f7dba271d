"""Meters of DL/T 645 on a serial line and of CJ/T 188 behind a converter, from their bytes to facts at the broker."""

import asyncio
import random
from pathlib import Path

from ganpo_agent.app import Agent
from ganpo_demo.lines import PtyLine
from ganpo_demo.register_meters import Cjt188Meter, Dlt645Meter, FramedLine, volume
from support import configs
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.meter_line import TcpLine, noted

LINES = """
[connections.electric]
driver = "dlt645"
url = "serial://{pty}"
timeout_s = 0.3

[connections.water]
driver = "cjt188"
url = "tcp://127.0.0.1:{port}"
timeout_s = 0.3

[[meters]]
asset_no = "DB-1"
name = "三相表"
carrier = "electricity"
role = "boundary_in"
profile = "chint_dtsu666_dlt645"
connection = "electric"
parameters = "meter=000000000161"
ct = "400/5"
reads = "secondary"

[[meters]]
asset_no = "DB-2"
name = "1997表"
carrier = "electricity"
role = "sub"
parent = "DB-1"
profile = "electricity_meter_dlt645_1997"
connection = "electric"
parameters = "meter=138000130754"
max_rate = "100"

[[meters]]
asset_no = "DB-3"
name = "断线的表"
carrier = "electricity"
role = "sub"
parent = "DB-1"
profile = "electricity_meter_1p_dlt645"
connection = "electric"
parameters = "meter=000000000163"
max_rate = "100"

[[meters]]
asset_no = "W-1"
name = "水表"
carrier = "water_fresh"
role = "boundary_in"
profile = "water_meter_cjt188"
connection = "water"
parameters = "meter=78330011223344 pipe=DN50"

[[meters]]
asset_no = "H-1"
name = "热量表"
carrier = "heat"
role = "boundary_in"
profile = "heat_meter_cjt188"
connection = "water"
parameters = "meter=00000040314132 unit=MWh pipe=DN50 order='high_first unit_first'"
max_rate = "4000"
"""
HEAT = "0802000000 0802000000 1700000000 3500000000 2c34100000 352500 662500 000000 53001210071520 0000"
"""What the meter of cnblogs 8683992 answered: the byte of the unit stands before the number."""
READINGS = {"DB-1": 4_820_312, "DB-2": 142_679, "W-1": 100_010, "H-1": 7_200}
"""Registers in hundredths of kWh (of the secondary side), m3 and MJ."""


async def test_meters_of_both_protocols_come_through_and_a_dead_one_costs_the_others_nothing(
    tmp_path: Path,
) -> None:
    electric = FramedLine(
        10,
        [
            Dlt645Meter(
                "000000000161",
                {"00010000": "04820312", "00020000": "00000026", "02030000": "001234"}.get,
            ),
            Dlt645Meter("138000130754", {"9010": "00142679"}.get),
        ],
    )
    water = FramedLine(
        11,
        [
            Cjt188Meter(0x10, "78330011223344", lambda: volume(1000.1) + volume(0) + "00" * 9),
            Cjt188Meter(0x20, "00000040314132", lambda: HEAT),
        ],
    )
    pty, tcp = PtyLine(noted(electric.answer)), TcpLine(noted(water.answer))
    pty.start()
    await tcp.start()
    stop = asyncio.Event()
    with Mosquitto(tmp_path) as broker:
        collector = PlayedCollector(broker.port)
        text = configs.HEAD.replace("mqtt://127.0.0.1:1883", broker.url)
        text = text.replace("/var/lib/ganpo", str(tmp_path / "state"))
        loaded = configs.write(tmp_path, text + LINES.format(pty=pty.path, port=tcp.port))
        assert loaded.errors == ()
        assert loaded.plant is not None
        agent = Agent(loaded.plant, rng=random.Random(1))
        (electric_task, _) = agent.connections

        def silent() -> set[str]:
            return {key for key, kind in electric_task.report().faults if kind == "silent"}

        running = asyncio.create_task(agent.run(stop))
        try:
            async with asyncio.timeout(60):
                while not (READINGS.items() <= _readings(collector).items() and silent()):
                    assert not running.done(), running.exception()
                    await asyncio.sleep(0.05)
        finally:
            stop.set()
            await running
            collector.stop()
            await tcp.stop()
            pty.stop()
    assert "DB-3" not in _readings(collector)
    assert {task.bound.name: task.state for task in agent.connections} == {"electric": "up", "water": "up"}
    assert silent() == {"000000000163"}


def _readings(collector: PlayedCollector) -> dict[str, int]:
    """The register of energy, volume or heat by subject, as it came."""
    wanted = ("energy_import", "volume_total", "heat_total")
    found = {}
    for fact in collector.facts("reading"):
        subject, _, signal = fact["register"].partition("/")
        if signal.startswith(wanted) and not (subject == "H-1" and signal.startswith("volume")):
            found[subject] = fact["raw"]
    return found
