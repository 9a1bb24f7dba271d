"""From the display to the collector's page: the command, a real meter, broker and collector (Show 5)."""

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ganpo_agent.app import Agent
from ganpo_cloud.web.application import create_app
from ganpo_config import load
from ganpo_service.clock import SystemClock
from support.broker import Mosquitto
from support.configs import HEAD
from support.modbus_server import ModbusServer, words
from support.replaying import ENTERPRISE, Cloud
from support.serving import Served

METER = """
[connections.line]
driver = "modbus"
url = "{url}"
addressing = "0-based"
[[meters]]
asset_no = "DB-0101"
name = "Main meter"
carrier = "electricity"
role = "boundary_in"
[[points]]
asset_no = "DB-0101"
signal = "energy_import"
connection = "line"
address = "1:holding:0"
type = "uint32"
scale = "0.01"
max_rate = "1000"
interval_s = "1"
"""


@pytest.fixture
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        running.set_many([(1, "holding", 0, words("uint32", 4820312))])
        yield running


async def ganpo(config: Path, *words: str, typed: str = "") -> tuple[int, str]:
    """What the command says, and how it ends."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("ganpo")), "commission", "--config", str(config), *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"LC_ALL": "C.UTF-8", "LANG": "en_US.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    said, _ = await process.communicate(typed.encode())
    return process.returncode or 0, said.decode()


async def test_a_display_is_typed_and_stands_at_the_collector(tmp_path: Path, server: ModbusServer) -> None:
    config = tmp_path / "agent.toml"
    with Mosquitto(tmp_path) as broker:
        head = HEAD.replace("/var/lib/ganpo", str(tmp_path / "state")).replace(
            "mqtt://127.0.0.1:1883", broker.url
        )
        head = head.replace("[uplink]", 'http = "127.0.0.1:0"\n[uplink]\nlive_s = 1')
        config.write_text(head + METER.format(url=server.url), encoding="utf-8")
        code, said = await ganpo(config, "DB-0101", "--displayed", "1", "--by", "Wang")
        assert (code, said.endswith("[unreachable]\n")) == (1, True)
        assert said.startswith("no gateway runs with this configuration; `ganpo service status` says")
        plant = load(config, {}).plant
        assert plant is not None
        cloud = Cloud(tmp_path, broker.url, SystemClock(), plant.gateway.id)
        cloud.start()
        stop = asyncio.Event()
        agent = Agent(plant, rng=random.Random(1))
        async with asyncio.TaskGroup() as group:
            group.create_task(agent.run(stop))
            async with asyncio.timeout(30):
                while agent.observer is None or not agent.observer.links["DB-0101"].up:
                    await asyncio.sleep(0.05)
            code, said = await ganpo(config, "DB-0101", typed="Wang\n48203.1\n")
            assert code == 0
            assert "DB-0101 energy_import: the display shows" in said
            assert "displayed 48203.1 kWh, read 48203.12 kWh at " in said
            assert "they agree" in said
            code, said = await ganpo(config, "DB-0101", "--displayed", "482.03", "--by", "Li", "--json")
            assert code == 1
            assert json.loads(said)["agrees"] is False
            code, said = await ganpo(config, "DB-0101", "--displayed", "482.03", "--by", "Li")
            assert (code, "read is 100 x the display: check CT, scale, unit" in said) == (1, True)
            code, said = await ganpo(config, "DB-0101", "--displayed", "1,234", "--by", "Li")
            assert (code, said.endswith("[config]\n")) == (1, True)
            assert said.startswith("displayed: '1,234' may be 1234 or 1.234; type it without grouping")
            with Served(create_app(cloud.database, SystemClock())) as served:
                path = f"{served.url}/api/v1/commissioned/{ENTERPRISE}"
                async with httpx.AsyncClient(timeout=20) as http, asyncio.timeout(30):
                    while len(found := (await http.get(path)).json()) < 3:
                        await asyncio.sleep(0.1)
                    page = (await http.get(f"{served.url}/enterprises/{ENTERPRISE}/DB-0101?lang=en")).text
            stop.set()
        await cloud.stop()
        cloud.database.close()
    assert [(one["by"], one["displayed"], one["read"], one["agrees"]) for one in found] == [
        ("Li", "482.03", "48203.12", False),
        ("Li", "482.03", "48203.12", False),
        ("Wang", "48203.1", "48203.12", True),
    ]
    assert found[0]["register"].startswith("DB-0101/energy_import#")
    assert "its display showed 482.03 kWh, 48203.12 kWh was read" in page
