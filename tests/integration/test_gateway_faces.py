"""The same numbers on the page, in the commands and in `/metrics` of one agent that reads a real Modbus server."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner

from ganpo_agent.app import Agent
from ganpo_agent.cli.main import main
from ganpo_agent.page import shown
from ganpo_config.plant import Meaning
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from support.modbus_server import ModbusServer
from support.page_text import text_of
from support.plants import PlantBuilder

SIGNALS = {"power": (1, 100), "frequency": (1, 101), "voltage_l1": (1, 400), "voltage_l2": (9, 5)}
"""Unit and register; 400 is not there, and unit 9 does not answer."""


def agent_of(folder: Path, server: ModbusServer) -> Agent:
    server.set(1, "holding", 100, [1234, 50])
    server.silent(9)
    builder = PlantBuilder(folder / "state")
    settings = {"driver": "modbus", "url": server.url, "addressing": "0-based", "timeout_s": 0.2}
    builder.connection("line", ModbusDriver, ModbusSettings(**settings), "modbus")
    for signal, (unit, register) in SIGNALS.items():
        address = ModbusAddress.parse(f"{unit}:holding:{register}", type="uint16")
        builder.point("line", "SB-1", signal, address, Meaning("number"), 0.2)
    return Agent(builder.build(), rng=random.Random(1), demo=True)


async def said(config: Path, *words: str) -> Any:
    """What a command says, in a thread of its own: it has its own loop."""
    told = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--json", "--config", str(config)])
    return json.loads(told.output)


def numbers(metrics: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", metrics, re.MULTILINE)]


async def test_the_page_the_commands_and_the_metrics_say_the_same_numbers(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'[gateway]\nid = "gw-test-0001"\nstate_dir = "{tmp_path / "state"}"\n')
    stop = asyncio.Event()
    with ModbusServer() as server:
        agent = agent_of(tmp_path, server)
        running = asyncio.create_task(agent.run(stop))
        try:
            async with asyncio.timeout(60), httpx.AsyncClient(headers={"Accept-Language": "en"}) as http:
                while agent.page is None or agent.observer is None or not agent.observer.at_fault():
                    await asyncio.sleep(0.02)
                before: Any = None
                while True:  # until nothing changed while all were asked
                    status, points = await said(config, "status"), await said(config, "points")
                    faulty = await said(config, "points", "--faulty")
                    page = text_of((await http.get(agent.page)).text)
                    metrics = (await http.get(f"{agent.page}metrics")).text
                    now = [
                        status["points"],
                        status["units_silent"],
                        status["outbox"]["issued"],
                        len(status["needs"]),
                    ]
                    if now == before and status["units_silent"] == 1:
                        break
                    before = now
        finally:
            stop.set()
            await running
    assert status["points"] == {"bound": 4, "good": 2, "at_fault": 1}
    assert "2 of 4 points are good, 1 unit is silent ;" in page
    assert "only the faulty (2)" in page
    assert re.search(r"partly readable .*? 2 / 4 .* Total 2 / 4 ", page)
    assert (sum(numbers(metrics, "ganpo_points")), sum(numbers(metrics, "ganpo_points_at_fault"))) == (4, 1)
    assert sum(numbers(metrics, "ganpo_units_silent")) == 1

    assert [point["name"] for point in faulty] == ["SB-1/voltage_l1", "SB-1/voltage_l2"]
    for point in points:
        value = "no value" if point["value"] is None else shown.value(point["value"])
        assert re.search(rf" {point['name']} .{{0,60}}? {value} {point['unit']} ", page), point
    assert [(point["value"], point["raw"]) for point in points[:2]] == [(1234.0, "1234"), (50.0, "50")]

    issued, waiting = status["outbox"]["issued"], status["outbox"]["waiting"]
    assert numbers(metrics, "ganpo_outbox_frames_issued_total") == [issued]
    assert numbers(metrics, "ganpo_outbox_waiting_frames") == [waiting]
    assert f"Issued {issued} frame" in page
    assert f"Waiting {waiting} frame" in page
    assert f"Needs a person: {len(status['needs'])}" in page
    for need in status["needs"]:
        assert need["command"] in page
